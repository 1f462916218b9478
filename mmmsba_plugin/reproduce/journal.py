"""Results clip by clip, one line a clip, written as soon as it is known.

Work that was interrupted goes on at the next clip. A last line that was cut off in the middle
is dropped, and its clip done again.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

from mmmsba_plugin.errors import DatasetError

Value = TypeVar("Value")


def read(path: Path, parse: Callable[[Mapping[str, Any]], Value]) -> dict[str, Value]:
    """Read the entries of a file, the last of each clip; a cut-off last line is removed.

    Args:
        path: The file. One that is not there holds nothing.
        parse: Makes of a line what is kept of it.

    Raises:
        DatasetError: Another line cannot be read.
    """
    if not path.is_file():
        return {}
    entries: dict[str, Value] = {}
    whole_bytes = 0
    with path.open("rb+") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                stream.truncate(whole_bytes)
                break
            whole_bytes += len(line)
            try:
                entry = json.loads(line)
                entries[entry["key"]] = parse(entry)
            except (ValueError, KeyError, TypeError) as error:
                raise DatasetError(
                    f"{path}, line {number} is damaged; remove the line to have its clip looked "
                    "at again"
                ) from error
    return entries


def write(stream: IO[str], key: str, entry: Mapping[str, Any]) -> None:
    """Write what was found out about one clip."""
    stream.write(json.dumps({"key": key, **entry}) + "\n")
    stream.flush()
