"""Shift the pitch or change the tempo of speech with a phase vocoder.

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
    """Settings of the forger ``pitch``."""

    semitones: Bounds = Field(
        default=(1.0, 4.0),
        description="Least and largest change of pitch, in semitones, up or down.",
    )


class ShiftPitch:
    """Forger that says the same words higher or lower.

    Stands for a statement made into a question or an angry one, for a voice disguised on a
    few words, and for spliced words that were tuned to their surroundings.
    """

    needs_donor = False

    def __init__(self, config: PitchConfig | None = None) -> None:
        self._config = config or PitchConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Shift the pitch of the segment.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        semitones = rng.choice((-1, 1)) * rng.uniform(*self._config.semitones)
        rate_hz = job.sample_rate_hz
        new = apply_with_context(job, lambda audio: shift_pitch(audio, semitones, rate_hz))
        return overlay_at_rms(job, new, self._config)


class TempoConfig(CrossfadeConfig):
    """Settings of the forger ``tempo``."""

    factor: Bounds = Field(
        default=(1.15, 1.6), description="Least and largest factor of the tempo, up or down."
    )


class ChangeTempo:
    """Forger that says the same words faster or slower.

    Stands for speech that is slowed down until somebody seems drunk or dull, and for words
    that are fitted to lips which say something longer or shorter. Faster
    speech leaves a rest, which room tone fills; of slower speech the end is lost.
    """

    needs_donor = False

    def __init__(self, config: TempoConfig | None = None) -> None:
        self._config = config or TempoConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Change the tempo of the segment.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        factor = float(rng.uniform(*self._config.factor) ** rng.choice((-1, 1)))
        size, rate_hz = job.span.size, job.sample_rate_hz
        num_speech = min(size, round(size / factor))
        new = change_tempo(job, num_speech, factor)
        if num_speech < size:
            fade = min(s_to_samples(self._config.fade_s, rate_hz), num_speech)
            tone = room_tone(job.audio, size - num_speech + fade, rate_hz, rng)
            new = crossfade_concat(new, tone, fade)
        # The level is that of the speech: the room tone must not make it louder.
        return overlay_at_speech_level(job, new, self._config)


def change_tempo(job: AudioJob, size: int, factor: float) -> Audio:
    """Compute ``size`` samples from the start of a segment on at another tempo.

    Args:
        job: The segment; what lies around it goes through the transform as well.
        size: Number of samples to compute.
        factor: Factor of the tempo; below 1 is slower.
    """
    from librosa.effects import time_stretch

    margin = s_to_samples(_MARGIN_S, job.sample_rate_hz)
    end = job.start + round(size * factor)
    context = slice_padded(job.audio, job.start - margin, end + margin)
    window = window_size(_TEMPO_WINDOW_S, job.sample_rate_hz)
    audio = time_stretch(context, rate=factor, n_fft=window)
    start = round(margin / factor)
    return np.asarray(audio[start : start + size], dtype=np.float32)


def shift_pitch(audio: Audio, semitones: float, rate_hz: int) -> Audio:
    """Shift the pitch of audio; the result has as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``.
        semitones: Change of pitch, in semitones; negative is down.
        rate_hz: Sample rate, in Hz.
    """
    from librosa.effects import pitch_shift

    shifted = pitch_shift(
        audio,
        sr=rate_hz,
        n_steps=semitones,
        n_fft=window_size(_PITCH_WINDOW_S, rate_hz),
        res_type="soxr_hq",
    )
    return np.asarray(shifted, dtype=np.float32)
