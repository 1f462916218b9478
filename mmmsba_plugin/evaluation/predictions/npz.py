"""Tables of spans in a file of NumPy's: read in a tenth of the time that JSON takes.

The arrays have the names of :class:`mmmsba_plugin.evaluation.tables.SpanTable`: ``keys``,
``offsets``, ``spans`` and, for proposals, ``scores``. Nothing is pickled.
"""

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.errors import DatasetError, PredictionsError, ShapeError
from mmmsba_plugin.evaluation.predictions.packed import (
    require_plausible_arrays,
    require_plausible_sizes,
)
from mmmsba_plugin.evaluation.tables import SpanTable
from mmmsba_plugin.files import atomic_write

#: Kind of each array's values, as :attr:`numpy.dtype.kind` has it.
_KINDS = {"keys": "U", "offsets": "i", "spans": "f", "scores": "f"}


def write_table(table: SpanTable, path: Path) -> None:
    """Write a table; it reads back as it is.

    Args:
        table: Of proposals or of truths.
        path: Replaced if it is there; ``.npz`` is usual.

    Raises:
        OutputError: The file cannot be written.
    """
    scores: dict[str, Any] = {} if table.scores is None else {"scores": table.scores}
    keys = np.array(table.keys, dtype=np.str_)
    with atomic_write(path, "wb") as out:
        np.savez(out, keys=keys, offsets=table.offsets, spans=table.spans, **scores)


def read_table(path: Path) -> SpanTable:
    """Read a table that :func:`write_table` wrote.

    Raises:
        PredictionsError: The file is not there, is damaged, or holds something else.
    """
    if not path.is_file():
        raise PredictionsError(f"there is no {path}; check the path", path=path)
    if not zipfile.is_zipfile(path):
        raise PredictionsError(f"{path} is no table of spans; write it with write_table", path=path)
    try:
        with zipfile.ZipFile(path) as packed:
            require_plausible_sizes(packed, path)
            require_plausible_arrays(packed, path)
        with np.load(path, allow_pickle=False) as arrays:
            stored = {name: arrays[name] for name in _KINDS if name in arrays}
    except PredictionsError:
        raise
    # A header is a piece of Python, and a zip can be packed in ways that Python does not know.
    except (
        *(OSError, ValueError, RuntimeError, SyntaxError, MemoryError),
        *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
    ) as error:
        raise PredictionsError(
            f"{path} cannot be read ({error}); write it again", path=path
        ) from error
    for name, kind in _KINDS.items():
        if name in stored and stored[name].dtype.kind != kind:
            raise PredictionsError(
                f"{path} has {name} of type {stored[name].dtype}; write it with write_table",
                path=path,
            )
    try:
        return SpanTable(
            stored["keys"].tolist(),
            stored["offsets"].astype(np.int64, copy=False),
            stored["spans"].astype(np.float64, copy=False),
            stored["scores"].astype(np.float64, copy=False) if "scores" in stored else None,
        )
    except KeyError as error:
        raise PredictionsError(
            f"{path} lacks the array {error}; write it with write_table", path=path
        ) from error
    except (DatasetError, PredictionsError, ShapeError) as error:
        raise PredictionsError(f"{path}: {error}", path=path) from error
