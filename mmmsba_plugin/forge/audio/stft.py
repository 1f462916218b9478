"""Compute short-time Fourier transforms (STFT) and spectral envelopes."""

import math

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

#: Complex spectra, shape ``(frequency, frame)``.
Spectra = NDArray[np.complex64]

#: Neighbouring windows share three quarters, as resynthesis from magnitudes wants it.
HOPS_PER_WINDOW = 4
#: The spectral envelope changes slowly over frequency: it is the cepstrum below this
#: quefrency, which is less than the period of a voice of 400 Hz.
_ENVELOPE_S = 0.002
#: Nothing is that faint: 120 dB below full scale.
_FLOOR = 1e-6


def window_size(window_s: float, rate_hz: int) -> int:
    """Return the power of two nearest to so many seconds, in samples.

    Example:
        >>> window_size(0.064, 16_000)
        1024
    """
    return int(2 ** round(math.log2(s_to_samples(window_s, rate_hz))))


def compute_stft(audio: Audio, window: int) -> Spectra:
    """Compute the STFT of audio that is at least ``window`` samples long."""
    import librosa

    hop = window // HOPS_PER_WINDOW
    spectra = librosa.stft(audio.astype(np.float32), n_fft=window, hop_length=hop)
    return np.asarray(spectra, dtype=np.complex64)


def invert_stft(spectra: Spectra, num_audio_samples: int) -> Audio:
    """Invert :func:`compute_stft`: compute so many samples of audio from its spectra."""
    import librosa

    window = 2 * (len(spectra) - 1)
    hop = window // HOPS_PER_WINDOW
    audio = librosa.istft(spectra, n_fft=window, hop_length=hop, length=num_audio_samples)
    return np.asarray(audio, dtype=np.float32)


def compute_spectral_envelope(spectra: Spectra, rate_hz: int) -> NDArray[np.float64]:
    """Compute the spectral envelope of each spectrum: its smooth shape over frequency.

    Returns:
        Natural logarithms, shape ``(frequency, frame)``.

    Source:
        Cepstral smoothing: a low pass over the logarithm of the spectrum.
    """
    logs = np.log(np.abs(spectra).astype(np.float64) + _FLOOR)
    cepstra = np.fft.irfft(logs, axis=0)
    cutoff = s_to_samples(_ENVELOPE_S, rate_hz)
    cepstra[cutoff + 1 : -cutoff] = 0.0
    return np.asarray(np.fft.rfft(cepstra, axis=0).real)
