"""Makes folders for results, and says in words what keeps one from writing there."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmmsba_plugin.errors import MmmsbaError, OutputError


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
