"""Delete a word and close the gap, or insert a syllable and push the rest on.

A clip keeps its length: what is gained or lost is made up for before the segment ends, so
everything around it stays in step with the lips, and all that is inside does not.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import (
    Bounds,
    CrossfadeConfig,
    Shares,
    crossfade_concat,
    find_disjoint_starts,
    overlay,
    require_speech,
)
from mmmsba_plugin.forge.audio.loudness import (
    compute_gain,
    compute_speech_rms,
    compute_speech_share,
    select_most_speech,
)
from mmmsba_plugin.forge.audio.room_tone import room_tone
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples

#: Number of moments that are compared by their share of speech.
_NUM_TRIES = 16


class DeleteConfig(CrossfadeConfig):
    """Settings of the forger ``delete``."""

    share: Shares = Field(
        default=(0.25, 0.7), description="Least and largest share of the segment that is cut out."
    )


class DeleteWord:
    """Forger that cuts the beginning of a segment out and fills its end with room tone.

    Stands for a word that is made unsaid: a "not", a name, a number. Nothing in it is
    synthetic; the cut, the borrowed pause and lips that go on moving are all there is.
    """

    needs_donor = False

    def __init__(self, config: DeleteConfig | None = None) -> None:
        self._config = config or DeleteConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Cut the beginning out of the segment.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        span, rate_hz = job.span, job.sample_rate_hz
        cut = max(1, round(rng.uniform(*self._config.share) * span.size))
        fade = min(s_to_samples(self._config.fade_s, rate_hz), span.size - cut)
        #   old   |  cut  |    rest     |
        #   new   |    rest    xx room  |      x: crossfade
        tone = room_tone(job.audio, cut + fade, rate_hz, rng)
        return overlay(job, crossfade_concat(span[cut:], tone, fade), self._config)


class InsertConfig(CrossfadeConfig):
    """Settings of the forger ``insert``."""

    length_s: Bounds = Field(
        default=(0.08, 0.3),
        description="Least and largest length of the inserted syllable, in seconds; at most half "
        "of the segment.",
    )


class InsertSyllable:
    """Forger that inserts a syllable of the clip before a segment's speech, which is pushed back.

    Stands for a word made into another by a prefix or a "not" of the speaker's own, and for
    the stutter that makes somebody look unsure. The end of the segment is lost.
    """

    needs_donor = False

    def __init__(self, config: InsertConfig | None = None) -> None:
        self._config = config or InsertConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Insert a syllable at the start of the segment.

        Raises:
            ForgeError: The clip has no other moment with speech.
        """
        span, rate_hz = job.span, job.sample_rate_hz
        length = s_to_samples(rng.uniform(*self._config.length_s), rate_hz)
        fade = s_to_samples(self._config.fade_s, rate_hz)
        size = max(1, min(length, span.size // 2))
        # Clear of the segment: the very span before it would be no more than a shift.
        starts = rng.choice(find_disjoint_starts(job, size, clear=max(1, fade)), size=_NUM_TRIES)
        syllable = select_most_speech(job.audio, size, rate_hz, starts=starts)
        if compute_speech_share(syllable, rate_hz, like=job.audio) == 0.0:
            raise ForgeError(
                "no syllable is heard at another moment of the clip; give a clip with more speech"
            )
        target_rms = compute_speech_rms(span, rate_hz, like=job.audio)
        rms = compute_speech_rms(syllable, rate_hz, like=job.audio)
        syllable = compute_gain(syllable, rms, target_rms) * syllable
        fade = min(fade, size)
        rest = span[: span.size - size + fade]
        return overlay(job, crossfade_concat(syllable, rest, fade), self._config)
