"""Crossfades, joints and overlays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import (
    CrossfadeConfig,
    compute_fade_weights,
    crossfade,
    crossfade_concat,
    find_disjoint_starts,
    overlay,
    slice_padded,
)
from mmmsba_plugin.forge.audio.loudness import (
    PEAK,
)
from mmmsba_plugin.forger import AudioJob

from .speech import RATE_HZ, tone


@given(size=st.integers(0, 500), seed=st.integers(0, 100))
def test_audio_faded_into_itself_is_that_audio(size, seed):
    audio = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    np.testing.assert_allclose(crossfade(audio, audio), audio, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_a_fade_keeps_the_power_whatever_two_spans_share(alike):
    rng = np.random.default_rng(0)
    old, other = rng.standard_normal((2, 200_000))
    other = alike * old + np.sqrt(1 - alike**2) * other
    middle = crossfade(old.astype(np.float32), other.astype(np.float32))[95_000:105_000]
    assert np.mean(middle**2) == pytest.approx(1.0, abs=0.05)


@given(first=st.integers(0, 300), second=st.integers(0, 300), fade=st.integers(0, 200))
def test_a_chain_loses_only_its_overlaps(first, second, fade):
    old, other = np.full(first, 0.5, np.float32), np.full(second, 0.5, np.float32)
    chained = crossfade_concat(old, other, fade)
    assert chained.size == first + second - min(first, second, fade)
    np.testing.assert_allclose(chained, 0.5, rtol=1e-5)


@given(size=st.integers(1, 900), fade_s=st.floats(0, 0.1), seed=st.integers(0, 100))
def test_an_overlay_is_untouched_between_its_fades(size, fade_s, seed):
    rng = np.random.default_rng(seed)
    audio, new = (0.1 * rng.standard_normal(n).astype(np.float32) for n in (1000, size))
    job = AudioJob(audio, 50, 50 + size, RATE_HZ)
    fake = overlay(job, new, CrossfadeConfig(fade_s=fade_s))
    fade = min(round(fade_s * RATE_HZ), size // 2)
    np.testing.assert_allclose(fake[fade : size - fade], new[fade : size - fade], rtol=1e-6)
    assert fake.size == size


def test_no_overlay_clips():
    job = AudioJob(tone(100, level=1.0), 1000, 9000, RATE_HZ)
    assert np.abs(overlay(job, tone(90, level=3.0)[:8000], CrossfadeConfig())).max() <= PEAK + 1e-6


@given(start=st.integers(-50, 150), size=st.integers(0, 120))
def test_beyond_a_clip_there_is_silence(start, size):
    audio = np.arange(1, 101, dtype=np.float32)
    slice_ = slice_padded(audio, start, start + size)
    expected = [audio[i] if 0 <= i < 100 else 0.0 for i in range(start, start + size)]
    np.testing.assert_array_equal(slice_, expected)


@given(
    start=st.integers(0, 90),
    length=st.integers(1, 10),
    size=st.integers(1, 40),
    clear=st.integers(0, 20),
)
def test_elsewhere_is_clear_of_the_segment_and_complete(start, length, size, clear):
    job = AudioJob(np.zeros(100, np.float32), start, start + length, RATE_HZ)
    near = set(range(start - clear, start + length + clear))
    expected = [s for s in range(101 - size) if not near & set(range(s, s + size))]
    if expected:
        assert find_disjoint_starts(job, size, clear=clear).tolist() == expected
    else:
        with pytest.raises(ForgeError, match="give a longer clip or shorter segments"):
            find_disjoint_starts(job, size, clear=clear)


@given(size=st.integers(0, 5000), fade=st.integers(0, 5000))
def test_plain_fades_never_leave_audio_alone_at_the_ends(size, fade):
    new, old = compute_fade_weights(size, fade)
    np.testing.assert_allclose(new**2 + old**2, 1.0, rtol=1e-12)
    assert (new > 0).all()
    np.testing.assert_allclose(new, new[::-1], atol=1e-12)


@given(size=st.integers(2, 5000), fade=st.integers(0, 5000))
def test_fades_keep_the_power_of_uncorrelated_audio(size, fade):
    new, old = compute_fade_weights(size, fade)
    np.testing.assert_allclose(new**2 + old**2, 1.0, rtol=1e-12)
    assert (new > 0).all()
    np.testing.assert_allclose(new, new[::-1], atol=1e-12)
