"""Makes folders for results, and says in words what keeps one from writing there."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

from mmmsba_plugin.errors import MmmsbaError, ModelFileError, OutputError


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Say of whatever keeps this block from writing what to do about it.

    Raises:
        OutputError: There is no such folder, it may not be written to, or the disk is full.
    """
    try:
        yield
    except MmmsbaError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write to {place}: {error.strerror or error}; choose another place (-o on "
            "the command line), or put that right and run the same again"
        ) from error


def require_writable(*folders: Path) -> None:
    """Find out whether folders can be written to before hours go into what goes there.

    Raises:
        OutputError: One cannot.
    """
    for folder in dict.fromkeys(folders):
        with writing_to(folder), tempfile.TemporaryFile(dir=folder):
            pass


def make_folder(folder: Path) -> None:
    """Make a folder that can be written to, and those above it, unless it is there.

    Raises:
        OutputError: That cannot be.
    """
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    require_writable(folder)


_REMEDY = "reinstall with: pip install --force-reinstall --no-deps mmmsba-plugin"


@cache
def read_shipped(package: str, name: str, *, sha256: str) -> bytes:
    """Return the bytes of a file that lies in one of our packages.

    Raises:
        ModelFileError: It is missing, or not the one that was shipped.
    """
    try:
        content = files(package).joinpath(name).read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{name} is missing from the package; {_REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{name} differs from the file that was shipped; {_REMEDY}")
    return content
