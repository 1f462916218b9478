"""Reads AV-Deepfake1M and AV-Deepfake1M++: a list for each split, clips by person.

Both have ``train_metadata.json`` and ``val_metadata.json`` beside ``train/`` and ``val/``. The
truth of their test clips (``test_files.txt``; ``testA_files.txt`` and ``testB_files.txt``) is
private, so those are no records: a clip without truth is not a real one. What the files and
those who use them taught:

- Times are seconds; frames come at 25 Hz throughout, and no record says so.
- In some records of AV-Deepfake1M the list of the modality that ``modify_type`` calls
  untouched repeats a segment of the other. A segment that the other list has too is taken for
  that copy and dropped, which leaves the joined truth as it was; any other contradiction is an
  error.
- Some tools write ``both-modified`` for ``both_modified``.
- ``original`` of a real clip is where it was cut from, outside of the dataset; it is kept in
  ``extra``.
- AV-Deepfake1M++ has one JSON file beside each clip as well, AV-Deepfake1M below
  ``train_metadata/``. They serve where the list is not there.
- Its archives, unpacked in the folder of their split, give ``val/val/``.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from mmmsba_plugin.datasets.json_records import Item, first, listed, whole
from mmmsba_plugin.datasets.reader import (
    Fields,
    OnError,
    ReaderConfig,
    Truth,
    as_listed,
    file_key,
    find_clip,
    positive,
    segments,
    walk,
    warn,
    without,
    word,
)
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import merge
from mmmsba_plugin.timebase import frames_to_s

#: Frames a second of every clip; the dataset's own tools assume it.
FPS_HZ = 25
#: Share of the training people who serve development under the paper's protocol.
HELD_OUT = 0.15

#: Whether the video and whether the audio was altered, by ``modify_type``.
_ALTERED = {
    "real": (False, False),
    "visual_modified": (True, False),
    "audio_modified": (False, True),
    "both_modified": (True, True),
}
#: The dataset's own split behind each of ours; None is not published.
_PUBLISHED: dict[str, dict[str, str | None]] = {
    "official": {"train": "train", "dev": "val", "test": None},
    "paper": {"train": "train", "dev": "train", "test": "val"},
}
_USED = frozenset(
    {"file", "modify_type", "fake_segments"} | {"visual_fake_segments", "audio_fake_segments"}
)
_USED_FAKE = _USED | {"original"}
#: One of them is in every record that has truth, and in no other dataset.
_LABELS = frozenset({"modify_type", "fake_segments"})
#: Who is seen, by the path: VoxCeleb2's person, and what stands for one in the other sources
#: of AV-Deepfake1M++ (LRS3's video, the subject of a silent clip).
_IDENTITY = re.compile(
    r"(?:^|/)(id\d{4,}(?=/)|lrs3/[^/]+(?=/)|silent_videos/subject_\d+(?=[/_]))", re.ASCII
)
_SOURCES = ("vox_celeb_2/", "lrs3/", "silent_videos/")


class AvDeepfake1mConfig(ReaderConfig):
    """Settings of the AV-Deepfake1M and AV-Deepfake1M++ reader: root and use of its splits."""

    root: Path = Field(description="The folder with train_metadata.json or val_metadata.json.")
    protocol: Literal["official", "paper"] = Field(
        default="official",
        description="official: train as published, val is dev, test is private. paper (MMMS-BA): "
        "15 % of the people of train are dev, the rest train; val is test.",
    )
    seed: int = Field(default=0, ge=0, description="Decides who is dev under the paper's protocol.")

    @property
    def protocol_label(self) -> str:
        """Label that stands beside numbers, as that of FakeAVCeleb does."""
        return f"paper (seed {self.seed})" if self.protocol == "paper" else self.protocol


def read_avdeepfake1m(config: AvDeepfake1mConfig, on_error: OnError = warn) -> Iterator[Record]:
    """Yield the records of AV-Deepfake1M or AV-Deepfake1M++, one by one, train before val.

    The metadata are never held whole, so memory does not grow with the dataset.

    Args:
        config: Where the dataset lies and what is wanted of it.

            - Protocol ``official``: split ``train`` is the dataset's train, ``dev`` its val.
              Its test has no truth; if ``test_metadata.json`` is there nevertheless, it is
              read as ``test``.
            - Protocol ``paper``: the dataset's train is dealt into ``train`` and ``dev``, 85 to
              15, by a hash of ``seed`` and person, so that nobody is in both; its val is
              ``test``.
        on_error: Hears of each record that is left out; as for
            :func:`~mmmsba_plugin.datasets.lavdf.read_lavdf`.

    Yields:
        Records with ``key`` as the metadata has ``file``, ``kind`` as ``modify_type`` and
        ``duration_s`` by the number of frames. ``extra`` has the protocol's name.

    Raises:
        DatasetError: There is no metadata, it breaks off, or the split that is wanted is
            private or not there.

    Source:
        Protocol ``paper``: datasets of Katamneni & Rattani 2024, who test on the official val
        because the official test is not released. They do not say whether their 85 and 15 %
        share people; here they do not.
    """
    for published in _published(config):
        make = partial(_record, config=config, published=published)
        yield from walk(_items(config.root, published, on_error), make, on_error)


def is_avdeepfake1m(root: Path) -> bool:
    """Return whether a folder looks like AV-Deepfake1M; reads the first record."""
    return _is_plusplus(root) is False


def is_avdeepfake1m_plusplus(root: Path) -> bool:
    """Return whether a folder looks like AV-Deepfake1M++; reads the first record."""
    return _is_plusplus(root) is True


def identity_of(key: str) -> str | None:
    """Return the identity in a clip's path; None if it has none.

    Example:
        >>> identity_of("id00012/21Uxsk56VDQ/00001/real.mp4")
        'id00012'
    """
    match = _IDENTITY.search(key)
    return match[1] if match else None


def _published(config: AvDeepfake1mConfig) -> list[str]:
    """Return the dataset's own splits that have to be read.

    Raises:
        DatasetError: There is none of them.
    """
    serves = dict(_PUBLISHED[config.protocol])
    if (config.root / "test_metadata.json").is_file() and serves["test"] is None:
        serves["test"] = "test"
    if config.split is not None and config.split not in serves:
        raise DatasetError(
            f"{config.root} has no split {config.split!r}; under the {config.protocol} protocol "
            f"it has: {', '.join(serves)}"
        )
    splits = [serves[config.split]] if config.split else list(dict.fromkeys(serves.values()))
    if splits == [None]:
        lists = ", ".join(sorted(path.name for path in config.root.glob("test*_files.txt")))
        raise DatasetError(
            f"the labels of the test clips of {config.root} are private"
            f"{f' ({lists})' if lists else ''}; measure on --split dev, or as MMMS-BA does on the "
            f"official val, with --split test --data 'av-deepfake1m[protocol=paper]={config.root}'"
            ", or hand reports of the clips in to the dataset's own benchmark"
        )
    there = [
        own
        for own in splits
        if own
        and ((config.root / f"{own}_metadata.json").is_file() or _sidecar_folders(config.root, own))
    ]
    if not there:
        names = " or ".join(f"{own}_metadata.json" for own in splits if own)
        raise DatasetError(
            f"there is no {names} in {config.root}, nor a .json file for each clip; give the "
            "folder that holds it beside train/ and val/"
        )
    return there


def _items(root: Path, published: str, on_error: OnError) -> Iterator[Item]:
    path = root / f"{published}_metadata.json"
    return listed(path) if path.is_file() else _sidecars(root, published, on_error)


def _sidecars(root: Path, published: str, on_error: OnError) -> Iterator[Item]:
    """Yield the records that are a file each, by path; the path names the clip."""
    for folder in _sidecar_folders(root, published)[:1]:
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for path in (Path(parent, name) for name in sorted(names) if name.endswith(".json")):
                try:
                    item = whole(path)
                except DatasetError as error:
                    on_error(error)
                    continue
                if isinstance(item.value, dict):
                    key = path.relative_to(folder).with_suffix(".mp4").as_posix()
                    item = item._replace(value={"file": key, **item.value})
                yield item


def _sidecar_folders(root: Path, published: str) -> list[Path]:
    # A folder without the split's name, such as data/, may hold the other split's too.
    places = (place for place in _places(published) if published in place)
    names = (f"{published}_metadata", *places)
    return [root / name for name in names if _has_sidecars(root / name)]


def _has_sidecars(folder: Path) -> bool:
    """Return whether there is one beside the first clip: there may be a million clips and none."""
    for _, folders, names in os.walk(folder):
        folders.sort()
        suffixes = {Path(name).suffix for name in names}
        if suffixes & {".json", ".mp4"}:
            return ".json" in suffixes
    return False


def _places(published: str, key: str = "") -> list[str]:
    """List the folders that the clips of a split may lie in, below the dataset."""
    doubled = key.startswith(f"{published}/")
    own = ["", published] if doubled else [published, f"{published}/{published}", ""]
    return [*own, *(f"data/{place}".rstrip("/") for place in own if "/" not in place)]


def _is_plusplus(root: Path) -> bool | None:
    """Return whether a folder holds AV-Deepfake1M++; None if neither edition lies there."""
    for published in ("train", "val"):
        record = first(_items(root, published, on_error=lambda _: None))
        if isinstance(record, dict) and "file" in record and _LABELS & record.keys():
            if "video_model" in record or str(record["file"]).startswith(_SOURCES):
                return True
            return any((root / f"test{letter}_files.txt").is_file() for letter in "AB")
    return None


def _record(item: Fields, *, config: AvDeepfake1mConfig, published: str) -> Record | None:
    key = file_key(item)
    split = _split(key, published, config)
    if config.split not in {None, split}:
        return None
    modify_type = word(item, "modify_type")
    kind = modify_type.replace("-", "_") if modify_type else None
    if kind is not None and kind not in _ALTERED:
        raise DatasetError(
            f"'modify_type' must be one of {', '.join(_ALTERED)}, got {modify_type!r}"
        )
    visual, audio = _ground_truth(item, kind)
    num_frames = positive(item, "video_frames")
    truth = tuple(merge([*visual, *audio]))
    return Record(
        media=find_clip(config.root, key, _places(published, key), need_media=config.need_media),
        truth=truth,
        split=split,
        identity=identity_of(key),
        audio_truth=audio,
        visual_truth=visual,
        original=word(item, "original") if truth else None,
        kind=kind,
        key=key,
        duration_s=None if num_frames is None else frames_to_s(num_frames, FPS_HZ),
        listed=as_listed(item, "fake_segments", truth),
        extra={**without(item, _USED_FAKE if truth else _USED), "protocol": config.protocol_label},
    )


def _split(key: str, published: str, config: AvDeepfake1mConfig) -> str:
    """Return our split for a clip of the dataset's own split."""
    serves = _PUBLISHED[config.protocol]
    ours = [split for split, own in serves.items() if own == published] or [published]
    if ours == ["train", "dev"]:
        # A number that the identity alone decides, the same on every machine. Clips of nobody
        # known are dealt by folder, so that a clip and its fakes stay together.
        identity = identity_of(key) or str(PurePosixPath(key).parent)
        digest = hashlib.blake2b(f"{config.seed}:{identity}".encode(), digest_size=8).digest()
        return "dev" if int.from_bytes(digest, "big") / 2**64 < HELD_OUT else "train"
    return ours[0]


