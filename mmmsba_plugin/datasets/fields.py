"""Takes a record's keys at their word, and names the one that cannot be.

A corpus's metadata were written by a script and changed by hand. What is not as the layout
says is an error that names its key; a value is never guessed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmsba_plugin.errors import DatasetError, SegmentError
from mmmsba_plugin.segment import Segment, merge

Truth = tuple[Segment, ...]
Fields = Mapping[str, Any]

_PAIR = 2
#: An absolute path, of Windows too, or one that climbs; cheaper than a path object, where a
#: corpus has a million.
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")
#: No clip lasts longer than 30 years; a number beyond is a unit gone wrong.
_MOST_S = 1e9


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
        raise DatasetError(f"{key!r} must be a word or null, got {value!r}")
    return value


def flag(item: Fields, key: str) -> bool:
    """Return a truth value; false where the record has none.

    Raises:
        DatasetError: It is neither true nor false.
    """
    value = item.get(key, False)
    if not isinstance(value, bool):
        raise DatasetError(f"{key!r} must be true or false, got {value!r}")
    return value


def positive(item: Fields, key: str) -> float | None:
    """Return a number above 0, or None where the record has none.

    Raises:
        DatasetError: It is no such number.
    """
    value = item.get(key)
    if value is not None and not (_is_number(value) and value > 0):
        raise DatasetError(f"{key!r} must be a number above 0 or null, got {value!r}")
    return value


def file_key(item: Fields) -> str:
    """Return what the record calls its clip: a path below the corpus, with slashes.

    Raises:
        DatasetError: There is none, or it points outside of the corpus.
    """
    key = word(item, "file")
    if key is None:
        raise DatasetError("the key 'file' is missing; it names the clip below the corpus")
    if _OUTSIDE.search(key):
        raise DatasetError(f"'file' must lie below the corpus's folder, got {key!r}")
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
    """Return what the record says under any other key."""
    return {key: value for key, value in item.items() if key not in used}


def find_clip(root: Path, key: str, folders: Sequence[str], *, need_media: bool) -> Path:
    """Return where a clip lies.

    Args:
        root: The folder of the corpus.
        key: The clip's path below one of ``folders``.
        folders: Below ``root``, the corpus's own layout first, then what copies of it do.
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
        f"'file': there is no {key} in {places} of the corpus; download it again, or do without "
        "clips (--features-only, need_media=False) if their features are there"
    )


def _rows(item: Fields, key: str) -> Truth | None:
    rows = item.get(key)
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise DatasetError(f"{key!r} must be a list of [start, end] in seconds, got {rows!r}")
    return tuple(_segment(row, key, index) for index, row in enumerate(rows))


def _segment(row: object, key: str, index: int) -> Segment:
    if not (isinstance(row, list) and len(row) == _PAIR and all(map(_is_number, row))):
        raise DatasetError(f"'{key}[{index}]' must be [start, end] in seconds, got {row!r}")
    if row[0] < 0:
        raise DatasetError(f"'{key}[{index}]' must not start before the clip, got {row!r}")
    try:
        return Segment(float(row[0]), float(row[1]))
    except SegmentError as error:
        raise DatasetError(f"'{key}[{index}]': {error}") from error


def _is_number(value: object) -> bool:
    """Whether it is a number of ordinary size; not NaN, and not true or false."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -_MOST_S < value < _MOST_S  # type: ignore[operator]
