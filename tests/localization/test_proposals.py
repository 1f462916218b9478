"""From scores along time to proposals and segments."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import ConfigError, FeatureError, ScoreRangeError
from mmmsba_plugin.localization.binarize import binarize, localize
from mmmsba_plugin.localization.proposals import propose, ranked_proposals
from mmmsba_plugin.localization.suppress import nms, soft_nms, suppress
from mmmsba_plugin.segment import Segment, tiou, tiou_table
from mmmsba_plugin.timebase import Grid

GRID = Grid(stride_s=0.5)
SCORES = np.array([0.1, 0.8, 0.6, 0.4, 0.1])

unit = st.floats(0.0, 1.0)
score_rows = arrays(np.float64, st.integers(0, 40), elements=unit)


@st.composite
def proposals(draw, *, distinct=True):
    """Spans on a coarse lattice, so that they overlap often, and scores."""
    n = draw(st.integers(0, 15))
    starts = np.array(draw(st.lists(st.integers(0, 20), min_size=n, max_size=n)), dtype=float)
    lengths = np.array(draw(st.lists(st.integers(1, 8), min_size=n, max_size=n)), dtype=float)
    ranks = draw(st.permutations(range(n))) if distinct else [0] * n
    scores = (np.array(ranks, dtype=float) + 1) / (n + 1)
    return np.stack([starts, starts + lengths], axis=1), scores


def soft_nms_written_out(spans, scores, sigma):
    """The published loop, word for word, on Python objects."""
    left = [[Segment(*span), score] for span, score in zip(spans.tolist(), scores, strict=True)]
    result = []
    while left:
        best = max(left, key=lambda item: item[1])
        left.remove(best)
        result.append(best)
        for item in left:
            item[1] *= np.exp(-(tiou(item[0], best[0]) ** 2) / sigma)
    return result


# ── suppression ──


@given(proposals(), st.floats(0.1, 2.0))
def test_soft_nms_agrees_with_the_published_loop(given_, sigma):
    spans, scores = soft_nms(*given_, sigma=sigma, min_score=0.0)
    expected = soft_nms_written_out(*given_, sigma)
    np.testing.assert_allclose(scores, [score for _, score in expected], rtol=1e-12)
    assert len(spans) == len(given_[0])


@given(st.data())
def test_suppression_does_not_depend_on_the_order_of_proposals(data):
    spans, scores = data.draw(proposals(distinct=data.draw(st.booleans())))
    order = data.draw(st.permutations(range(len(scores))))
    for kind in (soft_nms, nms):
        for one, other in zip(kind(spans, scores), kind(spans[order], scores[order]), strict=True):
            assert np.array_equal(one, other)


@given(proposals())
def test_suppressed_proposals_come_best_first_and_never_gain(given_):
    spans, scores = soft_nms(*given_)
    assert (np.diff(scores) <= 0).all()
    best_before = {tuple(s): 0.0 for s in spans.tolist()}
    for span, score in zip(given_[0].tolist(), given_[1], strict=True):
        best_before[tuple(span)] = max(best_before.get(tuple(span), 0.0), score)
    after = zip(spans.tolist(), scores, strict=True)
    assert all(score <= best_before[tuple(span)] for span, score in after)


@given(proposals(), st.floats(0.0, 0.9))
def test_hard_nms_is_idempotent_and_leaves_nothing_that_overlaps(given_, threshold):
    once = nms(*given_, tiou=threshold)
    twice = nms(*once, tiou=threshold)
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    table = tiou_table(once[0], once[0])
    assert (table[~np.eye(len(table), dtype=bool)] <= threshold).all()


@given(proposals())
def test_soft_nms_is_idempotent_where_nothing_overlaps(given_):
    apart = nms(*given_, tiou=0.0)
    again = soft_nms(*apart)
    assert all(np.array_equal(a, b) for a, b in zip(apart, again, strict=True))


def test_soft_nms_keeps_the_best_and_drops_what_has_faded():
    spans = np.array([[0.0, 1.0]] * 6 + [[5.0, 6.0]])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    assert len(soft_nms(spans, scores, max_proposals=2)[0]) == 2
    kept_spans, kept_scores = soft_nms(spans, scores, min_score=0.1)
    # The copies fade by exp(-2) each time; the one far away does not fade at all.
    assert kept_spans.tolist() == [[0.0, 1.0], [5.0, 6.0], [0.0, 1.0]]
    np.testing.assert_allclose(kept_scores, [0.9, 0.3, 0.8 * np.exp(-2)])


def test_hard_suppression_can_be_asked_for():
    spans, scores = np.array([[0.0, 1.0], [0.1, 1.0], [2.0, 3.0]]), np.array([0.9, 0.8, 1e-4])
    config = LocalizationConfig(suppression="hard")
    kept_spans, kept_scores = suppress(spans, scores, config)
    assert kept_spans.tolist() == [[0.0, 1.0]]
    assert kept_scores.tolist() == [0.9]
    assert len(suppress(spans, scores, LocalizationConfig())[0]) == 2


def test_nothing_is_left_of_nothing():
    for kind in (soft_nms, nms):
        spans, scores = kind(np.empty((0, 2)), np.empty(0))
        assert spans.shape == (0, 2)
        assert scores.shape == (0,)


# ── proposals ──


def test_each_snippet_proposes_the_stretch_it_sees_itself_in():
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
    found = dict(zip(map(tuple, spans.tolist()), scores.tolist(), strict=True))
    assert found == pytest.approx(
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
    spans, kept = propose(scores, distances, GRID, end_s=end_s)
    assert (spans >= 0).all()
    assert (spans <= end_s).all()
    assert (spans[:, 1] > spans[:, 0]).all()
    assert len(spans) == len(kept)


@pytest.mark.parametrize("wrong", [3.2, -0.5, float("nan")])
@pytest.mark.parametrize("use", ["propose", "binarize", "localize"])
def test_logits_are_refused(wrong, use):
    scores = np.array([0.5, wrong])
    calls = {
        "propose": lambda: propose(scores, None, GRID, end_s=1.0),
        "binarize": lambda: binarize(scores, GRID),
        "localize": lambda: localize(scores, None, GRID, end_s=1.0),
    }
    with pytest.raises(ScoreRangeError, match=rf"\[0, 1\], got {wrong:g}; are these logits\?"):
        calls[use]()


@pytest.mark.parametrize(
    "distances", [np.zeros((4, 2)), np.full((5, 2), -1.0), np.full((5, 2), np.nan)]
)
def test_distances_that_cannot_be_are_refused(distances):
    with pytest.raises(FeatureError, match=r"finite, not negative, and of shape \(5, 2\)"):
        propose(SCORES, distances, GRID, end_s=2.5)


# ── segments ──


def test_a_segment_opens_at_onset_and_closes_below_offset():
    assert binarize(SCORES, GRID, onset=0.7, offset=0.3) == [Segment(0.5, 2.0)]
    assert binarize(SCORES, GRID, onset=0.7) == [Segment(0.5, 1.0)]
    # Snippet 0 lies between the thresholds, and nothing is open yet.
    rising = np.array([0.5, 0.9, 0.5, 0.1, 0.5])
    assert binarize(rising, GRID, onset=0.7, offset=0.3) == [Segment(0.5, 1.5)]


def binarize_by_loop(scores, onset, offset):
    is_open, flags = False, []
    for score in scores:
        is_open = score >= onset if not is_open else score >= offset
        flags.append(is_open)
    return flags


@given(score_rows, unit, unit)
def test_binarize_is_a_schmitt_trigger(scores, a, b):
    offset, onset = sorted((a, b))
    found = binarize(scores, GRID, onset=onset, offset=offset)
    flags = [any(GRID.center_s(i) in segment for segment in found) for i in range(scores.size)]
    assert flags == binarize_by_loop(scores, onset, offset)
    assert all(x.end_s < y.start_s for x, y in pairwise(found))


def test_the_last_segment_ends_with_the_clip():
    assert binarize(np.ones(3), GRID, end_s=1.2) == [Segment(0.0, 1.2)]


def test_segments_that_are_too_short_are_dropped_and_exact_ones_stay():
    scores = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    grid = Grid(stride_s=0.1)
    assert len(binarize(scores, grid, min_duration_s=0.1)) == 2
    assert binarize(scores, grid, min_duration_s=0.11) == binarize(scores, grid)[1:]


def test_an_offset_above_the_onset_is_refused():
    with pytest.raises(ConfigError, match=r"offset 0\.6 must not be above onset 0\.5"):
        binarize(SCORES, GRID, onset=0.5, offset=0.6)
    with pytest.raises(ConfigError, match=r"offset 0\.6 must not be above onset 0\.5"):
        LocalizationConfig.read({"onset": 0.5, "offset": 0.6})


def test_without_distances_segments_end_at_the_edges_of_cells():
    found = localize(SCORES, None, GRID, end_s=2.5)
    assert found == [(Segment(0.5, 2.0), 0.8)]


def test_the_snippets_of_a_run_vote_on_its_ends():
    # Truth is [0.6, 1.9); the outer two of four know nothing of it, the inner two agree.
    scores = np.array([0.1, 0.5, 0.9, 0.9, 0.5, 0.1])
    centers_s = GRID.centers_s(6)
    distances = np.stack([centers_s - 0.6, 1.9 - centers_s], axis=1) / 0.5
    distances[[0, 1, 4, 5]] = [7.0, 7.0]
    found = localize(scores, distances, GRID, end_s=3.0)
    assert [(s.start_s, s.end_s) for s, _ in found] == [(pytest.approx(0.6), pytest.approx(1.9))]
    assert found[0][1] == 0.9


def test_a_run_in_which_nobody_has_a_view_keeps_the_edges_of_its_cells():
    found = localize(SCORES, np.zeros((5, 2)), GRID, end_s=1.8)
    assert found == [(Segment(0.5, 1.8), 0.8)]


def test_runs_whose_votes_make_them_meet_are_one_forgery():
    scores = np.array([0.9, 0.1, 0.7, 0.1, 0.1, 0.1, 0.8])
    distances = np.array([[0.5, 1.5]] * 6 + [[0.5, 0.5]])
    found = localize(scores, distances, GRID, end_s=3.5)
    assert found == [(Segment(0.0, 2.0), 0.9), (Segment(3.0, 3.5), 0.8)]


def test_a_short_segment_is_judged_by_its_refined_length():
    distances = np.full((5, 2), 0.05)
    assert localize(SCORES, distances, GRID, end_s=2.5) == []
    config = LocalizationConfig(min_segment_s=0.01)
    assert len(localize(SCORES, distances, GRID, end_s=2.5, config=config)) == 1


def test_the_surest_segment_is_as_sure_as_the_clip():
    scores = np.array([0.2, 0.6, 0.9, 0.1, 0.7])
    found = localize(scores, None, GRID, end_s=2.5)
    assert max(score for _, score in found) == scores.max()


distance_rows = arrays(np.float64, (40, 2), elements=st.floats(0.0, 50.0))


@given(score_rows, distance_rows, st.floats(0.0, 25.0))
def test_segments_are_in_order_apart_and_inside_whatever_the_network_says(scores, rows, end_s):
    found = localize(scores, rows[: scores.size], GRID, end_s=end_s)
    segments = [segment for segment, _ in found]
    assert all(0 <= s.start_s < s.end_s <= end_s for s in segments)
    assert all(x.end_s < y.start_s for x, y in pairwise(segments))
    assert all(0 <= score <= 1 for _, score in found)
