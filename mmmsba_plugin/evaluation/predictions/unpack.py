"""Unpacks a zip as it was submitted to AV-Deepfake1M's evaluation."""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import copyfileobj

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.predictions.forms import PROPOSALS, SCORES, head


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give a place to read from: the path itself, or for a submission's zip a folder.

    Raises:
        DatasetError: The zip is damaged, or holds no submission, or two.
    """
    if path.is_dir() or not head(path).startswith(b"PK") or _holds_arrays(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, Path(folder))
        try:
            yield Path(folder)
        except DatasetError as error:
            # Whoever reads it knows the zip, and the folder is gone by then.
            raise DatasetError(str(error).replace(folder, str(path))) from error


def _holds_arrays(path: Path) -> bool:
    """Whether a zip is one of NumPy's."""
    with _opened(path) as packed:
        return any(member.endswith(".npy") for member in packed.namelist())


def _unpack(path: Path, folder: Path) -> None:
    """Write the files of a submission into a folder, wherever in the zip they lie."""
    with _opened(path) as packed:
        for name in (PROPOSALS, SCORES):
            members = [m for m in packed.namelist() if PurePosixPath(m).name == name]
            if len(members) > 1:
                raise DatasetError(
                    f"{path} holds {name} {len(members)} times; unpack it and give one of them"
                )
            for member in members:
                with packed.open(member) as source, (folder / name).open("wb") as target:
                    copyfileobj(source, target)
    if not any(folder.iterdir()):
        raise DatasetError(f"{path} holds neither {PROPOSALS} nor {SCORES}; zip them anew")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    # The last is of a zip with a password, or of a way to pack that Python does not know.
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DatasetError(f"{path} cannot be unpacked: {error}; zip the files anew") from error
