"""Splice a span of another clip's audio over this one's.

The oldest forgery there is, done with care: the donor span holds speech rather than a pause,
and is as loud as the speech that it replaces.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import (
    CrossfadeConfig,
    overlay_at_speech_level,
)
from mmmsba_plugin.forge.audio.loudness import (
    select_most_speech,
)
from mmmsba_plugin.forger import Audio, AudioJob


class SpliceConfig(CrossfadeConfig):
    """Settings of the forger ``splice``."""

    num_tries: int = Field(
        default=16,
        ge=1,
        description="Number of places compared in the donor; the one with most speech is used.",
    )


class SpliceAudio:
    """Forger that lays the speech of another clip over a segment, faded and level-matched.

    Stands for words put into somebody's mouth with a recording of somebody else, or with a
    flawless imitation: the donor is another clip, of another speaker wherever the dataset has
    one in the same split. Voice, room and microphone change with the words.
    """

    needs_donor = True

    def __init__(self, config: SpliceConfig | None = None) -> None:
        self._config = config or SpliceConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by a donor's speech.

        Raises:
            ForgeError: There is no donor, or it is shorter than the segment.
        """
        size, donor = job.span.size, job.donor
        if donor is None or donor.size < size:
            length = "none" if donor is None else f"{donor.size}"
            raise ForgeError(
                f"a splice of {size} samples needs a donor at least as long, got {length}; "
                "give a longer clip as the donor"
            )
        starts = rng.integers(donor.size - size + 1, size=self._config.num_tries)
        new = select_most_speech(donor, size, job.sample_rate_hz, starts=starts)
        return overlay_at_speech_level(job, new, self._config)
