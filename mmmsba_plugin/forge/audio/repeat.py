"""Copy the clip's own speech of another moment over a segment.

The cut that needs nothing but the recording itself: a word is copied to where it was never
said. Voice, room and microphone are right; only intonation, rhythm and the joints can be wrong,
and the lips.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import (
    CrossfadeConfig,
    find_disjoint_starts,
    overlay_at_speech_level,
)
from mmmsba_plugin.forge.audio.loudness import compute_speech_share, select_most_speech
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples


class RepeatConfig(CrossfadeConfig):
    """Settings of the forger ``repeat``."""

    num_tries: int = Field(
        default=16,
        ge=1,
        description="Number of moments compared in the clip; the one with most speech is used.",
    )
    clear_s: float = Field(
        default=0.1, ge=0, description="Least distance of that moment from the segment, in seconds."
    )


class RepeatAudio:
    """Forger that lays the clip's own speech of another moment over a segment.

    Stands for quotes that are rearranged with an editor, a shallow fake: what is heard was
    truly said by that voice in that room, but not there.
    """

    needs_donor = False

    def __init__(self, config: RepeatConfig | None = None) -> None:
        self._config = config or RepeatConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by the speech of another moment.

        Raises:
            ForgeError: The clip has no other moment that long, or no speech in it.
        """
        rate_hz, size = job.sample_rate_hz, job.span.size
        places = find_disjoint_starts(job, size, clear=s_to_samples(self._config.clear_s, rate_hz))
        starts = rng.choice(places, size=self._config.num_tries)
        new = select_most_speech(job.audio, size, rate_hz, starts=starts)
        if compute_speech_share(new, rate_hz, like=job.audio) == 0.0:
            raise ForgeError(
                "nothing is said at another moment of the clip; give a clip with more speech"
            )
        return overlay_at_speech_level(job, new, self._config)
