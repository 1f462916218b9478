"""Copy a few frames and their audio from a similar moment nearby.

Source:
    The third micro-forgery of AVPF (arXiv 2604.09110): one frame and its 40 ms of audio from
    a similar frame 0.5 to 1 s away, with a fade of 2 ms. Ours are some three frames, since a
    segment of a forged dataset lasts 0.1 s at least.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import CrossfadeConfig, overlay
from mmmsba_plugin.forge.visual.blend import require_altered, require_donors
from mmmsba_plugin.forger import Audio, AudioJob, FrameJob
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import s_to_samples

#: Places of the audio that are compared by their spectrum.
_NUM_PLACES = 64


class FrameCopyConfig(CrossfadeConfig):
    """Settings of the forger ``frame-copy``."""

    fade_s: float = Field(
        default=0.002, ge=0, le=0.1, description="Length of the crossfade at each end, in seconds."
    )
    max_s: float = Field(default=0.16, gt=0, description="Longest segment, in seconds.")
    distance_s: tuple[float, float] = Field(
        default=(0.5, 1.0),
        description="Least and largest distance of the moment that is copied, in seconds.",
    )


class FrameCopy:
    """Forger that copies frames and audio from a similar moment of the same clip.

    Stands for a repaired or a shortened word: an edit of a few frames that the eye passes over.
    Where both streams are altered, both come from the same moment.
    """

    needs_donor = True

    def __init__(self, config: FrameCopyConfig | None = None) -> None:
        self._config = config or FrameCopyConfig()

    @property
    def max_segment_s(self) -> float:
        """Longest segment that it is to alter, in seconds."""
        return self._config.max_s

    @property
    def donor_distance_s(self) -> tuple[float, float]:
        """Least and largest distance of the similar moment that it copies, in seconds."""
        return self._config.distance_s

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by the audio of the moment whose frames are copied.

        Where no frames are, by that of a moment nearby with the most similar spectrum.

        Raises:
            ForgeError: The clip has no audio at that distance on either side.
        """
        start = job.donor_start
        if start is None:
            near, far = (s_to_samples(t, job.sample_rate_hz) for t in self._config.distance_s)
            offsets = rng.integers(near, far + 1, size=_NUM_PLACES)
            starts = job.start + offsets * rng.choice([-1, 1], _NUM_PLACES)
            starts = starts[(starts >= 0) & (starts + job.span.size <= job.audio.size)]
            if not starts.size:
                raise ForgeError(
                    f"no audio lies {self._config.distance_s[0]:g} to "
                    f"{self._config.distance_s[1]:g} s from the segment; give a longer clip"
                )
            now = _log_spectrum(job.span)
            spans = (job.audio[s : s + job.span.size] for s in starts)
            changes = [np.abs(_log_spectrum(span) - now).mean() for span in spans]
            start = int(starts[int(np.argmin(changes))])
        if start + job.span.size > job.audio.size:
            raise ForgeError("the moment to be copied has no audio; give a longer clip")
        return overlay(job, job.audio[start : start + job.span.size], self._config)

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames of the other moment.

        Raises:
            ForgeError: There are not as many, or nothing moved meanwhile.
        """
        require_donors(job, job.donors, "a clip in which the face is seen for longer")
        return require_altered(job, [donor.rgb for donor in job.donors])


def _log_spectrum(audio: Audio) -> NDArray[np.float64]:
    return np.asarray(np.log(np.abs(np.fft.rfft(audio * np.hanning(audio.size))) + 1e-3))
