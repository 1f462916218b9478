"""Synthesize room tone: the audio of a room in which nobody speaks."""

import numpy as np

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

_FRAME_S = 0.032
#: So much of a clip is a pause for sure: even who talks without a break shuts the lips before
#: each p and b. Whatever is at most 6 dB above it in power is taken for one as well.
_QUIET_SHARE = 0.02
_QUIET_RANGE = 4.0
#: Silence before the first audio and behind the last is the encoder's, not the room's.
_SILENCE = 1e-5


def room_tone(
    audio: Audio, num_audio_samples: int, rate_hz: int, rng: np.random.Generator
) -> Audio:
    """Synthesize noise with the spectrum and level of a clip's quietest moments.

    New noise rather than a copy: a copied pause is found by looking for its twin.

    Args:
        audio: The whole clip, shape ``(sample,)``; a silent one has a silent room.
        num_audio_samples: Number of samples to synthesize.
        rate_hz: Sample rate, in Hz.
        rng: Source of the noise.
    """
    nonzero = np.flatnonzero(np.abs(audio) > _SILENCE)
    if nonzero.size:
        audio = audio[nonzero[0] : nonzero[-1] + 1]
    size = min(s_to_samples(_FRAME_S, rate_hz), audio.size)
    frames = audio[: audio.size // size * size].reshape(-1, size).astype(np.float64)
    window = np.hanning(size + 2)[1:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2 / np.sum(window**2)
    loudness = power.sum(axis=1)
    quietest = _QUIET_RANGE * np.quantile(loudness, _QUIET_SHARE)
    quiet = power[loudness <= max(quietest, loudness.min())].mean(axis=0)
    noise = np.fft.rfft(rng.standard_normal(num_audio_samples))
    frequencies = np.fft.rfftfreq(num_audio_samples)
    spectrum = np.interp(frequencies, np.fft.rfftfreq(size), quiet)
    shaped = np.fft.irfft(noise * np.sqrt(spectrum), num_audio_samples)
    return shaped.astype(np.float32)
