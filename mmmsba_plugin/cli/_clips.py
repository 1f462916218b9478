"""The clips that a command line names: files, folders, patterns and lists."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from mmmsba_plugin.files import VIDEO_SUFFIXES


def clips_of(arguments: Iterable[Path]) -> Iterator[Path]:
    """Yield the clips that arguments name; see :func:`_clips_of_one`.

    Args:
        arguments: As they were typed.

    Raises:
        BadParameter: A list cannot be read.
    """
    for argument in arguments:
        yield from _clips_of_one(argument)


def _clips_of_one(argument: Path) -> Iterator[Path]:
    """Yield the clips of a folder, pattern, list (``@FILE``, ``FILE.txt`` or ``-``), or file.

    What is there under the very name is never a pattern, nor a list with ``@``.
    """
    name = str(argument)
    if name == "-":
        yield from _listed(sys.stdin.buffer.read())
    elif argument.is_file() and argument.suffix.lower() == ".txt":
        yield from _listed(_read(argument))
    elif argument.exists():
        yield from _inside(argument)
    elif name.startswith("@"):
        yield from _listed(_read(Path(name[1:])))
    elif matches := sorted(glob.glob(name, recursive=True)):  # noqa: PTH207 - absolute ones too
        for match in matches:
            yield from _inside(Path(match))
    else:
        yield argument


def _listed(names: bytes) -> Iterator[Path]:
    """Yield the clips of a list: one a line, or ended by NUL, as ``find -print0`` writes them."""
    lines = names.split(b"\0") if b"\0" in names else names.splitlines()
    for line in lines:
        if line.strip():
            yield from _inside(Path(os.fsdecode(line)))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read the list {path}: {error.strerror}; give a text file with one name a line"
        ) from error


def _inside(path: Path) -> Iterator[Path]:
    """Yield the videos of a folder and of those in it, sorted; or the path if it is none.

    Hidden files and folders are passed over, and no symbolic link to a folder is followed, so
    nothing is met for ever. A folder that cannot be read, or holds no video, is yielded
    itself, so that its report says so.
    """
    if not path.is_dir():
        yield path
        return
    unread: list[Path] = []
    num_videos = 0
    for folder, folders, names in os.walk(path, onerror=lambda e: unread.append(Path(e.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                num_videos += 1
                yield Path(folder, name)
    yield from unread
    if not num_videos and not unread:
        yield path
