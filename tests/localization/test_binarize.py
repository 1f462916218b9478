"""Scores along time become segments that open and close at two thresholds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import ConfigError, ScoreRangeError
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid

GRID = Grid(stride_s=0.5)
SCORES = np.array([0.1, 0.8, 0.6, 0.4, 0.1])

unit = st.floats(0.0, 1.0)
score_rows = arrays(np.float64, st.integers(0, 40), elements=unit)


def segments_of(scores, grid=GRID, *, end_s=None, onset=0.5, offset=None, min_segment_s=0.0):
    """Return segments at the edges of cells."""
    config = LocalizationConfig(
        onset=onset, offset=onset if offset is None else offset, min_segment_s=min_segment_s
    )
    end_s = scores.size * grid.stride_s if end_s is None else end_s
    return [segment for segment, _ in localize(scores, None, grid, end_s=end_s, config=config)]


@pytest.mark.parametrize("wrong", [3.2, -0.5, float("nan")])
def test_logits_are_refused(wrong):
    with pytest.raises(ScoreRangeError, match=rf"got {wrong:g}; are these logits\?"):
        localize(np.array([0.5, wrong]), None, GRID, end_s=1.0)


def test_a_segment_opens_at_onset_and_closes_below_offset():
    assert segments_of(SCORES, onset=0.7, offset=0.3) == [Segment(0.5, 2.0)]
    assert segments_of(SCORES, onset=0.7) == [Segment(0.5, 1.0)]
    # Snippet 0 lies between the thresholds, and nothing is open yet.
    rising = np.array([0.5, 0.9, 0.5, 0.1, 0.5])
    assert segments_of(rising, onset=0.7, offset=0.3) == [Segment(0.5, 1.5)]


def open_by_loop(scores, onset, offset):
    is_open, flags = False, []
    for score in scores:
        is_open = score >= onset if not is_open else score >= offset
        flags.append(is_open)
    return flags


@given(score_rows, unit, unit)
def test_localization_is_a_schmitt_trigger(scores, a, b):
    offset, onset = sorted((a, b))
    segments = segments_of(scores, onset=onset, offset=offset)
    middles_s = GRID.centers_s(scores.size)
    flags = [any(middle_s in segment for segment in segments) for middle_s in middles_s]
    assert flags == open_by_loop(scores, onset, offset)
    assert all(x.end_s < y.start_s for x, y in pairwise(segments))


def test_the_last_segment_ends_with_the_clip():
    assert segments_of(np.ones(3), end_s=1.2) == [Segment(0.0, 1.2)]


def test_segments_that_are_too_short_are_dropped_and_exact_ones_stay():
    scores = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    grid = Grid(stride_s=0.1)
    assert len(segments_of(scores, grid, min_segment_s=0.1)) == 2
    assert segments_of(scores, grid, min_segment_s=0.11) == segments_of(scores, grid)[1:]


def test_an_offset_above_the_onset_is_refused():
    with pytest.raises(ConfigError, match=r"offset 0\.6 must not be above onset 0\.5"):
        LocalizationConfig.read({"onset": 0.5, "offset": 0.6})


def test_without_distances_segments_end_at_the_edges_of_cells():
    segments = localize(SCORES, None, GRID, end_s=2.5)
    assert segments == [(Segment(0.5, 2.0), 0.8)]


def test_the_snippets_of_a_run_vote_on_its_ends():
    # Truth is [0.6, 1.9); the outer two of four know nothing of it, the inner two agree.
    scores = np.array([0.1, 0.5, 0.9, 0.9, 0.5, 0.1])
    centers_s = GRID.centers_s(6)
    distances = np.stack([centers_s - 0.6, 1.9 - centers_s], axis=1) / 0.5
    distances[[0, 1, 4, 5]] = [7.0, 7.0]
    segments = localize(scores, distances, GRID, end_s=3.0)
    assert [(s.start_s, s.end_s) for s, _ in segments] == [(pytest.approx(0.6), pytest.approx(1.9))]
    assert segments[0][1] == 0.9


def test_a_run_in_which_nobody_has_a_view_keeps_the_edges_of_its_cells():
    segments = localize(SCORES, np.zeros((5, 2)), GRID, end_s=1.8)
    assert segments == [(Segment(0.5, 1.8), 0.8)]


def test_runs_whose_votes_make_them_meet_are_one_manipulation():
    scores = np.array([0.9, 0.1, 0.7, 0.1, 0.1, 0.1, 0.8])
    distances = np.array([[0.5, 1.5]] * 6 + [[0.5, 0.5]])
    segments = localize(scores, distances, GRID, end_s=3.5)
    assert segments == [(Segment(0.0, 2.0), 0.9), (Segment(3.0, 3.5), 0.8)]


def test_a_short_segment_is_dropped_by_its_refined_length():
    distances = np.full((5, 2), 0.05)
    assert localize(SCORES, distances, GRID, end_s=2.5) == []
    config = LocalizationConfig(min_segment_s=0.01)
    assert len(localize(SCORES, distances, GRID, end_s=2.5, config=config)) == 1


def test_the_surest_segment_is_as_sure_as_the_clip():
    scores = np.array([0.2, 0.6, 0.9, 0.1, 0.7])
    segments = localize(scores, None, GRID, end_s=2.5)
    assert max(score for _, score in segments) == scores.max()


distance_rows = arrays(np.float64, (40, 2), elements=st.floats(0.0, 50.0))


@given(score_rows, distance_rows, st.floats(0.0, 25.0))
def test_segments_are_in_order_apart_and_inside_whatever_the_network_says(scores, rows, end_s):
    segments = localize(scores, rows[: scores.size], GRID, end_s=end_s)
    spans = [segment for segment, _ in segments]
    assert all(0 <= s.start_s < s.end_s <= end_s for s in spans)
    assert all(x.end_s < y.start_s for x, y in pairwise(spans))
    assert all(0 <= score <= 1 for _, score in segments)
