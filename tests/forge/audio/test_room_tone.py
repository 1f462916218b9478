"""Room tone."""

import numpy as np
import pytest
from scipy.signal import lfilter

from mmmsba_plugin.forge.audio.loudness import (
    compute_rms,
)
from mmmsba_plugin.forge.audio.room_tone import room_tone

from .speech import RATE_HZ, noise, talk


@pytest.mark.parametrize("size", [80, 1000, 40_000])
def test_room_tone_is_like_its_pauses(size):
    rng = np.random.default_rng(0)
    # Brown noise under speech: the room hums more than it hisses.
    hum = lfilter([0.01], [1.0, -0.95], rng.standard_normal(4 * RATE_HZ))
    audio = hum.astype(np.float32)
    audio[: 3 * RATE_HZ] += talk()[: 3 * RATE_HZ]
    tones = [room_tone(audio, size, RATE_HZ, np.random.default_rng(s)) for s in range(20)]
    assert all(t.shape == (size,) for t in tones)
    level = np.sqrt(np.mean(np.square(tones)))
    assert level == pytest.approx(compute_rms(audio[-RATE_HZ:]), rel=0.4)
    low, high = (
        np.mean([np.abs(np.fft.rfft(t))[band].mean() for t in tones])
        for band in (slice(1, size // 16), slice(size // 4, None))
    )
    assert low > 3 * high


def test_the_silence_that_an_encoder_adds_is_not_the_room():
    audio = noise(2.0)
    padded = np.concatenate([np.zeros(4000, np.float32), audio, np.zeros(9000, np.float32)])
    tone, of_padded = (
        room_tone(s, RATE_HZ, RATE_HZ, np.random.default_rng(0)) for s in (audio, padded)
    )
    np.testing.assert_allclose(of_padded, tone, atol=0.01)
    assert compute_rms(of_padded) > 0.08


def test_a_silent_clip_has_a_silent_room():
    tone_ = room_tone(np.zeros(RATE_HZ, np.float32), 500, RATE_HZ, np.random.default_rng(0))
    np.testing.assert_array_equal(tone_, 0)
