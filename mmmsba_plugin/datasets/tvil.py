"""Reads TVIL: inpainted videos, so the video alone is fake and there is no audio.

``annotations/metadata.json`` is an object of records by name. Where the videos lie is not
documented, and most who use the dataset have its features only (``feats/tsn/rgb/<split>/``):
with ``need_media`` false the disk is not looked at, and a record's clip is taken to lie in the
folder of its split in the dataset's own word, so that features are found by ``valid/<name>.npy``.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import Field

from mmmsba_plugin.datasets.json_records import first, members
from mmmsba_plugin.datasets.reader import (
    Fields,
    OnError,
    ReaderConfig,
    Splits,
    counted_periods,
    file_key,
    find_clip,
    positive,
    walk,
    warn,
    without,
    word,
)
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.timebase import frames_to_s

_METADATA = Path("annotations", "metadata.json")
_USED = frozenset({"file", "fake_periods", "original"})


class TvilConfig(ReaderConfig):
    """Settings of the TVIL reader: root and split."""

    root: Path = Field(description="The folder with annotations/metadata.json in it.")


def read_tvil(config: TvilConfig, on_error: OnError = warn) -> Iterator[Record]:
    """Yield the records of TVIL, one by one, in the order of its metadata.

    Args:
        config: Where the dataset lies and what is wanted of it; its ``valid`` is ``dev``.
        on_error: Hears of each record that is left out; as for
            :func:`~mmmsba_plugin.datasets.lavdf.read_lavdf`.

    Yields:
        Records with ``key`` as the metadata has ``file``, of which no audio was altered.
        ``duration_s`` is as stated, or else by ``video_frames`` and ``fps``.

    Raises:
        DatasetError: There is no metadata, it is no object or breaks off, or no record is of
            the split that is wanted.
    """
    path = config.root / _METADATA
    if not path.is_file():
        raise DatasetError(
            f"there is no {_METADATA} in {config.root}; give the folder that holds it"
        )
    splits = Splits(config.split)
    yield from walk(members(path), partial(_record, config=config, splits=splits), on_error)
    splits.require(path)


def is_tvil(root: Path) -> bool:
    """Return whether a folder looks like TVIL; reads the first record."""
    path = root / _METADATA
    record = first(members(path)) if path.is_file() else None
    return isinstance(record, dict) and {"file", "fake_periods"} <= record.keys()


def _record(item: Fields, *, config: TvilConfig, splits: Splits) -> Record | None:
    key = file_key(item)
    own = word(item, "split")
    split = split_word(own) if own else None
    if not splits.wants(split):
        return None
    periods = counted_periods(item)
    folders = [own or "", "", "videos", f"videos/{own}"]
    return Record(
        media=find_clip(config.root, key, folders, need_media=config.need_media),
        truth=periods,
        split=split,
        audio_truth=(),
        visual_truth=periods,
        original=word(item, "original"),
        key=key,
        duration_s=_duration_s(item),
        extra=without(item, _USED),
    )


def _duration_s(item: Fields) -> float | None:
    stated_s, fps_hz = positive(item, "duration"), positive(item, "fps")
    num_frames = positive(item, "video_frames")
    if stated_s is None and num_frames is not None and fps_hz is not None:
        return frames_to_s(num_frames, fps_hz)
    return stated_s
