"""Measure whether the voice of a clip is that of the face: does the mouth move when it sounds?

A narrator, an interviewer out of shot or a dubbed voice moves no lips that are seen. From such
a clip nothing is to be learned about sync, so its metadata say so (``speaker_visible``).

The measure is that of :mod:`mmmsba_plugin.tracks.speaker`, which says how far it can be trusted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import samples_to_s
from mmmsba_plugin.tracks.speaker import LEAST_AGREEMENT, lip_points, measure_agreement

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class SpeakerVisibility:
    """How well the voice of a clip goes with the mouth that is seen.

    Attributes:
        agreement: Correlation of the lips' speed with the level of the audio, in [-1, 1]; None
            where the face is seen, or the audio lasts, for too short.
    """

    agreement: float | None

    @property
    def speaker_visible(self) -> bool | None:
        """False where the voice is taken for that of somebody out of shot; None if unknown."""
        return None if self.agreement is None else self.agreement >= LEAST_AGREEMENT

    def to_metadata(self) -> dict[str, Any]:
        """Return its entries of the metadata; none where nothing is known."""
        if self.agreement is None:
            return {}
        return {
            "lip_audio_agreement": round(self.agreement, 3),
            "speaker_visible": self.speaker_visible,
        }


def measure_visibility(face: FaceTrace, audio: Audio, *, sample_rate_hz: int) -> SpeakerVisibility:
    """Measure whether the mouth that is seen moves while there is speech.

    Args:
        face: The face mesh in each frame.
        audio: The audio of the clip, shape ``(sample,)``; it may be empty.
        sample_rate_hz: Sample rate, in Hz.
    """
    times_s, speeds = compute_lip_speeds(face)
    end_s = min(float(face.edges_s[-1]), samples_to_s(audio.size, sample_rate_hz))
    agreement = measure_agreement(
        times_s, speeds, audio, end_s=end_s, sample_rate_hz=sample_rate_hz
    )
    return SpeakerVisibility(agreement)


def compute_lip_speeds(face: FaceTrace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the speed of the lips' points against their middle.

    Returns:
        Times, in seconds, and speeds, in px of the aligned face a second, both of shape
        ``(change,)``; one for each two consecutive frames of one face.
    """
    lips = lip_points(face.points)
    times_s = (face.edges_s[:-1] + face.edges_s[1:]) / 2
    same = (face.track[1:] == face.track[:-1]) & (face.track[1:] >= 0)
    ways = np.linalg.norm(np.diff(lips, axis=0), axis=-1).mean(axis=1)
    speeds = ways / np.maximum(np.diff(times_s), _TINY)
    return times_s[1:][same], speeds[same]
