"""Reads LAV-DF, and whatever else is laid out like it.

A folder with ``metadata.json`` beside the clips: LAV-DF itself, the output of
``mmmsba forge``, a corpus of one's own. What LAV-DF's own files taught:

- ``duration`` is not the media's: it is 0.128 s more than the sound lasts, in every record.
  It is kept in ``extra`` and used for nothing; a few periods end after it and are left alone.
- One merged list of periods serves both modalities. It is told apart by ``modify_video`` and
  ``modify_audio``; a clip with both flags has both altered in every period.
- Whether a clip is forged follows from its periods, never from a folder's or a file's name.
"""

import json
import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import Field

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError, SegmentError
from mmmsba_plugin.segment import Segment, merge

#: The second is LAV-DF's own copy without transcripts.
_METADATA = ("metadata.json", "metadata.min.json")
_SPLITS = frozenset({"train", "dev", "test"})
_USED = frozenset(
    {"file", "fake_periods", "split", "identity", "original", "kind"}
    | {"visual_fake_segments", "audio_fake_segments"}
)
_PAIR = 2

_log = logging.getLogger(__name__)

#: Hears of each record that is left out.
OnError = Callable[[DatasetError], None]
_Truth = tuple[Segment, ...]


class LavDfConfig(Chapter):
    """Where a corpus in LAV-DF's layout lies."""

    root: Path = Field(description="The folder with metadata.json in it.")
    split: str | None = Field(
        default=None, description="Only this split: train, dev or test; all if not given."
    )


def read_lavdf(
    root: Path, *, split: str | None = None, on_error: OnError | None = None
) -> Iterator[Record]:
    """Yield the records of a corpus, one by one, in the order of its metadata.

    Args:
        root: The folder with ``metadata.json`` (or ``metadata.min.json``) in it.
        split: Only records of this split; all if not given.
        on_error: Hears of each record that is left out, because it is malformed or its clip
            is not there. Without it, such records are logged as warnings.
            :func:`refuse` makes them an end of reading.

    Yields:
        Records whose ``truth`` is joined over modalities, with ``key`` as the metadata has
        ``file``.

    Raises:
        DatasetError: There is no metadata, it is no list, or no record is of ``split``.
    """
    path = _metadata_of(root)
    listed = read_list(path)
    on_error = on_error or _warn
    found: set[str | None] = set()
    for index, item in enumerate(listed):
        try:
            record = _record(item, root)
        except DatasetError as error:
            on_error(DatasetError(f"{path}, record {index}: {error}"))
            continue
        found.add(record.split)
        if split is None or record.split == split:
            yield record
    if split is not None and split not in found:
        words = ", ".join(sorted(str(word) for word in found)) or "none"
        raise DatasetError(f"{path} has no split {split!r}; it has: {words}")


def unreadable_records(root: Path) -> list[DatasetError]:
    """Return why each record that :func:`read_lavdf` leaves out is left out."""
    errors: list[DatasetError] = []
    for _ in read_lavdf(root, on_error=errors.append):
        pass
    return errors


def refuse(error: DatasetError) -> NoReturn:
    """End reading at the first record that is malformed; for ``on_error``."""
    raise error


def _warn(error: DatasetError) -> None:
    _log.warning("left out: %s", error)


def _metadata_of(root: Path) -> Path:
    for name in _METADATA:
        if (root / name).is_file():
            return root / name
    raise DatasetError(
        f"there is no {' or '.join(_METADATA)} in {root}; give the folder that holds it "
        "beside the clips"
    )


def read_list(path: Path) -> list[Any]:
    """Return what a metadata file lists.

    Raises:
        DatasetError: It cannot be read as JSON, or holds no list.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON ({error}); copy it again") from error
    if not isinstance(listed, list):
        raise DatasetError(f"{path} must hold a list of records, got {type(listed).__name__}")
    return listed


def _record(item: object, root: Path) -> Record:
    if not isinstance(item, dict):
        raise DatasetError(f"a record must be an object, got {type(item).__name__}")
    key = _text(item, "file")
    if key is None:
        raise DatasetError("the key 'file' is missing; it names the clip beside the metadata")
    visual, audio = _truths(item)
    return Record(
        media=_clip(root, key),
        truth=tuple(merge([*visual, *audio])),
        split=_text(item, "split") or _split_of(key),
        identity=_text(item, "identity"),
        audio_truth=audio,
        visual_truth=visual,
        original=_text(item, "original"),
        kind=_text(item, "kind"),
        key=key,
        extra={name: value for name, value in item.items() if name not in _USED},
    )


def _clip(root: Path, key: str) -> Path:
    """Return where a clip lies; a corpus cannot point at files outside of it."""
    path = root / key
    if Path(key).is_absolute() or ".." in Path(key).parts:
        raise DatasetError(f"'file' must lie below the metadata's folder, got {key!r}")
    if not path.is_file():
        raise DatasetError(f"'file': there is no {key} beside the metadata; download it again")
    return path


def _split_of(key: str) -> str | None:
    first = Path(key).parts[0]
    return first if first in _SPLITS else None


def _truths(item: dict[str, Any]) -> tuple[_Truth, _Truth]:
    """Return where the picture and where the sound was altered."""
    periods = _segments(item, "fake_periods")
    num_fakes = item.get("n_fakes", len(periods))
    if num_fakes != len(periods):
        raise DatasetError(
            f"'n_fakes' is {num_fakes!r}, but 'fake_periods' has {len(periods)}; correct one"
        )
    if "visual_fake_segments" in item or "audio_fake_segments" in item:
        return _segments(item, "visual_fake_segments"), _segments(item, "audio_fake_segments")
    visual, audio = _flag(item, "modify_video"), _flag(item, "modify_audio")
    if periods and not (visual or audio):
        raise DatasetError(
            "'fake_periods' has entries, but neither 'modify_video' nor 'modify_audio' is true"
        )
    return periods if visual else (), periods if audio else ()


def _segments(item: dict[str, Any], key: str) -> _Truth:
    rows = item.get(key)
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise DatasetError(f"{key!r} must be a list of [start, end] in seconds, got {rows!r}")
    return tuple(merge(_segment(row, key, i) for i, row in enumerate(rows)))


def _segment(row: object, key: str, index: int) -> Segment:
    if not (isinstance(row, list) and len(row) == _PAIR and all(map(_is_seconds, row))):
        raise DatasetError(f"'{key}[{index}]' must be [start, end] in seconds, got {row!r}")
    try:
        return Segment(float(row[0]), float(row[1]))
    except SegmentError as error:
        raise DatasetError(f"'{key}[{index}]': {error}") from error


def _is_seconds(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(float(value))  # type: ignore[arg-type]


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise DatasetError(f"{key!r} must be a word or null, got {value!r}")
    return value


def _flag(item: dict[str, Any], key: str) -> bool:
    value = item.get(key, False)
    if not isinstance(value, bool):
        raise DatasetError(f"{key!r} must be true or false, got {value!r}")
    return value