def _ground_truth(item: Fields, kind: str | None) -> tuple[Truth, Truth]:
    """Read the manipulated segments of video and audio; the segments decide."""
    joined = segments(item, "fake_segments")
    visual = _of_modality(item, "visual", joined, kind)
    audio = _of_modality(item, "audio", joined, kind)
    if joined is not None and bool(joined) != bool(visual or audio):
        raise DatasetError(
            "'fake_segments' and the segments of both modalities do not agree on whether the "
            "clip is fake; correct one"
        )
    return (visual, audio) if kind is None else _without_copies(kind, visual, audio)


def _of_modality(item: Fields, modality: str, joined: Truth | None, kind: str | None) -> Truth:
    key = f"{modality}_fake_segments"
    stated = segments(item, key)
    if stated is not None:
        return stated
    if joined is None and kind != "real":
        raise DatasetError(
            f"{key!r} and 'fake_segments' are both missing, so the clip has no truth to measure "
            "or learn from; leave it out of the list"
        )
    if joined and kind is None:
        raise DatasetError(
            f"{key!r} and 'modify_type' are both missing, so nobody says which modality was "
            "altered; add one"
        )
    altered = kind is not None and _ALTERED[kind][modality == "audio"]
    return joined if joined and altered else ()


def _without_copies(kind: str, visual: Truth, audio: Truth) -> tuple[Truth, Truth]:
    """Return the segments without copies in the modality that was not altered."""

    def own(segments: Truth, others: Truth) -> Truth:
        return tuple(
            s
            for s in segments
            if not any(o.start_s <= s.start_s and s.end_s <= o.end_s for o in others)
        )

    alters_visual, alters_audio = _ALTERED[kind]
    own_visual = own(visual, audio) if alters_audio and not alters_visual else visual
    own_audio = own(audio, visual) if alters_visual and not alters_audio else audio
    if (bool(own_visual), bool(own_audio)) != _ALTERED[kind]:
        raise DatasetError(
            f"'modify_type' is {kind!r}, but 'visual_fake_segments' has {len(visual)} and "
            f"'audio_fake_segments' {len(audio)}; correct one"
        )
    return own_visual, own_audio
