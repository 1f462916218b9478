"""Lets a synthesizer say words that nobody said."""

from pathlib import Path

import numpy as np
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import CrossfadeConfig, overlay_at_speech_level
from mmmsba_plugin.forge.audio.loudness import select_most_speech
from mmmsba_plugin.forge.audio.tts_voices import WantedVoice, find_voices, say
from mmmsba_plugin.forger import Audio, AudioJob

#: Places in what was said that are compared by how much of it is speech.
_NUM_TRIES = 16


class SpeakConfig(CrossfadeConfig):
    """Who speaks."""

    voice: WantedVoice = Field(
        default="any",
        description="A text-to-speech program, or our own crude formant voice. 'any' takes turns "
        "among the programs that are installed, and is the formant voice where none is.",
    )
    piper_model: Path | None = Field(
        default=None, description="File of a voice for Piper (.onnx, its .json beside it)."
    )


class SpeakAudio:
    """Words of a speech synthesizer, faded and level-matched.

    Stands for text-to-speech: words that were typed. With Piper it is a neural voice of
    today; eSpeak NG and Flite are voices of two decades ago; the formant voice babbles
    syllables without sense and sounds like a machine. None of them is the clip's own
    speaker, so a cloned voice it is not: that would need a network.

    On one machine the same seed says the same. Another with other programs installed says
    something else, unless one voice is named.
    """

    needs_donor = False

    def __init__(self, config: SpeakConfig | None = None) -> None:
        self._config = config or SpeakConfig()
        self._voices = find_voices(self._config.voice, self._config.piper_model)

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch with a synthesizer's words in its place.

        Raises:
            ForgeError: The synthesizer failed.
        """
        size, rate_hz = job.span.size, job.sample_rate_hz
        voice = self._voices[int(rng.integers(len(self._voices)))]
        said = say(voice, size, rate_hz, rng, piper_model=self._config.piper_model)
        starts = rng.integers(said.size - size + 1, size=_NUM_TRIES)
        return overlay_at_speech_level(
            job, select_most_speech(said, size, rate_hz, starts=starts), self._config
        )
