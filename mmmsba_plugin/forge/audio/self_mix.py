"""Mix audio with itself, a little shifted in time.

Source:
    The audio's micro-forgery of AVPF (arXiv 2604.09110), with its shifts of 20 to 50 ms.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import (
    Bounds,
    CrossfadeConfig,
    Shares,
    overlay_at_rms,
    slice_padded,
)
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples


class SelfMixConfig(CrossfadeConfig):
    """Settings of the forger ``self-mix``."""

    shift_s: Bounds = Field(
        default=(0.02, 0.05), description="Least and largest shift in time, in seconds."
    )
    share: Shares = Field(
        default=(0.35, 0.65), description="Least and largest share of the shifted audio."
    )


class SelfMix:
    """Forger that mixes a segment of audio with itself, earlier or later.

    Stands for synthetic voices whose phones blur into each other and whose phases are combed,
    as those of vocoders that overlap their frames.
    """

    needs_donor = False

    def __init__(self, config: SelfMixConfig | None = None) -> None:
        self._config = config or SelfMixConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by the mixture; beyond the ends of the clip there is silence."""
        shift = s_to_samples(float(rng.uniform(*self._config.shift_s)), job.sample_rate_hz)
        shift *= int(rng.choice([-1, 1]))
        share = rng.uniform(*self._config.share)
        shifted = slice_padded(job.audio, job.start - shift, job.end - shift)
        mixed = (1 - share) * job.span + share * shifted
        return overlay_at_rms(job, mixed.astype(np.float32), self._config)
