"""Audio through speech codecs."""

import numpy as np
import pytest
import scipy.signal

from mmmsba_plugin.forge.augment.audio import mix
from mmmsba_plugin.forge.augment.pipeline import Processing
from mmmsba_plugin.forge.augment.speech_codec import code_speech
from mmmsba_plugin.testing import samples

RATE_HZ = samples.SAMPLE_RATE_HZ
CODECS = [("g722", None), ("g723_1", None), ("opus", 6_000), ("opus", 16_000)]


@pytest.fixture(scope="module")
def voice():
    """Noise of a voice's band that comes and goes; a hum would look the same a period later."""
    rng = np.random.default_rng(0)
    band = scipy.signal.butter(4, [200, 3000], btype="band", fs=RATE_HZ, output="sos")
    noise = scipy.signal.sosfilt(band, rng.normal(size=48_000))
    return (0.3 * noise * np.repeat(rng.uniform(0.1, 1, 30), 1_600)).astype(np.float32)


@pytest.mark.parametrize(("codec", "bit_rate"), CODECS)
def test_coded_audio_has_the_same_times(voice, codec, bit_rate):
    coded = code_speech(voice, codec, bit_rate=bit_rate, sample_rate_hz=RATE_HZ)
    assert (coded.size, coded.dtype) == (voice.size, np.float32)
    assert not np.array_equal(coded, voice)
    lags = scipy.signal.correlation_lags(coded.size, voice.size)
    lag = lags[np.argmax(scipy.signal.correlate(coded, voice))]
    assert abs(lag) <= 2
    assert np.corrcoef(coded, voice)[0, 1] > 0.3


def test_a_telephone_has_no_treble(voice):
    rng = np.random.default_rng(1)
    hiss = rng.normal(0, 0.1, voice.size).astype(np.float32)
    coded = code_speech(hiss, "g723_1", bit_rate=None, sample_rate_hz=RATE_HZ)
    power = np.abs(np.fft.rfft(coded)) ** 2
    assert power[power.size // 2 + 2_000 :].sum() < 0.01 * power.sum()


@pytest.mark.parametrize("size", [0, 1, 100, 4_801])
def test_any_length_is_kept(voice, size):
    for codec, bit_rate in CODECS:
        coded = code_speech(voice[:size], codec, bit_rate=bit_rate, sample_rate_hz=RATE_HZ)
        assert coded.size == size


def test_another_sample_rate_is_kept(voice):
    coded = code_speech(voice, "g722", bit_rate=None, sample_rate_hz=22_050)
    assert coded.size == voice.size
    assert np.corrcoef(coded, voice)[0, 1] > 0.8


def test_silence_stays_silent():
    silence = np.zeros(16_000, dtype=np.float32)
    for codec, bit_rate in CODECS:
        coded = code_speech(silence, codec, bit_rate=bit_rate, sample_rate_hz=RATE_HZ)
        assert np.abs(coded).max() < 0.01


def test_a_part_of_a_clip_can_be_a_call(voice):
    processing = Processing(call=("g723_1", 6_300), call_part=(0.25, 0.5))
    mixed = mix(voice, processing, sample_rate_hz=RATE_HZ, rng=np.random.default_rng(0))
    differs = np.abs(mixed - voice) > 1e-6
    assert not differs[:12_000].any()
    assert not differs[24_000:].any()
    assert differs[12_000:24_000].mean() > 0.9
