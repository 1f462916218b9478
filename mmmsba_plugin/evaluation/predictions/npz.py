"""Tables of spans in a file of NumPy's: read in a tenth of the time that JSON takes.

The arrays have the names of :class:`mmmsba_plugin.evaluation.tables.SpanTable`: ``keys``,
``offsets``, ``spans`` and, for proposals, ``scores``. Nothing is pickled.
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import DatasetError, OutputError
from mmmsba_plugin.evaluation.tables import SpanTable

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
    try:
        with path.open("wb") as out:
            np.savez(out, keys=keys, offsets=table.offsets, spans=table.spans, **scores)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose another folder"
        ) from error


def read_table(path: Path) -> SpanTable:
    """Return a table that :func:`write_table` wrote.

    Raises:
        DatasetError: The file is not there, is damaged, or holds something else.
    """
    stored = _arrays(path)
    for name, kind in _KINDS.items():
        if name in stored and stored[name].dtype.kind != kind:
            raise DatasetError(
                f"{path} has {name} of type {stored[name].dtype}; write it with write_table"
            )
    try:
        return SpanTable(
            stored["keys"].tolist(),
            stored["offsets"].astype(np.int64, copy=False),
            stored["spans"].astype(np.float64, copy=False),
            stored["scores"].astype(np.float64, copy=False) if "scores" in stored else None,
        )
    except KeyError as error:
        raise DatasetError(f"{path} lacks the array {error}; write it with write_table") from error
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DatasetError(f"there is no {path}; check the path")
    if not zipfile.is_zipfile(path):
        raise DatasetError(f"{path} is no table of spans; write it with write_table")
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in _KINDS if name in stored}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} cannot be read ({error}); write it again") from error
