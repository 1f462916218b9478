"""Shift the audio of a segment against the lips.

What is left when somebody lays an audio track over frames and misses, or does so on
purpose: every word is real and said by the right mouth, but not now. Nothing but the
agreement of lips and audio can show it.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import CrossfadeConfig, compute_fade_weights
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples


class ShiftConfig(CrossfadeConfig):
    """Settings of the forger ``shift``."""

    min_s: float = Field(
        default=0.12, gt=0, description="Least shift, in seconds: three frames at 25 Hz."
    )
    max_s: float = Field(
        default=0.48, gt=0, description="Largest shift, in seconds: twelve frames at 25 Hz."
    )


class ShiftAudio:
    """Forger that lays the clip's own audio over a segment, too early or too late."""

    needs_donor = False

    def __init__(self, config: ShiftConfig | None = None) -> None:
        self._config = config or ShiftConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by the audio a little before or after it.

        Raises:
            ForgeError: The clip has no audio at that distance on either side.
        """
        rate_hz = job.sample_rate_hz
        shift = s_to_samples(float(rng.uniform(self._config.min_s, self._config.max_s)), rate_hz)
        late = bool(rng.integers(2))
        # The side that was drawn first, then the other.
        offsets = (-shift, shift) if late else (shift, -shift)
        inside = [o for o in offsets if job.start + o >= 0 and job.end + o <= job.audio.size]
        if not inside:
            raise ForgeError(
                f"the audio around a segment of {job.span.size} samples is too short to be "
                f"moved by {shift}; give a longer clip"
            )
        moved = job.audio[job.start + inside[0] : job.end + inside[0]]
        new, old = compute_fade_weights(moved.size, s_to_samples(self._config.fade_s, rate_hz))
        return np.clip(new * moved + old * job.span, -1.0, 1.0).astype(np.float32)
