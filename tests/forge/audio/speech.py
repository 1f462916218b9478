"""Jobs on synthetic speech, tones and noise, and measurements of audio, for the tests here."""

from functools import cache

import librosa
import numpy as np
from scipy.signal import lfilter

from mmmsba_plugin.forge.audio.stft import (
    compute_spectral_envelope,
    compute_stft,
)
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS, compose, sing
from mmmsba_plugin.forger import AudioJob

RATE_HZ = 16_000
NAMES = (
    "splice",
    "repeat",
    "shift",
    "delete",
    "insert",
    "pitch",
    "tempo",
    "resynth",
    "recode",
    "vocode",
    "voice",
    "speak",
)
#: Forgers that make the new audio of the segment itself, and so need speech in it.
OF_THE_SEGMENT = ("delete", "pitch", "tempo", "resynth", "recode", "vocode", "voice")
#: An editor's fade, which all of them have by default.
FADE = 160


@cache
def talk(speaker=0, seconds=4.0, rate_hz=RATE_HZ):
    """Syllables of one of the crude voices; not to be written to."""
    rng = np.random.default_rng(speaker)
    score = compose(SPEAKERS[speaker], seconds=seconds, rng=rng)
    audio = sing(score, SPEAKERS[speaker], sample_rate_hz=rate_hz, rng=rng)
    audio.flags.writeable = False
    return audio


def job_at(start_s, length_s, *, audio=None, rate_hz=RATE_HZ):
    audio = talk(rate_hz=rate_hz) if audio is None else audio
    start, end = round(start_s * rate_hz), round((start_s + length_s) * rate_hz)
    return AudioJob(audio, start, end, rate_hz, donor=talk(3, rate_hz=rate_hz))


def forge(forger, job, seed=0):
    return forger.forge_audio(job, np.random.default_rng(seed))


def in_place(job, fake):
    whole = job.audio.copy()
    whole[job.start : job.end] = fake
    return whole


def apart_db(audio, other):
    """Compute the mean distance of the log-mels of two spans, where either is audible, in dB."""
    mels = [
        librosa.feature.melspectrogram(y=s, sr=RATE_HZ, n_fft=512, hop_length=160, n_mels=64)
        for s in (audio, other)
    ]
    floor = max(mel.max() for mel in mels) * 1e-4
    first, second = (10 * np.log10(mel + floor) for mel in mels)
    return float(np.abs(first - second)[np.maximum(*mels) > floor].mean())


def tone(hz, seconds=4.0, level=0.3):
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)


def strongest_hz(audio):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 1 << 18))
    return float(np.argmax(spectrum)) * RATE_HZ / (1 << 18)


def noise(seconds=4.0, seed=0):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def vowel(formant_hz, pitch_hz=110.0):
    """One resonance over pulses."""
    pulses = np.diff(np.floor(np.arange(2 * RATE_HZ) * pitch_hz / RATE_HZ), prepend=0.0)
    radius = np.exp(-np.pi * 120 / RATE_HZ)
    angle = 2 * np.pi * formant_hz / RATE_HZ
    audio = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], pulses)
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


def formant_of(audio):
    shape = compute_spectral_envelope(compute_stft(audio, 512), RATE_HZ).mean(axis=1)
    return float(np.argmax(shape[10:]) + 10) * RATE_HZ / 512
