"""Replace a segment by synthetic speech (text-to-speech, TTS)."""

from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from mmmsba_plugin.forge.audio.crossfade import CrossfadeConfig, overlay_at_speech_level
from mmmsba_plugin.forge.audio.loudness import select_most_speech
from mmmsba_plugin.forge.audio.tts_voices import (
    OUT,
    TtsProgram,
    VoiceName,
    find_programs,
    synthesize,
    synthesize_formants,
)
from mmmsba_plugin.forger import Audio, AudioJob

#: Places in the synthetic speech that are compared by their share of speech.
_NUM_TRIES = 16


class SpeakConfig(CrossfadeConfig):
    """Settings of the forger ``speak``."""

    voice: VoiceName = Field(
        default="any",
        description="A text-to-speech program, or our own crude formant voice. 'any' takes turns "
        "among the programs without a network that are installed, and is the formant voice where "
        "none is.",
    )
    piper_model: Path | None = Field(
        default=None, description="File of a voice for Piper (.onnx, its .json beside it)."
    )
    command: tuple[str, ...] | None = Field(
        default=None,
        description="Command of another text-to-speech program instead of a voice, as a list of "
        "words: it reads a text from its input and writes a WAV file of 16 bits to {out}.",
    )

    @field_validator("command")
    @classmethod
    def _require_out(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is not None and not any(OUT in word for word in command[1:]):
            raise ValueError(
                f"the command {' '.join(command)!r} names no file to write to; give {OUT} as one "
                "of its arguments"
            )
        return command


class SpeakNeuralConfig(SpeakConfig):
    """Settings of the forger ``speak-neural``."""

    voice: VoiceName = Field(
        default="hibari",
        description="A text-to-speech program. Another than the one that is trained on, such as "
        "'piper', tests what was never heard.",
    )


class SpeakAudio:
    """Forger that lays the words of a speech synthesizer over a segment.

    Stands for text-to-speech: words that were typed. With Hibari or Piper it is a neural voice
    of today, tuned up or down to be several speakers; eSpeak NG and Flite are voices of two
    decades ago; the formant voice babbles syllables without sense and sounds like a machine.
    None of them is the clip's own speaker, so a cloned voice it is not: that would need a
    network of another kind.

    On one machine the same seed says the same. Another with other programs installed says
    something else, unless one voice is named.
    """

    needs_donor = False

    def __init__(self, config: SpeakConfig | None = None) -> None:
        self._config = config or SpeakConfig()
        if self._config.command is None:
            self._programs = find_programs(self._config.voice, self._config.piper_model)
        else:
            self._programs = [TtsProgram(self._config.command[0], self._config.command)]

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by a synthesizer's words.

        Raises:
            ForgeError: The synthesizer failed.
        """
        size, rate_hz = job.span.size, job.sample_rate_hz
        if self._programs:
            program = self._programs[int(rng.integers(len(self._programs)))]
            speech = synthesize(program, size, rate_hz, rng)
        else:
            speech = synthesize_formants(size, rate_hz, rng)
        starts = rng.integers(speech.size - size + 1, size=_NUM_TRIES)
        new = select_most_speech(speech, size, rate_hz, starts=starts)
        return overlay_at_speech_level(job, new, self._config)
