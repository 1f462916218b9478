"""Reads LAV-DF, and whatever else is laid out like it.

A folder with ``metadata.json`` beside the clips: LAV-DF itself, the output of
``mmmsba forge``, a dataset of one's own. What LAV-DF's own files taught:

- ``duration`` is not the media's: it is 0.128 s more than the audio lasts, in every record.
  It is kept in ``extra``; a few periods end after it and are left alone.
- One merged list of periods serves both modalities. It is told apart by ``modify_video`` and
  ``modify_audio``; a clip with both flags has both altered in every period.
- Whether a clip is fake follows from its periods, never from a folder's or a file's name.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import Field

from mmmsba_plugin.datasets.json_records import first, listed
from mmmsba_plugin.datasets.lavdf_metadata import LISTS, MetadataEntry
from mmmsba_plugin.datasets.reader import (
    Fields,
    OnError,
    ReaderConfig,
    Splits,
    as_listed,
    find_clip,
    positive,
    walk,
    warn,
    without,
)
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import merge
from mmmsba_plugin.timebase import frames_to_s

#: Frames a second of every clip of LAV-DF.
FPS_HZ = 25

#: The second is LAV-DF's own copy without transcripts.
_METADATA = ("metadata.json", "metadata.min.json")
_USED = frozenset(
    {"file", "fake_periods", "split", "identity", "original", "kind"}
    | {"visual_fake_segments", "audio_fake_segments"}
)
#: LAV-DF's ``duration`` is some 0.1 s off; one that is farther off tells of another rate.
_OFF_S = 0.2


class LavDfConfig(ReaderConfig):
    """Settings of the LAV-DF reader: root and split."""

    root: Path = Field(description="The folder with metadata.json in it.")
    use: str = Field(
        default="all",
        description="Only records that state this use, such as 'sync' for clips that serve to "
        "learn lip-sync alone; those that state none are for 'all'.",
    )


def read_lavdf(
    root: Path,
    *,
    split: str | None = None,
    use: str = "all",
    need_media: bool = True,
    on_error: OnError = warn,
) -> Iterator[Record]:
    """Yield the records of a dataset, one by one, in the order of its metadata.

    The metadata are never held whole, so memory does not grow with the dataset.

    Args:
        root: The folder with ``metadata.json`` (or ``metadata.min.json``) in it.
        split: Only records of this split, by our word or another for it; all if not given.
        use: Only records that state this ``use``; those that state none are for ``all``.
        need_media: Whether a record whose clip is not there is left out; without it the disk
            is not looked at.
        on_error: Hears of each record of the wanted split that is left out, because it is
            malformed or its clip is not there. By default such records are logged as
            warnings; :func:`~mmmsba_plugin.datasets.reader.refuse` makes them an end of
            reading.

    Yields:
        Records whose ``truth`` is joined over modalities, with ``key`` as the metadata has
        ``file``. ``duration_s`` is that of the frames at LAV-DF's 25 Hz; where the stated
        ``duration`` is farther off than LAV-DF's ever is, the clip has another rate, as in
        datasets of one's own, and what is stated stands.

    Raises:
        DatasetError: There is no metadata, it is no list or breaks off, or no record is of
            ``split``.
    """
    path = _metadata_of(root)
    if path is None:
        raise DatasetError(
            f"there is no {' or '.join(_METADATA)} in {root}; give the folder that holds it "
            "beside the clips"
        )
    splits = Splits(split_word(split) if split else None)
    make = partial(_record, root=root, splits=splits, use=use, need_media=need_media)
    yield from walk(listed(path), make, on_error)
    splits.require(path)


def read_as_set(config: LavDfConfig, on_error: OnError = warn) -> Iterator[Record]:
    """Yield the records that settings ask for; see :func:`read_lavdf`."""
    return read_lavdf(
        config.root,
        split=config.split,
        use=config.use,
        need_media=config.need_media,
        on_error=on_error,
    )


def is_lavdf(root: Path) -> bool:
    """Return whether a folder's metadata lists clips as LAV-DF does; reads the first record."""
    path = _metadata_of(root)
    record = first(listed(path)) if path else None
    # One that states its truth as AV-Deepfake1M does would read as real here.
    is_foreign = isinstance(record, dict) and record.keys() & set(LISTS) == {"fake_segments"}
    return isinstance(record, dict) and "file" in record and not is_foreign


def _metadata_of(root: Path) -> Path | None:
    paths = (root / name for name in _METADATA)
    return next((path for path in paths if path.is_file()), None)


def _record(
    item: Fields, *, root: Path, splits: Splits, use: str, need_media: bool
) -> Record | None:
    entry = MetadataEntry(item)
    split = entry.split
    if not splits.wants(split) or entry.use != use:
        return None
    visual, audio = entry.ground_truth()
    truth = tuple(merge([*visual, *audio]))
    return Record(
        media=find_clip(root, entry.key, [""], need_media=need_media),
        truth=truth,
        split=split,
        identity=entry.identity,
        audio_truth=audio,
        visual_truth=visual,
        original=entry.original,
        kind=entry.kind,
        key=entry.key,
        duration_s=_duration_s(item),
        listed=as_listed(item, "fake_periods", truth),
        extra=without(item, _USED),
    )


def _duration_s(item: Fields) -> float | None:
    stated_s, num_frames = positive(item, "duration"), positive(item, "video_frames")
    if num_frames is None:
        return stated_s
    frames_s = frames_to_s(num_frames, FPS_HZ)
    off_s = 0.0 if stated_s is None else abs(frames_s - stated_s)
    return stated_s if off_s > _OFF_S else frames_s
