"""Define forgers, which alter one segment of one modality, and their jobs.

A forger does not know where the segment lies in the plan of a clip, who provides the donor
material, or how the clip is written. It receives a job, a frozen record, and returns the new
samples or frames of the segment. A later kind of forger that needs to know more finds it in a
new field of the job, so those that exist need no change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import Rgb

#: Mono audio in [-1, 1], shape ``(sample,)``.
Audio = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AudioJob:
    """A segment of audio to be altered.

    Attributes:
        audio: The whole audio of the clip, shape ``(sample,)``.
        start: First sample of the segment.
        end: First sample behind the segment.
        sample_rate_hz: Sample rate of the clip and of the donor, in Hz.
        donor: The whole audio of another clip; None for a forger that needs none.
        counterpart: The whole audio of an aligned fake of this clip, as long as ``audio``;
            None for a forger that needs none.
        donor_start: First sample of the moment of this clip whose frames the same segment
            takes, if it takes any.
    """

    audio: Audio
    start: int
    end: int
    sample_rate_hz: int
    donor: Audio | None = None
    counterpart: Audio | None = None
    donor_start: int | None = None

    @property
    def span(self) -> Audio:
        """The samples of the segment before they are altered, shape ``(sample,)``."""
        return self.audio[self.start : self.end]


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """A frame with the face mesh of the main person.

    Attributes:
        pts_s: Presentation time, in seconds.
        rgb: The whole frame, uint8, shape ``(height, width, 3)``; not to be written to.
        points_px: The 468 points of the face mesh in pixels of the frame, shape ``(468, 2)``.
    """

    pts_s: float
    rgb: Rgb
    points_px: NDArray[np.float64]

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"FaceFrame(pts_s={self.pts_s:.3f}, {width}x{height})"


@dataclass(frozen=True, slots=True, eq=False)
class FrameJob:
    """A segment of frames to be altered; it holds these frames only, not the clip.

    Attributes:
        frames: The frames of the segment, in time order.
        fps_hz: Frames per second.
        donors: As many frames of another moment of the same clip; empty for a forger that
            needs none.
        other_clip_donors: As many consecutive frames of another clip, preferably of another
            identity in the same head pose; their size may differ. Empty for a forger that
            needs none.
        counterpart: The same frames of an aligned fake of this clip; empty for a forger that
            needs none.
    """

    frames: Sequence[FaceFrame]
    fps_hz: float
    donors: Sequence[FaceFrame] = ()
    other_clip_donors: Sequence[FaceFrame] = ()
    counterpart: Sequence[FaceFrame] = ()


@runtime_checkable
class AudioForger(Protocol):
    """A forger that alters a segment of audio."""

    @property
    def needs_donor(self) -> bool:
        """Return whether a job must bring a donor."""

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the new samples of the segment.

        Every sample of it should change, and none outside: the segment is the ground truth
        that detectors are trained on. As many samples as the segment has; a forger that closes
        or opens gaps returns another number, and its caller decides whether it can follow.
        """


@runtime_checkable
class FrameForger(Protocol):
    """A forger that alters a segment of frames.

    A forger may also have a property ``needs_other_clip``: whether a job must bring the frames
    of another clip; see :func:`needs_other_clip`. It is no part of the protocol, so that
    forgers without the property keep working.
    """

    @property
    def needs_donor(self) -> bool:
        """Return whether a job must bring a donor."""

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the new frames of the segment: their pixels alone, not :class:`FaceFrame`.

        Every frame of it should change. As many as the segment has, under the same rule
        as for audio.

        Returns:
            RGB of each frame, uint8, shape ``(height, width, 3)`` as it came.
        """


ClipForger = AudioForger | FrameForger


def needs_other_clip(forger: ClipForger) -> bool:
    """Return whether a job must bring the frames of another clip.

    Args:
        forger: Any forger; one without a property of this name needs no other clip.
    """
    return bool(getattr(forger, "needs_other_clip", False))


def needs_counterpart(forger: ClipForger) -> bool:
    """Return whether a job must bring an aligned fake of the clip.

    Args:
        forger: Any forger; one without a property of this name needs none.
    """
    return bool(getattr(forger, "needs_counterpart", False))


def max_segment_s(forger: ClipForger) -> float:
    """Return the longest segment that a forger is to alter, in seconds.

    Args:
        forger: Any forger; one without a property of this name alters any.
    """
    return float(getattr(forger, "max_segment_s", float("inf")))


def donor_distance_s(forger: ClipForger) -> tuple[float, float] | None:
    """Return the distance of a donor moment from the segment, in seconds.

    Args:
        forger: Any forger; one without a property of this name wants other lips, at any
            distance. One that has it wants the most similar moment there.
    """
    bounds: tuple[float, float] | None = getattr(forger, "donor_distance_s", None)
    return bounds


def needs_other_audio(forger: AudioForger) -> bool:
    """Return whether a job must bring the audio of another clip.

    Args:
        forger: Any forger of audio that says whether it needs a donor; one that states the
            distance of its donor finds it in its own clip.
    """
    return forger.needs_donor and donor_distance_s(forger) is None
