"""Audio as spectra a few milliseconds apart, and the shape that a throat gives them."""

import math

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

#: Complex spectra, shape ``(frequency, frame)``.
Spectra = NDArray[np.complex64]

#: Neighbouring windows share three quarters, as resynthesis from magnitudes wants it.
HOPS_PER_WINDOW = 4
#: The shape of a throat is what changes slowly over frequency: echoes of the spectrum that
#: are shorter than this, which is less than the period of a voice of 400 Hz.
_THROAT_S = 0.002
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
    """Return the short-time spectra of a audio that is at least ``window`` samples long."""
    import librosa

    hop = window // HOPS_PER_WINDOW
    found = librosa.stft(audio.astype(np.float32), n_fft=window, hop_length=hop)
    return np.asarray(found, dtype=np.complex64)


def invert_stft(found: Spectra, num_audio_samples: int) -> Audio:
    """Return the audio that spectra belong to; undoes :func:`spectra`."""
    import librosa

    window = 2 * (len(found) - 1)
    hop = window // HOPS_PER_WINDOW
    audio = librosa.istft(found, n_fft=window, hop_length=hop, length=num_audio_samples)
    return np.asarray(audio, dtype=np.float32)


def compute_spectral_envelope(found: Spectra, rate_hz: int) -> NDArray[np.float64]:
    """Return the smooth shape of each spectrum, shape ``(frequency, frame)``.

    Returns:
        Its natural logarithm.

    Source:
        Cepstral smoothing: a low pass over the logarithm of the spectrum.
    """
    logs = np.log(np.abs(found).astype(np.float64) + _FLOOR)
    cepstra = np.fft.irfft(logs, axis=0)
    kept = s_to_samples(_THROAT_S, rate_hz)
    cepstra[kept + 1 : -kept] = 0.0
    return np.asarray(np.fft.rfft(cepstra, axis=0).real)
