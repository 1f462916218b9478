"""Lay music or laughter under speech or between it, as shows and online videos do.

Both are synthesized, so nothing is downloaded and no recording can be told by heart. Music is
chords and a beat; laughter is the short notes of several people. Real and fake clips get them
alike: audio that nobody's lips go with is no sign of a fake.

Source:
    Provine & Yong, "Laughter: A Stereotyped Human Vocalization", 1991, for notes of about 75 ms
    that begin about every 210 ms.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forge.audio.loudness import compute_rms, compute_speech_rms
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

BackgroundKind = Literal["music", "laughter"]
BackgroundPlace = Literal["under", "between"]

_CHORDS = ((0, 4, 7), (0, 3, 7), (5, 9, 12), (7, 11, 14), (-3, 0, 4))
_BEAT_S, _ROOT_HZ = (0.35, 0.75), (110.0, 260.0)
_BEATS_PER_CHORD = 4
#: Decay times of a plucked note and of a drum, in seconds.
_NOTE_DECAY_S, _DRUM_DECAY_S, _DRUM_LEVEL = (0.15, 0.8), 0.04, 0.5
_NUM_HARMONICS = 8
_NOTE_S, _NOTE_EVERY_S = 0.075, 0.21
_NUM_LAUGHERS, _NOTES_PER_BOUT, _BOUT_GAP_S = (2, 8), (3, 9), (0.3, 1.5)
_VOICE_HZ, _FORMANTS_HZ, _FORMANT_WIDTH_HZ = (150.0, 450.0), (700.0, 1_400.0), 250.0
_BREATH = 0.2
#: Between speech, the background gives way over about this time, in seconds.
_DUCK_S, _DUCK_SHARE = 0.25, 0.3


def lay_background(
    audio: NDArray[np.float64],
    kind: BackgroundKind,
    place: BackgroundPlace,
    *,
    snr_db: float,
    sample_rate_hz: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Add background to speech; as many samples.

    Args:
        audio: Shape ``(sample,)``.
        kind: ``music`` or ``laughter``.
        place: ``under`` all of the speech, or loud ``between`` it only.
        snr_db: Level of the speech above the background, in dB.
        sample_rate_hz: Sample rate, in Hz.
        rng: Source of the notes.
    """
    synthesize = {"music": synthesize_music, "laughter": synthesize_laughter}[kind]
    background = synthesize(audio.size, sample_rate_hz, rng)
    speech = audio.astype(np.float32)
    rms = compute_speech_rms(speech, sample_rate_hz, like=speech)
    level = rms * 10 ** (-snr_db / 20) / max(compute_rms(background), 1e-9)
    gain = compute_pauses(audio, sample_rate_hz) if place == "between" else 1.0
    return np.asarray(audio + level * gain * background)


def synthesize_music(num_audio_samples: int, rate_hz: int, rng: np.random.Generator) -> Audio:
    """Synthesize chords of plucked notes with a beat under them, shape ``(sample,)``."""
    music = np.zeros(num_audio_samples)
    beat = s_to_samples(float(rng.uniform(*_BEAT_S)), rate_hz)
    root_hz, decay_s = rng.uniform(*_ROOT_HZ), rng.uniform(*_NOTE_DECAY_S)
    chord = _CHORDS[0]
    for index, start in enumerate(range(0, num_audio_samples, beat)):
        if index % _BEATS_PER_CHORD == 0:
            chord = _CHORDS[int(rng.integers(len(_CHORDS)))]
        times_s = np.arange(min(4 * beat, num_audio_samples - start)) / rate_hz
        for semitones in chord:
            tone = _sing(root_hz * 2 ** (semitones / 12), times_s, rate_hz, rng)
            music[start : start + times_s.size] += tone * np.exp(-times_s / decay_s)
        drum = rng.standard_normal(times_s.size) * np.exp(-times_s / _DRUM_DECAY_S)
        music[start : start + times_s.size] += _DRUM_LEVEL * drum
    return music.astype(np.float32)


def synthesize_laughter(num_audio_samples: int, rate_hz: int, rng: np.random.Generator) -> Audio:
    """Synthesize the laughter of a few people, shape ``(sample,)``."""
    laughter = np.zeros(num_audio_samples)
    note_size, every = (s_to_samples(t, rate_hz) for t in (_NOTE_S, _NOTE_EVERY_S))
    for _ in range(int(rng.integers(*_NUM_LAUGHERS))):
        voice_hz = float(rng.uniform(*_VOICE_HZ))
        start = int(rng.integers(every))
        while start < num_audio_samples:
            num_notes = int(rng.integers(*_NOTES_PER_BOUT))
            for turn in range(num_notes):
                size = min(note_size, num_audio_samples - start)
                if size <= 0:
                    break
                # The pitch falls and the breath runs out along a bout.
                fading = 1 - 0.5 * turn / num_notes
                times_s = np.arange(size) / rate_hz
                tone = _sing(voice_hz * (0.7 + 0.3 * fading), times_s, rate_hz, rng, vowel=True)
                tone = tone + _BREATH * rng.standard_normal(size)
                laughter[start : start + size] += fading * tone * np.hanning(note_size)[:size]
                start += round(every * rng.uniform(0.85, 1.15))
            start += s_to_samples(float(rng.uniform(*_BOUT_GAP_S)), rate_hz)
    return laughter.astype(np.float32)


def compute_pauses(audio: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """Compute the gain of a background that gives way to speech, in [0, 1], a sample each."""
    from scipy.ndimage import uniform_filter1d

    size = s_to_samples(_DUCK_S, rate_hz)
    level = np.sqrt(np.maximum(uniform_filter1d(audio**2, size), 0))
    is_quiet = level < _DUCK_SHARE * np.sqrt(np.mean(audio**2)) + 1e-9
    return np.asarray(uniform_filter1d(is_quiet.astype(np.float64), size))


def _sing(
    pitch_hz: float,
    times_s: NDArray[np.float64],
    rate_hz: int,
    rng: np.random.Generator,
    *,
    vowel: bool = False,
) -> NDArray[np.float64]:
    """Sum the harmonics of a note, by the formants of an open vowel or falling off."""
    tone = np.zeros(times_s.size)
    for harmonic in range(1, _NUM_HARMONICS + 1):
        frequency_hz = harmonic * pitch_hz
        if frequency_hz >= rate_hz / 2:
            break
        amplitude = 1 / harmonic
        if vowel:
            away = (np.array(_FORMANTS_HZ) - frequency_hz) / _FORMANT_WIDTH_HZ
            amplitude *= 0.1 + float(np.exp(-(away**2)).sum())
        tone += amplitude * np.sin(2 * np.pi * (frequency_hz * times_s + rng.random()))
    return tone
