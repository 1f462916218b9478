"""Writes metadata in LAV-DF's layout, with a few keys more.

LAV-DF knows one merged list of fake periods; ``visual_fake_segments``,
``audio_fake_segments`` and ``modify_type`` tell the modalities apart, as AV-Deepfake1M does. A
reader of LAV-DF passes over what it does not know.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmsba_plugin.files import atomic_write
from mmmsba_plugin.segment import Segment, merge

METADATA = "metadata.json"

#: Times are rounded to microseconds: finer than an audio sample, and the same on every
#: machine.
_DECIMALS = 6

#: AV-Deepfake1M's words for what was altered, by whether the frame and the audio was.
_MODIFIED = {
    (False, False): "real",
    (True, False): "visual_modified",
    (False, True): "audio_modified",
    (True, True): "both_modified",
}

Entry = dict[str, Any]


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
        "modify_type": _MODIFIED[bool(visual), bool(audio)],
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
