"""Levels of speech, gains, and spans with most speech."""

import numpy as np
import pytest

from mmmsba_plugin.forge.audio.loudness import (
    MAX_GAIN,
    PEAK,
    compute_gain,
    compute_rms,
    compute_speech_rms,
    compute_speech_share,
    select_most_speech,
)

from .speech import RATE_HZ, tone


def half_silent():
    """A tone of one second, then as much silence."""
    return np.concatenate([tone(200, 1.0), np.zeros(RATE_HZ, np.float32)])


def test_the_speech_rms_leaves_pauses_out():
    audio = half_silent()
    assert compute_speech_share(audio, RATE_HZ, like=audio) == pytest.approx(0.5)
    assert compute_speech_rms(audio, RATE_HZ, like=audio) == pytest.approx(0.3 / 2**0.5, rel=1e-3)
    assert compute_rms(audio) == pytest.approx(0.3 / 2, rel=1e-3)


def test_the_speech_rms_of_a_pause_is_that_of_the_whole_clip():
    audio = half_silent()
    pause = audio[RATE_HZ:]
    expected = compute_speech_rms(audio, RATE_HZ, like=audio)
    assert compute_speech_rms(pause, RATE_HZ, like=audio) == expected
    assert compute_speech_rms(pause, RATE_HZ, like=pause) == 0.0
    assert compute_rms(pause[:0]) == 0.0


def test_the_span_with_most_speech_is_selected():
    audio = half_silent()[::-1].copy()
    starts = np.array([0, RATE_HZ // 2, RATE_HZ])
    np.testing.assert_array_equal(
        select_most_speech(audio, RATE_HZ, RATE_HZ, starts=starts), audio[RATE_HZ:]
    )


def test_a_gain_reaches_the_target_rms_and_never_clips():
    audio = tone(200, level=0.1)
    assert compute_gain(audio, 0.1, 0.3) == pytest.approx(3.0)
    assert compute_gain(audio, 0.1, 0.01) == pytest.approx(0.1)
    assert compute_gain(audio, 1e-6, 0.3) == pytest.approx(min(MAX_GAIN, PEAK / 0.1), rel=1e-3)
    assert compute_gain(3 * audio, 0.0, 0.3) == 1.0
    assert compute_gain(20 * audio, 0.0, 0.3) == pytest.approx(PEAK / 2, rel=1e-3)
