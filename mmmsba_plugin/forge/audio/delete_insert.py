"""Cuts a piece of speech out and closes the gap, or puts one in and pushes the rest on.

A clip keeps its length: what is gained or lost is made up for before the stretch ends, so
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

#: Moments that are compared by how much is spoken in them.
_NUM_TRIES = 16


class DeleteConfig(CrossfadeConfig):
    """How much is cut out of a stretch."""

    share: Shares = Field(
        default=(0.25, 0.7), description="Least and largest share of the stretch that is cut out."
    )


class DeleteWord:
    """The beginning of the stretch is gone, the rest has moved forward, then the room.

    Stands for a word that is made unsaid: a "not", a name, a number. Nothing in it is
    synthetic; the cut, the borrowed pause and lips that go on moving are all there is.
    """

    needs_donor = False

    def __init__(self, config: DeleteConfig | None = None) -> None:
        self._config = config or DeleteConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch without its beginning.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        stretch, rate_hz = job.span, job.sample_rate_hz
        cut = max(1, round(rng.uniform(*self._config.share) * stretch.size))
        fade = min(s_to_samples(self._config.fade_s, rate_hz), stretch.size - cut)
        #   old   |  cut  |    rest     |
        #   new   |    rest    xx room  |      x: both are heard
        tone = room_tone(job.audio, cut + fade, rate_hz, rng)
        return overlay(job, crossfade_concat(stretch[cut:], tone, fade), self._config)


class InsertConfig(CrossfadeConfig):
    """What is put into a stretch."""

    length_s: Bounds = Field(
        default=(0.08, 0.3),
        description="Least and largest length of what is put in, in seconds; at most half the "
        "stretch is.",
    )


class InsertSyllable:
    """A syllable from elsewhere in the clip, then what was said, pushed back.

    Stands for a word made into another by a prefix or a "not" of the speaker's own, and for
    the stutter that makes somebody look unsure. The end of the stretch is lost.
    """

    needs_donor = False

    def __init__(self, config: InsertConfig | None = None) -> None:
        self._config = config or InsertConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch with a syllable before it.

        Raises:
            ForgeError: The clip has no other moment at which something is said.
        """
        stretch, rate_hz = job.span, job.sample_rate_hz
        wanted = s_to_samples(rng.uniform(*self._config.length_s), rate_hz)
        fade = s_to_samples(self._config.fade_s, rate_hz)
        size = max(1, min(wanted, stretch.size // 2))
        syllable = self._syllable(job, size, fade, rng)
        fade = min(fade, size)
        pushed = stretch[: stretch.size - size + fade]
        return overlay(job, crossfade_concat(syllable, pushed, fade), self._config)

    @staticmethod
    def _syllable(job: AudioJob, size: int, clear: int, rng: np.random.Generator) -> Audio:
        # Clear of the stretch: the very piece before it would be no more than a shift.
        starts = rng.choice(find_disjoint_starts(job, size, clear=max(1, clear)), size=_NUM_TRIES)
        rate_hz = job.sample_rate_hz
        syllable = select_most_speech(job.audio, size, rate_hz, starts=starts)
        if compute_speech_share(syllable, rate_hz, like=job.audio) == 0.0:
            raise ForgeError(
                "no syllable is heard at another moment of the clip; give a clip with more speech"
            )
        wanted_rms = compute_speech_rms(job.span, rate_hz, like=job.audio)
        rms = compute_speech_rms(syllable, rate_hz, like=job.audio)
        return compute_gain(syllable, rms, wanted_rms) * syllable
