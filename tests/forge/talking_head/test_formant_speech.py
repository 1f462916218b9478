"""Syllables, and the voice that says them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.talking_head.formant_speech import CONTROL_HZ, SPEAKERS, compose, sing

RATE_HZ = 16_000


def test_speakers_differ_in_pitch():
    def pitch_hz(speaker):
        rng = np.random.default_rng(0)
        score = compose(speaker, seconds=3, rng=rng)
        audio = sing(score, speaker, sample_rate_hz=RATE_HZ, rng=rng)
        spectrum = np.abs(np.fft.rfft(audio, n=2 * audio.size)) ** 2
        echo = np.fft.irfft(spectrum)[RATE_HZ // 400 : RATE_HZ // 60]
        return RATE_HZ / (int(np.argmax(echo)) + RATE_HZ // 400)

    for speaker in SPEAKERS:
        # The melody wanders by about 8 %.
        assert pitch_hz(speaker) == pytest.approx(speaker.pitch_hz, rel=0.25)


@given(seed=st.integers(0, 2**32), seconds=st.floats(0.1, 5.0), speaker=st.sampled_from(SPEAKERS))
@settings(max_examples=25, deadline=None)
def test_a_score_is_as_long_as_asked_and_within_bounds(seed, seconds, speaker):
    score = compose(speaker, seconds=seconds, rng=np.random.default_rng(seed))
    for column in (score.opening, score.width, score.voice, score.hiss):
        assert column.size == round(seconds * CONTROL_HZ) + 1
        # Rounding corners is a weighted mean, so only rounding errors lie outside.
        assert column.min() >= -1e-9
        assert column.max() <= 1 + 1e-9


def test_audio_never_clips_and_is_never_digital_silence():
    rng = np.random.default_rng(1)
    audio = sing(
        compose(SPEAKERS[0], seconds=3, rng=rng), SPEAKERS[0], sample_rate_hz=RATE_HZ, rng=rng
    )
    assert np.abs(audio).max() <= 0.99
    chunks = audio[: audio.size // 320 * 320].reshape(-1, 320)
    assert chunks.std(axis=1).min() > 1e-5
