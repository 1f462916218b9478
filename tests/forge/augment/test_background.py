"""Music and laughter under speech, and between it."""

import numpy as np
import pytest

from mmmsba_plugin.forge.augment.audio import mix
from mmmsba_plugin.forge.augment.background import (
    lay_background,
    synthesize_laughter,
    synthesize_music,
)
from mmmsba_plugin.forge.augment.pipeline import Processing

RATE_HZ = 16_000
KINDS = ["music", "laughter"]


@pytest.fixture(scope="module")
def speech():
    """A second of noise as loud as speech, and a second's pause."""
    rng = np.random.default_rng(0)
    return np.concatenate([0.1 * rng.standard_normal(RATE_HZ), np.zeros(RATE_HZ)])


def laid(speech, kind, place="under", snr_db=10.0, seed=0):
    return lay_background(
        speech,
        kind,
        place,
        snr_db=snr_db,
        sample_rate_hz=RATE_HZ,
        rng=np.random.default_rng(seed),
    )


def rms(audio):
    return np.sqrt(np.mean(audio**2))


@pytest.mark.parametrize("kind", KINDS)
def test_background_lies_as_far_below_the_speech_as_told(speech, kind):
    added = laid(speech, kind, snr_db=12.0) - speech
    assert 20 * np.log10(rms(speech[:RATE_HZ]) / rms(added)) == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_background_between_speech_gives_way_to_it(speech, kind):
    added = laid(speech, kind, "between") - speech
    assert rms(added[: RATE_HZ // 2]) < 1e-6
    assert rms(added[-RATE_HZ // 2 :]) > 0


@pytest.mark.parametrize("synthesize", [synthesize_music, synthesize_laughter])
@pytest.mark.parametrize("size", [1, 100, 30_001])
def test_background_of_any_length_is_another_with_each_seed(synthesize, size):
    first, second = (synthesize(size, RATE_HZ, np.random.default_rng(s)) for s in (0, 1))
    assert first.shape == second.shape == (size,)
    assert np.isfinite(first).all()
    assert size <= 100 or not np.array_equal(first, second)


def test_laughter_comes_in_notes_five_a_second():
    laughter = synthesize_laughter(20 * RATE_HZ, RATE_HZ, np.random.default_rng(2))
    envelope = np.sqrt(np.mean(laughter.reshape(-1, 160) ** 2, axis=1))
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    rates_hz = np.fft.rfftfreq(envelope.size, 0.01)
    near, far = (rates_hz > 3.5) & (rates_hz < 6), (rates_hz > 10) & (rates_hz < 20)
    assert spectrum[near].mean() > 2 * spectrum[far].mean()


def test_silence_gets_no_background(speech):
    assert not laid(np.zeros_like(speech), "music").any()


def test_a_file_with_background_says_so():
    processing = Processing(background=("music", "under"), background_db=10.0)
    audio = (0.1 * np.random.default_rng(3).standard_normal(RATE_HZ)).astype(np.float32)
    mixed = mix(audio, processing, sample_rate_hz=RATE_HZ, rng=np.random.default_rng(0))
    assert mixed.size == audio.size
    assert np.corrcoef(mixed, audio)[0, 1] > 0.9
    assert processing.to_metadata()["background"] == ["music", "under"]
