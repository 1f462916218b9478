"""What a forger is: it alters one stretch of one modality, and nothing else.

Where the stretch lies, who lends the material, and how the clip is written again are not
its business. It receives a job, a frozen record, and returns what the stretch becomes. A
later kind of forger that needs to know more finds it in a new field of the job, so those
that exist need no change.
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
    """A stretch of audio to be altered.

    Attributes:
        audio: The whole audio of the clip.
        start: First sample of the stretch.
        end: First sample behind it.
        sample_rate_hz: Of the clip and of the donor alike.
        donor: The whole audio of another clip; None for a forger that needs none.
    """

    audio: Audio
    start: int
    end: int
    sample_rate_hz: int
    donor: Audio | None = None

    @property
    def stretch(self) -> Audio:
        """The samples to be altered, as they are."""
        return self.audio[self.start : self.end]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame and the main person's face in it.

    Attributes:
        pts_s: When it is shown, in seconds.
        rgb: The whole frame, shape ``(height, width, 3)``; not to be written to.
        points_px: The 468 points of the face mesh in its pixels, shape ``(468, 2)``.
    """

    pts_s: float
    rgb: Rgb
    points_px: NDArray[np.float64]

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"Shot(pts_s={self.pts_s:.3f}, {width}x{height})"


@dataclass(frozen=True, slots=True, eq=False)
class FrameJob:
    """A stretch of frames to be altered; only they are held, not the clip.

    Attributes:
        shots: The frames of the stretch, in time order.
        fps_hz: Frames a second.
        donors: As many frames of another moment of the clip; empty for a forger that
            needs none.
        strangers: As many consecutive frames of another clip, preferably of another
            person who holds the head alike; they may be of another size. Empty for a forger
            that needs none.
    """

    shots: Sequence[Shot]
    fps_hz: float
    donors: Sequence[Shot] = ()
    strangers: Sequence[Shot] = ()


@runtime_checkable
class AudioForger(Protocol):
    """Alters a stretch of audio."""

    @property
    def needs_donor(self) -> bool:
        """Whether a job must bring the audio of another clip."""

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return what the stretch becomes.

        Every sample of it should change, and none outside: the stretch is the truth that
        detectors learn from. As many samples as the stretch has; a forger that closes or
        opens gaps returns another number, and whoever runs it must say if it can follow.
        """


@runtime_checkable
class FrameForger(Protocol):
    """Alters a stretch of frames.

    A forger may also have a property ``needs_stranger``, which says whether a job must bring
    the frames of another clip; see :func:`needs_stranger`. It is no part of the protocol,
    so that forgers that never heard of strangers go on working.
    """

    @property
    def needs_donor(self) -> bool:
        """Whether a job must bring another moment of the same clip."""

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames that the stretch becomes, of the same size.

        Every frame of it should change. As many as the stretch has, under the same rule
        as for audio.
        """


ClipForger = AudioForger | FrameForger


def needs_stranger(forger: ClipForger) -> bool:
    """Return whether a job must bring the frames of another clip.

    Args:
        forger: Any forger; one without a property of this name needs no stranger.
    """
    return bool(getattr(forger, "needs_stranger", False))
