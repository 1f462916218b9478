"""Shared parts of dataset readers: settings, error callbacks, and typed fields of an entry."""

import logging
import re
import reprlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import Field, field_validator

from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.json_records import Item
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError, SegmentError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment, merge

#: Hears of each record that is left out.
OnError = Callable[[DatasetError], None]

_log = logging.getLogger(__name__)


class ReaderConfig(Config):
    """Settings of a dataset reader: root and split."""

    root: Path = Field(description="The folder of the dataset.")
    split: str | None = Field(
        default=None,
        description="Only this split: train, dev or test, or what others call them, such as val "
        "and valid; all if not given.",
    )
    need_media: bool = Field(
        default=True,
        description="Leave out a record whose clip is not there; false where "
        "predictions are measured or features that another tool made are learned from.",
    )

    @field_validator("split")
    @classmethod
    def _in_our_word(cls, split: str | None) -> str | None:
        return split_word(split) if split else split


def warn(error: DatasetError) -> None:
    """Log what is left out, and go on; for ``on_error``."""
    _log.warning("left out: %s", error)


def refuse(error: DatasetError) -> NoReturn:
    """End reading at the first record that is malformed; for ``on_error``."""
    raise error


#: Makes a record of an entry; None if it is of a split that nobody asked for.
MakeRecord = Callable[["Fields"], Record | None]


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
    """Splits that were met, and the one that is asked for."""

    def __init__(self, split: str | None) -> None:
        self._split = split
        self._met: set[str] = set()

    def wants(self, split: str | None) -> bool:
        """Return whether records of this split are asked for; it counts as met."""
        self._met.add(str(split))
        return self._split in {None, split}

    def require(self, path: Path) -> None:
        """Make sure that the one that is wanted was met.

        Raises:
            DatasetError: No record was of it.
        """
        if self._split is not None and self._split not in self._met:
            words = ", ".join(sorted(self._met)) or "none"
            raise DatasetError(f"{path} has no split {self._split!r}; it has: {words}")


Truth = tuple[Segment, ...]
Fields = Mapping[str, Any]

_PAIR = 2
#: An absolute path, of Windows too, or one that climbs; cheaper than a path object, where a
#: dataset has a million.
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")
#: No clip lasts longer than 30 years; a number beyond is a unit gone wrong.
_MOST_S = 1e9


#: What a file holds, cut to what can be read, however long or deep it is.
_EXCERPT = reprlib.Repr()
_EXCERPT.maxlevel, _EXCERPT.maxstring, _EXCERPT.maxother = 3, 80, 80
_shortened = _EXCERPT.repr


def fields(value: object) -> Fields:
    """Return a record's keys and values.

    Raises:
        DatasetError: It is no object.
    """
    if not isinstance(value, dict):
        raise DatasetError(f"a record must be an object, got {type(value).__name__}")
    return value


def word(item: Fields, key: str) -> str | None:
    """Return a word, or None where the record has none.

    Raises:
        DatasetError: It is empty or no word.
    """
    value = item.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise DatasetError(f"{key!r} must be a word or null, got {_shortened(value)}")
    return value


def flag(item: Fields, key: str) -> bool:
    """Return a truth value; false where the record has none.

    Raises:
        DatasetError: It is neither true nor false.
    """
    value = item.get(key, False)
    if not isinstance(value, bool):
        raise DatasetError(f"{key!r} must be true or false, got {_shortened(value)}")
    return value


def positive(item: Fields, key: str) -> float | None:
    """Return a number above 0, or None where the record has none.

    Raises:
        DatasetError: It is no such number.
    """
    value = item.get(key)
    if value is not None and not (_is_number(value) and value > 0):
        raise DatasetError(f"{key!r} must be a number above 0 or null, got {_shortened(value)}")
    return value


def file_key(item: Fields) -> str:
    """Return the key of a record's clip: a path below the dataset, with slashes.

    Raises:
        DatasetError: There is none, or it points outside of the dataset.
    """
    key = word(item, "file")
    if key is None:
        raise DatasetError("the key 'file' is missing; it names the clip below the dataset")
    if _OUTSIDE.search(key):
        raise DatasetError(f"'file' must lie below the dataset's folder, got {_shortened(key)}")
    return key


def segments(item: Fields, key: str) -> Truth | None:
    """Return a list of ``[start, end]`` in seconds, in time order and joined.

    Returns:
        None where the record has no such key.

    Raises:
        DatasetError: It is no such list; the message names the entry.
    """
    rows = _rows(item, key)
    return tuple(merge(rows)) if rows else rows


def as_listed(item: Fields, key: str, truth: Truth) -> Truth | None:
    """Return a list of ``[start, end]`` as it stands; None if it is just ``truth``.

    Raises:
        DatasetError: It is no such list; the message names the entry.
    """
    rows = _rows(item, key)
    return None if rows == truth else rows


def counted_periods(item: Fields) -> Truth:
    """Return ``fake_periods``, which ``n_fakes`` must agree with where it is given.

    Raises:
        DatasetError: They do not agree, or are malformed.
    """
    periods = segments(item, "fake_periods") or ()
    num_rows = len(item.get("fake_periods") or ())
    num_fakes = item.get("n_fakes", num_rows)
    if num_fakes != num_rows:
        raise DatasetError(
            f"'n_fakes' is {num_fakes!r}, but 'fake_periods' has {num_rows}; correct one"
        )
    return periods


def without(item: Fields, used: Collection[str]) -> dict[str, object]:
    """Return the fields of a record but for some keys."""
    return {key: value for key, value in item.items() if key not in used}


def find_clip(root: Path, key: str, folders: Sequence[str], *, need_media: bool) -> Path:
    """Find the file of a record's clip.

    Args:
        root: The folder of the dataset.
        key: The clip's path below one of ``folders``.
        folders: Below ``root``, the dataset's own layout first, then what copies of it do.
        need_media: Without it the disk is not looked at, and the first is taken.

    Raises:
        DatasetError: The clip is in none of them.
    """
    if not need_media:
        return root.joinpath(folders[0], key)
    for folder in folders:
        path = root.joinpath(folder, key)
        if path.is_file():
            return path
    places = ", ".join(f"{folder or '.'}/" for folder in folders)
    raise DatasetError(
        f"'file': there is no {key} in {places} of the dataset; download it again, or do without "
        "clips (--features-only, need_media=False) if their features are there"
    )


def _rows(item: Fields, key: str) -> Truth | None:
    rows = item.get(key)
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise DatasetError(
            f"{key!r} must be a list of [start, end] in seconds, got {_shortened(rows)}"
        )
    return tuple(_segment(row, key, index) for index, row in enumerate(rows))


def _segment(row: object, key: str, index: int) -> Segment:
    if not (isinstance(row, list) and len(row) == _PAIR and all(map(_is_number, row))):
        raise DatasetError(
            f"'{key}[{index}]' must be [start, end] in seconds, got {_shortened(row)}"
        )
    if row[0] < 0:
        raise DatasetError(
            f"'{key}[{index}]' must not start before the clip, got {_shortened(row)}"
        )
    try:
        return Segment(float(row[0]), float(row[1]))
    except SegmentError as error:
        raise DatasetError(f"'{key}[{index}]': {error}") from error


def _is_number(value: object) -> bool:
    """Return whether it is a number of ordinary size; not NaN, and not true or false."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -_MOST_S < value < _MOST_S  # type: ignore[operator]
