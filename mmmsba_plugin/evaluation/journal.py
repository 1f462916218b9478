"""Results clip by clip, one line a clip, written as soon as it is known.

Work that was interrupted goes on at the next clip. A last line that was cut off in the middle
is dropped, and its clip done again.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.record import Record

Value = TypeVar("Value")


def read(path: Path, parse: Callable[[Mapping[str, Any]], Value]) -> dict[str, Value]:
    """Read the entries of a file, the last of each clip; a cut-off last line is removed.

    Args:
        path: The file. One that is not there holds nothing.
        parse: Makes of a line what is kept of it.

    Raises:
        PredictionsError: Another line cannot be read.
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
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise PredictionsError(
                    f"{path}, line {number} is damaged; remove the line to have its clip looked "
                    "at again",
                    path=path,
                ) from error
    return entries


def resume(
    records: Sequence[Record],
    path: Path,
    work: Callable[[Sequence[Record]], Iterable[tuple[Record, Mapping[str, Any]]]],
    *,
    parse: Callable[[Mapping[str, Any]], Value],
    is_final: Callable[[Value], bool] = lambda _: True,
) -> dict[str, Value]:
    """Do some work for each clip once, over any number of interrupted runs.

    Args:
        records: The clips.
        path: Where results are kept; its folder is made if it is not there.
        work: Yields clips that are given with the results, as JSON has them. A clip that it
            leaves out is tried again in the next run.
        parse: Makes of a result what is returned.
        is_final: Whether a kept result is not to be done again.

    Returns:
        The result of each clip by its name, in the order of the clips, as far as there is one.

    Raises:
        PredictionsError: The file is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {name: value for name, value in read(path, parse).items() if is_final(value)}
    missing = [record for record in records if record.name not in values]
    with path.open("a", encoding="utf-8") as stream:
        for record, entry in work(missing):
            stream.write(json.dumps({"key": record.name, **entry}) + "\n")
            stream.flush()
            values[record.name] = parse(entry)
    return {record.name: values[record.name] for record in records if record.name in values}
