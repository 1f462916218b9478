"""Frames, degraded as on their way to a viewer, and that no time is moved by it."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.augment.pipeline import (
    Processing,
)
from mmmsba_plugin.forge.augment.video import at_rate, develop, scaled_px, shown_at_rate
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import frames_to_s

from ...clips import numbered_frames


def rng(seed=0):
    return np.random.default_rng(seed)


def grey(level=100, width=240, height=180):
    return np.full((height, width, 3), level, np.uint8)


def developed(processing, *rgbs, seed=0):
    frames = [Frame(i / 25, rgb) for i, rgb in enumerate(rgbs)]
    return list(develop(frames, processing, rng(seed)))


@pytest.mark.parametrize(
    ("processing", "claim"),
    [
        ({"gamma": 1.15}, lambda rgb: rgb.mean() < 95),
        ({"gamma": 0.85}, lambda rgb: rgb.mean() > 105),
        ({"scale": 0.9}, lambda rgb: rgb.shape == (162, 216, 3)),
        ({"grain": 3.0}, lambda rgb: 2.7 < rgb[..., 0].std() < 3.3),
        ({"grain": 3.0}, lambda rgb: abs(rgb.mean() - 100) < 0.1),
        ({"grain": 3.0}, lambda rgb: (rgb[..., 0] == rgb[..., 2]).all()),
    ],
)
def test_a_step_does_what_it_says(processing, claim):
    for frame in developed(Processing(**processing), grey(), grey()):
        assert claim(frame.rgb)
        assert frame.rgb.dtype == np.uint8


def test_a_mirror_changes_left_and_right_over():
    rgb = np.random.default_rng(0).integers(256, size=(180, 240, 3), dtype=np.uint8)
    (mirrored,) = developed(Processing(mirror=True), rgb)
    np.testing.assert_array_equal(mirrored.rgb, rgb[:, ::-1])


def test_softening_and_sharpening_are_opposites():
    edge = np.where(np.arange(240)[None, :, None] < 120, 80, 160).astype(np.uint8)
    rgb = np.broadcast_to(edge, (180, 240, 3)).copy()
    (soft,), (sharp,) = (
        developed(Processing(**p), rgb) for p in ({"blur_px": 1}, {"sharpen": 0.5})
    )
    steepest = [int(np.abs(np.diff(p.rgb[90, :, 0].astype(int))).max()) for p in (soft, sharp)]
    assert steepest[0] < 80 < steepest[1]


def test_noise_moves_from_frame_to_frame_and_back_with_the_seed():
    first, second = developed(Processing(grain=2.0), grey(), grey())
    again, _ = developed(Processing(grain=2.0), grey(), grey())
    assert not np.array_equal(first.rgb, second.rgb)
    np.testing.assert_array_equal(first.rgb, again.rgb)


@given(width=st.integers(16, 2000), height=st.integers(16, 2000), scale=st.floats(0.1, 1.0))
def test_scaled_frames_keep_their_form_and_a_face_s_worth_of_pixels(width, height, scale):
    like = np.empty((height, width, 3), np.uint8)
    wide, high = scaled_px(like, scale)
    assert wide <= width + 1
    assert high <= height + 1
    assert min(wide, high) >= min(width, height, 160)
    assert wide / width == pytest.approx(high / height, abs=2 / min(wide, high))


@given(
    old_hz=st.sampled_from([12, 24, 25, Fraction(30000, 1001), 30, 50]),
    new_hz=st.sampled_from([24, 25, 30]),
    num_frames=st.integers(2, 120),
    start=st.integers(0, 5),
    segment=st.tuples(st.integers(0, 118), st.integers(1, 60)),
)
@settings(max_examples=80)
def test_another_rate_shows_what_was_shown_then(old_hz, new_hz, num_frames, start, segment):
    frames = list(numbered_frames(num_frames, fps_hz=old_hz, start_s=start / 10, width=16))
    end_s = start / 10 + frames_to_s(num_frames, old_hz)
    resampled = list(at_rate(frames, new_hz, end_s))
    first = min(segment[0], num_frames - 1)
    behind = min(first + segment[1], num_frames)
    edges_s = [p.pts_s for p in frames] + [end_s]
    visible = shown_at_rate(Segment(edges_s[first], edges_s[behind]), new_hz)
    for before, after in pairwise(resampled):
        assert after.pts_s - before.pts_s == pytest.approx(1 / new_hz)
    assert len(resampled) == pytest.approx((end_s - start / 10) * new_hz, abs=1.01)
    for frame in resampled:
        # Independent of how it is done: the last frame that was due by then.
        due = max(i for i, p in enumerate(frames) if p.pts_s <= frame.pts_s + 1e-6)
        assert np.array_equal(frame.rgb, frames[due].rgb)
        inside = bool(visible) and visible.start_s - 1e-6 <= frame.pts_s < visible.end_s - 1e-6
        assert inside == (first <= due < behind)
