"""Audio, degraded as on its way to a viewer, and that no time is moved by it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.augment.audio import filter_taps, mix
from mmmsba_plugin.forge.augment.pipeline import (
    Processing,
)

RATE_HZ = 16_000


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(seconds=2.0, level=0.1):
    return (level * rng(9).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def mixed(audio, seed=0, **processing):
    return mix(audio, Processing(**processing), sample_rate_hz=RATE_HZ, rng=rng(seed))


def level_db(audio, low_hz=0, high_hz=8000):
    spectrum = np.abs(np.fft.rfft(audio.astype(np.float64))) ** 2
    freqs_hz = np.fft.rfftfreq(audio.size, 1 / RATE_HZ)
    return 10 * np.log10(spectrum[(freqs_hz >= low_hz) & (freqs_hz < high_hz)].mean())


def test_audio_that_nothing_is_done_to_stays_as_it_is():
    np.testing.assert_allclose(mixed(noise()), noise(), atol=1e-7)
    assert mixed(np.zeros(0, np.float32), gain_db=3.0).size == 0


def test_a_band_is_shut_and_the_rest_stays():
    audio = noise()
    shut = mixed(audio, band_hz=4000.0)
    assert level_db(shut, 4500) < level_db(audio, 4500) - 50
    assert level_db(shut, 200, 3700) == pytest.approx(level_db(audio, 200, 3700), abs=0.2)


def test_gains_of_frequencies_are_those_of_the_job():
    audio = noise(8)
    turned = mixed(audio, eq_db=(5.0, 5.0, 5.0, -5.0, -5.0, -5.0))
    assert level_db(turned, 120, 400) - level_db(audio, 120, 400) == pytest.approx(5, abs=0.7)
    assert level_db(turned, 3000, 7000) - level_db(audio, 3000, 7000) == pytest.approx(-5, abs=0.7)


def test_nothing_moves_against_the_lips():
    click = np.zeros(RATE_HZ, np.float32)
    click[5000] = 0.5
    audio = mixed(click, eq_db=(3.0, -3.0, 3.0, 0.0, 2.0, -2.0), band_hz=5000.0)
    assert np.argmax(np.abs(audio)) == 5000
    taps = filter_taps(Processing(band_hz=5000.0), RATE_HZ)
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)


def test_a_higher_voice_says_the_same_at_the_same_time():
    times_s = np.arange(2 * RATE_HZ) / RATE_HZ
    bursts = (np.floor(times_s * 4) % 2 == 0) & (times_s > 0.1)
    audio = (0.2 * bursts * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    higher = mixed(audio, pitch_semitones=2.0)
    assert higher.size == audio.size
    spectrum = np.abs(np.fft.rfft(higher))
    peak_hz = np.fft.rfftfreq(higher.size, 1 / RATE_HZ)[np.argmax(spectrum)]
    assert peak_hz == pytest.approx(440 * 2 ** (2 / 12), rel=0.01)
    loud = [np.abs(s).reshape(-1, 320).max(axis=1) > 0.05 for s in (audio, higher)]
    assert np.mean(loud[0] == loud[1]) > 0.9


@given(hiss_db=st.floats(20, 45))
@settings(max_examples=10)
def test_noise_lies_below_the_voice_by_the_signal_to_noise_ratio(hiss_db):
    audio = noise()
    added = mixed(audio, hiss_db=hiss_db) - audio
    assert level_db(audio) - level_db(added) == pytest.approx(hiss_db, abs=0.5)


@given(gain_db=st.floats(-9, 20), level=st.floats(0.01, 0.5))
@settings(max_examples=30)
def test_louder_audio_is_never_clipped(gain_db, level):
    audio = np.clip(noise(0.5, level), -1, 1)
    louder = mixed(audio, gain_db=gain_db)
    assert np.abs(louder).max() <= 0.99 + 1e-6
    gain = np.abs(louder).max() / np.abs(audio).max()
    np.testing.assert_allclose(louder, gain * audio, atol=1e-5)
