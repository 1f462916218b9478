"""Walks a corpus's metadata: what fits becomes a record, what does not is named and left out."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mmmsba_plugin.datasets.fields import Fields, fields
from mmmsba_plugin.datasets.json_records import Item
from mmmsba_plugin.datasets.reading import OnError
from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError

#: Makes a record of an entry; None if it is of a split that nobody asked for.
MakeRecord = Callable[[Fields], Record | None]


def walk(items: Iterable[Item], make: MakeRecord, on_error: OnError) -> Iterator[Record]:
    """Yield the records of the entries that fit, in their order.

    Args:
        items: Entries of metadata, with their places.
        make: Makes a record, or raises a :class:`DatasetError` that names the key.
        on_error: Hears of each entry that is left out, by file, line, index and key.
    """
    for item in items:
        try:
            record = make(fields(item.value))
        except DatasetError as error:
            on_error(DatasetError(f"{item.place}: {error}"))
            continue
        if record is not None:
            yield record


class Splits:
    """Which splits were met, and whether one is wanted."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._met: set[str] = set()

    def wants(self, split: str | None) -> bool:
        """Whether records of this split are wanted; it counts as met."""
        self._met.add(str(split))
        return self._wanted in {None, split}

    def require(self, path: Path) -> None:
        """Make sure that the one that is wanted was met.

        Raises:
            DatasetError: No record was of it.
        """
        if self._wanted is not None and self._wanted not in self._met:
            words = ", ".join(sorted(self._met)) or "none"
            raise DatasetError(f"{path} has no split {self._wanted!r}; it has: {words}")
