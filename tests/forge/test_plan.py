"""Fake segments of a clip and their donors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.plan import (
    SegmentConfig,
    draw_length_s,
    find_donor,
    plan_segments,
    propose_audio,
    propose_frames,
)
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

from .clips import RATE_HZ, face_at, talk


@given(
    seed=st.integers(0, 2**32),
    num_frames=st.integers(25, 300),
    fps_hz=st.sampled_from([12.0, 25.0, 29.97, 60.0]),
    first=st.integers(0, 20),
    with_audio=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_planned_frames_keep_every_promise(seed, num_frames, fps_hz, first, with_audio):
    face = face_at(range(first, num_frames), num_frames, fps_hz=fps_hz)
    config, rng = SegmentConfig(), np.random.default_rng(seed)
    duration_s = num_frames / fps_hz
    audio = talk(rng, duration_s) if with_audio else None
    propose = propose_frames(face, config, needs_donor=True, audio=audio, rate_hz=RATE_HZ)
    planned = plan_segments(propose, duration_s=duration_s, config=config, rng=rng)
    assert len(planned) <= 3
    assert sum(s.time.duration_s for s in planned) <= 0.5 * duration_s + 1e-6
    for earlier, later in pairwise(planned):
        assert later.time.start_s - earlier.time.end_s >= 0.3 - 1e-5
    for segment in planned:
        here, there = segment.frames, segment.donors
        assert segment.time == Segment(face.edges_s[here.start], face.edges_s[here.stop])
        assert 0.1 - 1e-5 <= segment.time.duration_s <= 1.6 + 1e-5
        assert len(there) == len(here)
        assert not set(here) & set(there)
        assert (face.track[here] == 0).all()
        assert (face.track[there] == 0).all()
        if with_audio:
            assert segment.time.end_s * RATE_HZ <= audio.size + 1


@given(seed=st.integers(0, 2**32), seconds=st.floats(1.0, 12.0))
@settings(max_examples=40, deadline=None)
def test_planned_audio_keeps_every_promise(seed, seconds):
    config, rng = SegmentConfig(), np.random.default_rng(seed)
    audio = talk(rng, seconds)
    planned = plan_segments(
        propose_audio(audio, RATE_HZ), duration_s=seconds, config=config, rng=rng
    )
    assert 1 <= len(planned) <= 3
    for earlier, later in pairwise(planned):
        assert later.time.start_s - earlier.time.end_s >= 0.3 - 1e-5
    for segment in planned:
        # Rounding to a sample may take half a sample off.
        assert 0.1 - 1e-4 <= segment.time.duration_s <= 1.6 + 1e-4
        assert segment.time.start_s >= 0
        assert segment.time.end_s * RATE_HZ <= audio.size + 1e-6


@pytest.mark.parametrize(
    ("short_share", "mean_s", "median_s", "low_s", "high_s"),
    [(0.0, 0.65, 0.66, 0.1, 1.6), (1.0, 0.36, 0.35, 0.2, 0.6)],
    ids=["lav-df", "av-deepfake1m"],
)
def test_lengths_are_those_of_the_field(short_share, mean_s, median_s, low_s, high_s):
    config, rng = SegmentConfig(short_share=short_share), np.random.default_rng(0)
    lengths_s = np.array([draw_length_s(config, rng) for _ in range(4000)])
    # 4000 draws of spread 0.3 s have a mean known to 0.005 s.
    assert lengths_s.mean() == pytest.approx(mean_s, abs=0.02)
    assert np.median(lengths_s) == pytest.approx(median_s, abs=0.02)
    assert low_s <= lengths_s.min() < lengths_s.max() <= high_s


def test_a_pause_is_not_fake():
    rng = np.random.default_rng(0)
    audio = np.concatenate([talk(rng, 2), np.zeros(8 * RATE_HZ, np.float32)])
    config = SegmentConfig()
    face = face_at(range(250), 250)
    for propose in (
        propose_audio(audio, RATE_HZ),
        propose_frames(face, config, needs_donor=False, audio=audio, rate_hz=RATE_HZ),
    ):
        planned = plan_segments(propose, duration_s=10, config=config, rng=rng)
        assert planned
        assert all(segment.time.start_s < 2 for segment in planned)


def test_a_clip_that_is_too_short_gets_no_segment():
    propose = propose_audio(np.zeros(1600, np.float32), RATE_HZ)
    planned = plan_segments(
        propose, duration_s=0.1, config=SegmentConfig(), rng=np.random.default_rng(0)
    )
    assert planned == []


def test_a_donor_is_far_off_where_the_clip_allows():
    face = face_at(range(100), 100)
    for seed in range(20):
        there = find_donor(face, range(40, 50), gap_s=0.3, rng=np.random.default_rng(seed))
        assert there.stop <= 40 - 7 or there.start >= 50 + 7


def test_a_short_clip_s_donor_may_be_near_but_never_the_segment():
    face = face_at(range(22), 22)
    there = find_donor(face, range(8, 14), gap_s=0.3, rng=np.random.default_rng(0))
    assert len(there) == 6
    assert not set(there) & set(range(8, 14))


def test_a_turned_head_is_no_donor_of_a_mouth():
    face = face_at(range(100), 100)
    face.points[50:] += 20
    face.points[50:, [*LIPS_OUTER, *LIPS_INNER]] -= 20
    for seed in range(20):
        there = find_donor(face, range(60, 70), gap_s=0.3, rng=np.random.default_rng(seed))
        assert len(there) == 0 or there.start >= 50


def test_no_other_track_is_the_donor_of_a_mouth():
    face = face_at(range(60), 60)
    face.track[30:] = 1
    there = find_donor(face, range(10), gap_s=0.3, rng=np.random.default_rng(0))
    assert there.stop <= 30
