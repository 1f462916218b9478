"""Augment audio with what happens to it on the way: music, denoising, calls, noise, level."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forge.audio.loudness import compute_speech_rms
from mmmsba_plugin.forge.augment.background import lay_background
from mmmsba_plugin.forge.augment.denoise import denoise
from mmmsba_plugin.forge.augment.pipeline import Processing
from mmmsba_plugin.forge.augment.speech_codec import code_speech
from mmmsba_plugin.forger import Audio

_PEAK = 0.99
#: Below this nothing is turned: the lowest octave of speech.
_LOWEST_HZ = 80.0
#: Taps of the filter; its steepest edge is about a hundred hertz wide at 16 kHz.
_TAPS = 511
_SHUT_DB = -80.0
#: A band edge falls over this share of its frequency.
_EDGE = 0.06


def mix(
    audio: Audio, processing: Processing, *, sample_rate_hz: int, rng: np.random.Generator
) -> Audio:
    """Degrade audio as on its way to a viewer, as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``; an empty one stays empty.
        processing: What is done.
        sample_rate_hz: Sample rate, in Hz.
        rng: Source of the noise.
    """
    if not audio.size:
        return audio
    mixed = _shift_pitch(audio, processing, sample_rate_hz).astype(np.float64)
    if processing.background is not None:
        kind, place = processing.background
        mixed = lay_background(
            mixed,
            kind,
            place,
            snr_db=processing.background_db,
            sample_rate_hz=sample_rate_hz,
            rng=rng,
        )
    if processing.denoise_db is not None:
        # What the microphone got: the voice and all that lies under it.
        cleaned = denoise(
            mixed.astype(np.float32),
            attenuation_db=processing.denoise_db,
            sample_rate_hz=sample_rate_hz,
        )
        mixed = cleaned.astype(np.float64)
    mixed = _code_call(mixed, processing, sample_rate_hz)
    if processing.eq_db or processing.band_hz is not None:
        mixed = apply_filter(mixed, filter_taps(processing, sample_rate_hz))
    if processing.hiss_db is not None:
        speech = mixed.astype(np.float32)
        rms = compute_speech_rms(speech, sample_rate_hz, like=speech)
        mixed = mixed + rms * 10 ** (-processing.hiss_db / 20) * rng.standard_normal(mixed.size)
    mixed = mixed * 10 ** (processing.gain_db / 20)
    # Turned down as a whole where it would clip: clipping is a trace of its own.
    loudest = max(float(np.abs(mixed).max()), _PEAK)
    return np.asarray(_PEAK / loudest * mixed, dtype=np.float32)


def _shift_pitch(audio: Audio, processing: Processing, sample_rate_hz: int) -> Audio:
    """Shift the pitch of all that is heard, if at all."""
    from librosa.effects import pitch_shift

    semitones = processing.pitch_semitones
    if not semitones:
        return audio
    shifted = pitch_shift(
        audio, sr=sample_rate_hz, n_steps=semitones, n_fft=1024, res_type="soxr_hq"
    )
    return np.asarray(shifted, dtype=np.float32)


def _code_call(
    audio: NDArray[np.float64], processing: Processing, sample_rate_hz: int
) -> NDArray[np.float64]:
    """Pass the part of the audio that comes from a call through its codec, if there is one."""
    if processing.call is None:
        return audio
    codec, bit_rate = processing.call
    start, end = (round(share * audio.size) for share in processing.call_part or (0.0, 1.0))
    coded = audio.copy()
    coded[start:end] = code_speech(
        audio[start:end].astype(np.float32), codec, bit_rate=bit_rate, sample_rate_hz=sample_rate_hz
    )
    return coded


def filter_taps(processing: Processing, sample_rate_hz: int) -> NDArray[np.float64]:
    """Compute a filter without delay that turns frequencies up and down, shape ``(tap,)``.

    Symmetric, so that nothing moves against the lips.
    """
    freqs_hz = np.fft.rfftfreq(_TAPS + 1, 1 / sample_rate_hz)
    gains_db = np.zeros_like(freqs_hz)
    if processing.eq_db:
        octaves = np.log2(np.maximum(freqs_hz, _LOWEST_HZ))
        knots = np.linspace(octaves[0], octaves[-1], len(processing.eq_db))
        gains_db = np.interp(octaves, knots, processing.eq_db)
    if processing.band_hz is not None:
        over = (freqs_hz / processing.band_hz - 1) / _EDGE
        gains_db = gains_db + _SHUT_DB * np.clip(over, 0, 1)
    impulse = np.fft.irfft(10 ** (gains_db / 20))
    return np.asarray(np.roll(impulse, _TAPS // 2)[:_TAPS] * np.hanning(_TAPS + 2)[1:-1])


def apply_filter(audio: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve audio with a filter by way of one Fourier transform; the size stays.

    Args:
        audio: Shape ``(sample,)``.
        taps: Shape ``(tap,)``.
    """
    size = audio.size + taps.size - 1
    spectrum = np.fft.rfft(audio, size) * np.fft.rfft(taps, size)
    start = taps.size // 2
    return np.asarray(np.fft.irfft(spectrum, size)[start : start + audio.size])
