"""Moves the audio of a stretch against the lips.

What is left when somebody lays a audio track over frames and misses, or does so on
purpose: every word is real and said by the right mouth, but not now. Nothing but the
agreement of lips and audio can show it.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import compute_fade_weights
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples


class ShiftConfig(Config):
    """How far the audio of a stretch is moved."""

    min_s: float = Field(
        default=0.12, gt=0, description="Least shift, in seconds: three frames at 25 Hz."
    )
    max_s: float = Field(
        default=0.48, gt=0, description="Largest shift, in seconds: twelve frames at 25 Hz."
    )
    fade_s: float = Field(
        default=0.01, ge=0, le=0.1, description="Length of the fade at each end, in seconds."
    )


class ShiftAudio:
    """The clip's own audio, too early or too late."""

    needs_donor = False

    def __init__(self, config: ShiftConfig | None = None) -> None:
        self._config = config or ShiftConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return what is heard a little before or after the stretch.

        Raises:
            ForgeError: The clip has no audio at that distance on either side.
        """
        rate_hz = job.sample_rate_hz
        shift = s_to_samples(float(rng.uniform(self._config.min_s, self._config.max_s)), rate_hz)
        late = bool(rng.integers(2))
        room = [s for s in _signed(shift, late=late) if _is_inside(job, s)]
        if not room:
            raise ForgeError(
                f"the audio around a stretch of {job.span.size} samples is too short to be "
                f"moved by {shift}; give a longer clip"
            )
        moved = job.audio[job.start + room[0] : job.end + room[0]]
        new, old = compute_fade_weights(moved.size, s_to_samples(self._config.fade_s, rate_hz))
        return np.clip(new * moved + old * job.span, -1.0, 1.0).astype(np.float32)


def _signed(shift: int, *, late: bool) -> tuple[int, int]:
    """Return the shift to the wanted side first, then to the other."""
    return (-shift, shift) if late else (shift, -shift)


def _is_inside(job: AudioJob, shift: int) -> bool:
    return job.start + shift >= 0 and job.end + shift <= job.audio.size
