"""Audio without its noise, and that no time is moved by it."""

import numpy as np
import pytest

from mmmsba_plugin.forge.augment.denoise import denoise

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def voice():
    """Bursts of a hum of 200 Hz and its harmonics, with pauses between."""
    times_s = np.arange(2 * RATE_HZ) / RATE_HZ
    bursts = np.floor(times_s * 4) % 2 == 0
    hum = sum(np.sin(2 * np.pi * 200 * k * times_s) / k for k in range(1, 8))
    return (0.1 * bursts * hum).astype(np.float32)


def hiss(size, level):
    return (level * np.random.default_rng(0).standard_normal(size)).astype(np.float32)


def level_db(audio):
    return 10 * np.log10(np.mean(audio.astype(np.float64) ** 2))


def test_noise_in_pauses_goes_and_the_voice_stays(voice):
    noisy = voice + hiss(voice.size, 0.005)
    cleaned = denoise(noisy, attenuation_db=20, sample_rate_hz=RATE_HZ)
    assert cleaned.dtype == np.float32
    pause, burst = slice(5_000, 7_500), slice(8_500, 11_500)
    assert level_db(cleaned[pause]) < level_db(noisy[pause]) - 8
    assert level_db(cleaned[burst]) == pytest.approx(level_db(noisy[burst]), abs=1)
    assert np.corrcoef(cleaned[burst], voice[burst])[0, 1] > 0.98


def test_noise_is_attenuated_no_further_than_told(voice):
    noise = hiss(voice.size, 0.01)
    cleaned = denoise(noise, attenuation_db=10, sample_rate_hz=RATE_HZ)
    assert level_db(noise) - 10.5 <= level_db(cleaned) < level_db(noise)


@pytest.mark.parametrize("size", [0, 1, 100, 4_801])
def test_any_length_is_kept(voice, size):
    assert denoise(voice[:size], attenuation_db=20, sample_rate_hz=RATE_HZ).size == size


def test_silence_stays_silent():
    silence = np.zeros(RATE_HZ, np.float32)
    cleaned = denoise(silence, attenuation_db=20, sample_rate_hz=RATE_HZ)
    assert np.abs(cleaned).max() < 1e-6
