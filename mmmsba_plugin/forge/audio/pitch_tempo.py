"""Changes how something is said: higher or lower, faster or slower.

The words, the voice and the room stay. Phase vocoders do it, as any editor's do, and leave
what theirs leave: smeared onsets, and harmonics that no longer rise and fall together.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import (
    Bounds,
    CrossfadeConfig,
    apply_with_context,
    crossfade_concat,
    overlay_at_rms,
    overlay_at_speech_level,
    require_speech,
    slice_padded,
)
from mmmsba_plugin.forge.audio.room_tone import room_tone
from mmmsba_plugin.forge.audio.stft import window_size
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples

#: 64 ms hold several periods of the lowest voice.
_PITCH_WINDOW_S = 0.064
#: Shorter, so that consonants are smeared less where rhythm is what changes.
_TEMPO_WINDOW_S = 0.032
_MARGIN_S = 0.1


class PitchConfig(CrossfadeConfig):
    """How much higher or lower a stretch is said."""

    semitones: Bounds = Field(
        default=(1.0, 4.0), description="Least and largest change, in semitones, up or down."
    )


class ShiftPitch:
    """The same words, higher or lower.

    Stands for a statement made into a question or an angry one, for a voice disguised on a
    few words, and for spliced words that were tuned to their surroundings.
    """

    needs_donor = False

    def __init__(self, config: PitchConfig | None = None) -> None:
        self._config = config or PitchConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch at another pitch.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        semitones = rng.choice((-1, 1)) * rng.uniform(*self._config.semitones)
        rate_hz = job.sample_rate_hz
        piece = apply_with_context(job, lambda audio: shift_pitch(audio, semitones, rate_hz))
        return overlay_at_rms(job, piece, self._config)


class TempoConfig(CrossfadeConfig):
    """How much faster or slower a stretch is said."""

    factor: Bounds = Field(
        default=(1.15, 1.6), description="Least and largest change of speed, up or down."
    )


class ChangeTempo:
    """The same words, hurried or drawn out.

    Stands for speech that is slowed down until somebody seems drunk or dull, and for words
    that are fitted to lips which say something longer or shorter. What is hurried leaves a
    rest, which the room fills; of what is drawn out, the end is lost.
    """

    needs_donor = False

    def __init__(self, config: TempoConfig | None = None) -> None:
        self._config = config or TempoConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch at another speed.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        factor = float(rng.uniform(*self._config.factor) ** rng.choice((-1, 1)))
        size, rate_hz = job.span.size, job.sample_rate_hz
        said = min(size, round(size / factor))
        piece = self._hurried(job, said, factor)
        if said < size:
            fade = min(s_to_samples(self._config.fade_s, rate_hz), said)
            tone = room_tone(job.audio, size - said + fade, rate_hz, rng)
            piece = crossfade_concat(piece, tone, fade)
        # Measured on what is spoken: the rest that was won must not make it louder.
        return overlay_at_speech_level(job, piece, self._config)

    @staticmethod
    def _hurried(job: AudioJob, size: int, factor: float) -> Audio:
        """Return ``size`` samples of what is said from the start of the stretch."""
        from librosa.effects import time_stretch

        margin = s_to_samples(_MARGIN_S, job.sample_rate_hz)
        end = job.start + round(size * factor)
        wide = slice_padded(job.audio, job.start - margin, end + margin)
        window = window_size(_TEMPO_WINDOW_S, job.sample_rate_hz)
        made = time_stretch(wide, rate=factor, n_fft=window)
        start = round(margin / factor)
        return np.asarray(made[start : start + size], dtype=np.float32)


def shift_pitch(audio: Audio, semitones: float, rate_hz: int) -> Audio:
    """Return a audio at another pitch, as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``.
        semitones: How much higher; lower if negative.
        rate_hz: Samples a second.
    """
    from librosa.effects import pitch_shift

    made = pitch_shift(
        audio,
        sr=rate_hz,
        n_steps=semitones,
        n_fft=window_size(_PITCH_WINDOW_S, rate_hz),
        res_type="soxr_hq",
    )
    return np.asarray(made, dtype=np.float32)
