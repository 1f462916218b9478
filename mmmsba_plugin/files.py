"""Write files whole or not at all, hash them, make folders, and read bundled files."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Final

from mmmsba_plugin.errors import MmmsbaError, ModelFileError, OutputError
from mmmsba_plugin.run_control import check

#: Suffixes of files that may hold a video. Anything else in a folder of clips is passed over.
VIDEO_SUFFIXES: Final = frozenset(
    ".3gp .avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .ogv .ts .webm .wmv".split()  # noqa: SIM905
)

#: Bytes of a file that are hashed at a time.
_HASHED_BYTES = 1 << 20

_REMEDY = "reinstall with: pip install --force-reinstall --no-deps mmmsba-plugin"


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of this block into an :class:`OutputError` that says what to do.

    Raises:
        OutputError: There is no such folder, it may not be written to, or the disk is full.
    """
    try:
        yield
    except MmmsbaError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write to {path}: {error.strerror or error}; choose another place (-o on "
            "the command line), or put that right and run the same again",
            path=path,
        ) from error


@contextmanager
def atomic_path(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a path beside ``path`` that becomes it at the end, or goes if the block fails.

    For libraries that open a file by themselves; :func:`atomic_write` serves all else. Nobody
    ever sees half of the file, and an older one stays until the new one is whole.

    Args:
        path: The file to write.
        replace: Whether it may take the place of another.

    Raises:
        FileExistsError: It may not, and there is another by now.
        OutputError: The whole file cannot take its place.
    """
    # Two processes may make the same file at once, such as cached features.
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield partial
        if not replace:
            _link(partial, path)
            return
        with writing_to(path):
            partial.replace(path)
    finally:
        # It is gone if all went well, and was never there if it could not be opened.
        with suppress(OSError):
            partial.unlink()


@contextmanager
def atomic_write(
    path: Path, mode: str = "w", *, newline: str | None = "\n", replace: bool = True
) -> Iterator[IO[Any]]:
    """Open a file that appears at ``path`` only once it is complete; its folder must exist.

    Args:
        path: The file to write.
        mode: ``w`` for text in UTF-8, ``wb`` for bytes.
        newline: What ends a line of text, as :func:`open` has it.
        replace: Whether it may take the place of another file.

    Raises:
        FileExistsError: It may not, and there is another.
        OutputError: The folder is missing or may not be written to, or the disk is full.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic_write(folder / "scores.txt") as file:
        ...     _ = file.write("a.mp4;0.9")
        >>> [file.name for file in folder.iterdir()]
        ['scores.txt']
    """
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": newline}
    with (
        atomic_path(path, replace=replace) as partial,
        writing_to(path),
        partial.open(mode, **text) as file,  # type: ignore[call-overload]
    ):
        yield file


def _link(partial: Path, path: Path) -> None:
    """Give a file a second name that nothing has yet; of two processes, one succeeds."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems know no second names: there, two processes may miss each other.
        if path.exists():
            raise FileExistsError(f"there is a file at {path}") from None
        with writing_to(path):
            partial.replace(path)


def require_writable(*folders: Path) -> None:
    """Check that folders can be written to, before hours go into what goes there.

    Raises:
        OutputError: One cannot.
    """
    for folder in dict.fromkeys(folders):
        with writing_to(folder), tempfile.TemporaryFile(dir=folder):
            pass


def ensure_dir(folder: Path) -> None:
    """Make a folder and those above it where they are missing, and check that it is writable.

    Raises:
        OutputError: It cannot be made or written to.
    """
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    require_writable(folder)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_HASHED_BYTES):
            check()
            digest.update(block)
    return digest.hexdigest()


@cache
def read_bundled(package: str, name: str, *, sha256: str) -> bytes:
    """Return the bytes of a file that lies in one of our packages.

    Raises:
        ModelFileError: It is missing, or not the one that was bundled.
    """
    try:
        content = files(package).joinpath(name).read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{name} is missing from the package; {_REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{name} differs from the file that was bundled; {_REMEDY}")
    return content
