"""Candidates for fake segments, from scores along time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import FeatureError, ScoreRangeError
from mmmsba_plugin.localization.proposals import propose, ranked_proposals
from mmmsba_plugin.localization.suppress import suppress
from mmmsba_plugin.timebase import Grid

GRID = Grid(stride_s=0.5)
SCORES = np.array([0.1, 0.8, 0.6, 0.4, 0.1])

score_rows = arrays(np.float64, st.integers(0, 40), elements=st.floats(0.0, 1.0))


def test_each_snippet_proposes_the_segment_it_sees_itself_in():
    distances = np.array([[0.0, 0.0], [1.0, 2.0], [2.5, 0.5], [9.0, 9.0], [0.5, 0.5]])
    spans, scores = propose(SCORES, distances, GRID, end_s=2.5)
    assert spans.tolist() == [[0.25, 1.75], [0.0, 1.5], [0.0, 2.5], [2.0, 2.5]]
    assert scores.tolist() == [0.8, 0.6, 0.4, 0.1]


def test_proposals_that_are_short_or_unlikely_are_dropped():
    distances = np.full((5, 2), 0.2)
    config = LocalizationConfig(min_segment_s=0.2, min_score=0.5)
    # Two tenths of a cell either way are exactly 0.2 s, which is long enough.
    assert propose(SCORES, distances, GRID, end_s=2.5, config=config)[1].tolist() == [0.8, 0.6]
    config = LocalizationConfig(min_segment_s=0.21)
    assert not len(propose(SCORES, distances, GRID, end_s=2.5, config=config)[0])


def test_without_distances_runs_at_several_levels_are_proposed():
    spans, scores = propose(SCORES, None, GRID, end_s=2.4)
    score_of = dict(zip(map(tuple, spans.tolist()), scores.tolist(), strict=True))
    assert score_of == pytest.approx(
        {(0.0, 2.4): 0.4, (0.5, 2.0): 0.6, (0.5, 1.5): 0.7, (0.5, 1.0): 0.8}
    )


def test_proposals_without_distances_do_not_depend_on_the_scale_of_scores():
    spans = propose(SCORES, None, GRID, end_s=2.5)[0]
    assert np.array_equal(propose(SCORES / 50, None, GRID, end_s=2.5)[0], spans)


def test_a_clip_that_is_surely_real_proposes_nothing():
    spans, scores = propose(np.zeros(5), None, GRID, end_s=2.5)
    assert spans.shape == (0, 2)
    assert scores.shape == (0,)
    assert not len(propose(np.empty(0), np.empty((0, 2)), GRID, end_s=0.0)[0])


def test_ranked_proposals_are_the_suppressed_ones():
    distances = np.ones((5, 2))
    config = LocalizationConfig(max_proposals=3)
    spans, scores = ranked_proposals(SCORES, distances, GRID, end_s=2.5, config=config)
    expected = suppress(*propose(SCORES, distances, GRID, end_s=2.5), config)
    assert np.array_equal(spans, expected[0])
    assert np.array_equal(scores, expected[1])
    assert len(spans) == 3


@given(score_rows, st.floats(0.0, 30.0), st.booleans())
def test_proposals_lie_in_the_clip_and_have_length(scores, end_s, regressed):
    distances = np.full((scores.size, 2), 3.3) if regressed else None
    spans, ranks = propose(scores, distances, GRID, end_s=end_s)
    assert (spans >= 0).all()
    assert (spans <= end_s).all()
    assert (spans[:, 1] > spans[:, 0]).all()
    assert len(spans) == len(ranks)


@pytest.mark.parametrize("wrong", [3.2, -0.5, float("nan")])
def test_logits_are_refused(wrong):
    with pytest.raises(ScoreRangeError, match=rf"got {wrong:g}; are these logits\?"):
        propose(np.array([0.5, wrong]), None, GRID, end_s=1.0)


@pytest.mark.parametrize(
    "distances", [np.zeros((4, 2)), np.full((5, 2), -1.0), np.full((5, 2), np.nan)]
)
def test_distances_that_cannot_be_are_refused(distances):
    with pytest.raises(FeatureError, match=r"finite, not negative, and of shape \(5, 2\)"):
        propose(SCORES, distances, GRID, end_s=2.5)
