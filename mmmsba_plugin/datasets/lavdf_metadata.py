"""Parses and writes entries of metadata in LAV-DF's layout, with a few keys more.

LAV-DF knows one merged list of fake periods; ``visual_fake_segments``,
``audio_fake_segments`` and ``modify_type`` tell the modalities apart, as AV-Deepfake1M does. A
reader of LAV-DF passes over what it does not know. Whoever reads such a file parses it here:
the reader of datasets, the evaluation by a file of truth, and the forge.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.avdeepfake1m import identity_of
from mmmsba_plugin.datasets.reader import (
    Truth,
    counted_periods,
    fields,
    file_key,
    flag,
    segments,
    word,
)
from mmmsba_plugin.datasets.splits import SPLITS, split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.files import atomic_write
from mmmsba_plugin.segment import Segment, merge

METADATA = "metadata.json"

#: Times are rounded to microseconds: finer than an audio sample, and the same on every
#: machine.
_DECIMALS = 6

#: What was altered in a fake clip, by whether the frames and the audio were.
_ALTERED = {
    (True, True): "both",
    (True, False): "visual",
    (False, True): "audio",
    (False, False): "fake",
}
#: Where an entry lists its fake segments: AV-Deepfake1M's word, and that of LAV-DF and TVIL.
LISTS = ("fake_segments", "fake_periods")
_BY_MODALITY = ("visual_fake_segments", "audio_fake_segments")

Entry = dict[str, Any]


class MetadataEntry:
    """One clip in the metadata of LAV-DF, or of its kin by AV-Deepfake1M and TVIL.

    A value is parsed when it is asked for, because nobody needs all of them: of a million
    entries, those of another split cost two look-ups. Each raises a :class:`DatasetError` that
    names the key if it is malformed.

    Args:
        value: What the file holds.

    Attributes:
        values: The keys and values of the entry.
        key: The clip's path below the dataset, with slashes.

    Raises:
        DatasetError: It is no object, or names no clip below the dataset.
    """

    __slots__ = ("key", "values")

    def __init__(self, value: object) -> None:
        self.values = fields(value)
        self.key = file_key(self.values)

    @property
    def split(self) -> str | None:
        """Split that is stated, in our word, or else the one that the clip's folder names."""
        if stated := word(self.values, "split"):
            return split_word(stated)
        by_folder = split_word(self.key.partition("/")[0])
        return by_folder if by_folder in SPLITS else None

    @property
    def identity(self) -> str | None:
        """Identity that is stated, or else the one in the clip's path."""
        return word(self.values, "identity") or identity_of(self.key)

    @property
    def original(self) -> str | None:
        """Name of the real clip that it was made from."""
        return word(self.values, "original")

    @property
    def kind(self) -> str | None:
        """Kind of clip: the way it was made, in the dataset's words."""
        return word(self.values, "kind")

    @property
    def use(self) -> str:
        """Purpose of the clip; ``all`` where none is stated."""
        return word(self.values, "use") or "all"

    @property
    def modify_type(self) -> str | None:
        """Manipulated modality in AV-Deepfake1M's word, with an underscore."""
        modify_type = word(self.values, "modify_type")
        return modify_type.replace("-", "_") if modify_type else None

    @property
    def fake(self) -> bool:
        """True if any key of the entry says that the clip is fake."""
        return any(self.values.get(key) for key in ("n_fakes", *LISTS, *_BY_MODALITY))

    @property
    def altered(self) -> str:
        """Manipulated modality: by segments, else by flags, else by type."""
        if not self.fake:
            return "real"
        lists = [self.values.get(key) for key in _BY_MODALITY]
        if any(rows is not None for rows in lists):
            return _ALTERED[bool(lists[0]), bool(lists[1])]
        if "modify_video" in self.values or "modify_audio" in self.values:
            return _ALTERED[flag(self.values, "modify_video"), flag(self.values, "modify_audio")]
        modality, is_modified, _ = (self.modify_type or "").partition("_modified")
        return modality if is_modified else "fake"

    def ground_truth(self) -> tuple[Truth, Truth]:
        """Return the fake segments of video and of audio, each in time order and joined.

        Raises:
            DatasetError: They are malformed, or do not agree with one another or the flags.
        """
        values = self.values
        if "fake_segments" in values and "fake_periods" not in values:
            raise DatasetError(
                "'fake_periods' is missing, but there are 'fake_segments', as AV-Deepfake1M has "
                "them; use its reader, av-deepfake1m"
            )
        periods = counted_periods(values)
        by_modality = [segments(values, key) for key in _BY_MODALITY]
        if by_modality == [None, None]:
            visual, audio = flag(values, "modify_video"), flag(values, "modify_audio")
            if periods and not (visual or audio):
                raise DatasetError(
                    "'fake_periods' has entries, but neither 'modify_video' nor 'modify_audio' is "
                    "true; say which was altered"
                )
            return periods if visual else (), periods if audio else ()
        visual_truth, audio_truth = (truth or () for truth in by_modality)
        if "fake_periods" in values and bool(periods) != bool(visual_truth or audio_truth):
            raise DatasetError(
                "'fake_periods' and the segments of both modalities do not agree on whether the "
                "clip is fake; correct one"
            )
        return visual_truth, audio_truth


def entry(
    *,
    file: str,
    split: str | None,
    identity: str,
    kind: str,
    duration_s: float,
    num_frames: int,
    num_audio_samples: int,
    original: str | None = None,
    visual: Sequence[Segment] = (),
    audio: Sequence[Segment] = (),
    details: Mapping[str, Any] | None = None,
) -> Entry:
    """Build the entry of one clip in ``metadata.json``.

    Args:
        file: The clip's path below the dataset, with slashes.
        split: Which split it serves; None leaves that open.
        identity: Who is seen.
        kind: ``real``, or how it was made.
        duration_s: How long it lasts, in seconds.
        num_frames: How many frames it has.
        num_audio_samples: How many audio samples it has; 0 without audio.
        original: The real clip that it was made from.
        visual: Where the frames were altered.
        audio: Where the audio was altered.
        details: Whatever else is known, by keys that nobody else uses.
    """
    periods = merge([*visual, *audio])
    return {
        "file": file,
        "n_fakes": len(periods),
        "fake_periods": _rows(periods),
        "duration": round(duration_s, _DECIMALS),
        "original": original,
        "modify_video": bool(visual),
        "modify_audio": bool(audio),
        "modify_type": f"{_ALTERED[bool(visual), bool(audio)]}_modified" if periods else "real",
        "split": split,
        "video_frames": num_frames,
        "audio_channels": int(num_audio_samples > 0),
        "audio_frames": num_audio_samples,
        "identity": identity,
        "kind": kind,
        "visual_fake_segments": _rows(visual),
        "audio_fake_segments": _rows(audio),
        **(details or {}),
    }


def write_json(path: Path, value: object) -> None:
    """Write JSON that appears at ``path`` only once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=1) + "\n")


def _rows(segments: Sequence[Segment]) -> list[list[float]]:
    return [[round(s.start_s, _DECIMALS), round(s.end_s, _DECIMALS)] for s in segments]
