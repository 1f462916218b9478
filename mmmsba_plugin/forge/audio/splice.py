"""Splices a stretch of another clip's audio over this one's.

The oldest forgery there is, done with care: the donor speaks rather than pauses, and sounds
as loud as the speech it replaces.
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
    """How a stretch of audio is spliced in."""

    num_tries: int = Field(
        default=16, ge=1, description="Places looked at in the donor; the most spoken one is used."
    )


class SpliceAudio:
    """The audio of another clip, faded and level-matched.

    Stands for words put into somebody's mouth with a recording of somebody else, or with a
    flawless imitation: the donor is another clip, of another speaker wherever the dataset has
    one in the same split. Voice, room and microphone change with the words.
    """

    needs_donor = True

    def __init__(self, config: SpliceConfig | None = None) -> None:
        self._config = config or SpliceConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch with a donor's speech in its place.

        Raises:
            ForgeError: There is no donor, or it is shorter than the stretch.
        """
        size, donor = job.span.size, job.donor
        if donor is None or donor.size < size:
            got = "none" if donor is None else f"{donor.size}"
            raise ForgeError(
                f"a splice of {size} samples needs a donor at least as long, got {got}; "
                "give a longer clip as the donor"
            )
        starts = rng.integers(donor.size - size + 1, size=self._config.num_tries)
        piece = select_most_speech(donor, size, job.sample_rate_hz, starts=starts)
        return overlay_at_speech_level(job, piece, self._config)
