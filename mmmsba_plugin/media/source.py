"""Media that lie in memory, for readers that want a file."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from mmmsba_plugin.errors import MediaTypeError
from mmmsba_plugin.schema import Report

#: What can be read as media: a path, the bytes of a file, or a file that is open for bytes.
MediaSource = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]


@contextmanager
def temporary_file(source: MediaSource) -> Iterator[Path]:
    """Yield the path of a temporary file that holds the bytes of a source.

    Args:
        source: Bytes, or a file that is open for bytes; it is read from where it stands.

    Raises:
        MediaTypeError: It is neither.
    """
    with NamedTemporaryFile(prefix="mmmsba-") as file:
        if isinstance(source, bytes | bytearray | memoryview):
            file.write(source)
        else:
            try:
                shutil.copyfileobj(source, file)  # type: ignore[arg-type]
            except (AttributeError, TypeError) as error:
                raise MediaTypeError(
                    f"media are a path, bytes, or a file that is open for bytes, got {source!r:.80}"
                ) from error
        file.flush()
        yield Path(file.name)


def name_of(source: MediaSource) -> str:
    """Return the name by which a report knows a source that is no path."""
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "bytes"


def with_name(report: Report, path: Path, name: str) -> Report:
    """Return a report that names a source in place of the temporary file that it was read from."""
    problem = report.problem
    if problem is not None:
        message = problem.message.replace(str(path), name)
        problem = problem.model_copy(update={"message": message})
    media = report.media.model_copy(update={"path": name})
    return report.model_copy(update={"media": media, "problem": problem})
