"""Take the noise out of audio, as telephones, meetings and editors do.

What such a filter leaves, gaps between harmonics and faint musical tones, is in most recorded
speech today. Real and fake clips go through it alike, so that a detector does not take a
denoiser for a synthesizer.

Source:
    Ephraim & Malah, "Speech Enhancement Using a Minimum Mean-Square Error Short-Time Spectral
    Amplitude Estimator", 1984, for the decision-directed signal-to-noise ratio; the gain is
    Wiener's.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forge.audio.stft import Spectra, compute_stft, invert_stft, window_size
from mmmsba_plugin.forger import Audio

_WINDOW_S = 0.032
#: The noise of a frequency is the power of its quietest fifth, which is a little below its mean.
_QUIET_SHARE, _NOISE_BIAS = 0.2, 2.0
#: Weight of the frame before in the signal-to-noise ratio: Ephraim & Malah's.
_MEMORY = 0.98
_LEAST_SNR = 10 ** (-25 / 10)
_TINY = 1e-12


def denoise(audio: Audio, *, attenuation_db: float, sample_rate_hz: int) -> Audio:
    """Attenuate the noise of audio; as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``; one shorter than a window, about 32 ms, stays as it is.
        attenuation_db: Largest attenuation of a frequency, in dB.
        sample_rate_hz: Sample rate, in Hz.
    """
    window = window_size(_WINDOW_S, sample_rate_hz)
    if audio.size < window:
        return audio
    spectra = compute_stft(audio, window)
    least_gain = 10 ** (-attenuation_db / 20)
    gains = np.maximum(compute_wiener_gains(spectra), least_gain)
    return invert_stft((gains * spectra).astype(np.complex64), audio.size)


def compute_wiener_gains(spectra: Spectra) -> NDArray[np.float64]:
    """Compute Wiener's gain of each frequency and frame, in [0, 1].

    Args:
        spectra: Shape ``(frequency, frame)``.
    """
    power = np.abs(spectra).astype(np.float64) ** 2
    noise = _NOISE_BIAS * np.quantile(power, _QUIET_SHARE, axis=1) + _TINY
    posterior_snr = power / noise[:, None]
    gains = np.empty_like(power)
    speech_snr = np.ones(len(noise))
    for frame, snr in enumerate(posterior_snr.T):
        new_snr = np.maximum(snr - 1, 0)
        prior_snr = np.maximum(_MEMORY * speech_snr + (1 - _MEMORY) * new_snr, _LEAST_SNR)
        gains[:, frame] = prior_snr / (1 + prior_snr)
        speech_snr = gains[:, frame] ** 2 * snr
    return gains
