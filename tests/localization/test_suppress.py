"""Suppression of proposals that overlap a better one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.localization.suppress import nms, soft_nms, suppress
from mmmsba_plugin.segment import Segment, tiou, tiou_table


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


@given(proposals(), st.floats(0.1, 2.0))
def test_soft_nms_agrees_with_the_published_loop(candidates, sigma):
    spans, scores = soft_nms(*candidates, sigma=sigma, min_score=0.0)
    expected = soft_nms_written_out(*candidates, sigma)
    np.testing.assert_allclose(scores, [score for _, score in expected], rtol=1e-12)
    assert len(spans) == len(candidates[0])


@given(st.data())
def test_suppression_does_not_depend_on_the_order_of_proposals(data):
    spans, scores = data.draw(proposals(distinct=data.draw(st.booleans())))
    order = data.draw(st.permutations(range(len(scores))))
    for kind in (soft_nms, nms):
        for ours, theirs in zip(
            kind(spans, scores), kind(spans[order], scores[order]), strict=True
        ):
            assert np.array_equal(ours, theirs)


@given(proposals())
def test_suppressed_proposals_come_best_first_and_never_gain(candidates):
    spans, scores = soft_nms(*candidates)
    assert (np.diff(scores) <= 0).all()
    best_before = {tuple(s): 0.0 for s in spans.tolist()}
    for span, score in zip(candidates[0].tolist(), candidates[1], strict=True):
        best_before[tuple(span)] = max(best_before.get(tuple(span), 0.0), score)
    after = zip(spans.tolist(), scores, strict=True)
    assert all(score <= best_before[tuple(span)] for span, score in after)


@given(proposals(), st.floats(0.0, 0.9))
def test_hard_nms_is_idempotent_and_leaves_nothing_that_overlaps(candidates, threshold):
    once = nms(*candidates, tiou=threshold)
    twice = nms(*once, tiou=threshold)
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    table = tiou_table(once[0], once[0])
    assert (table[~np.eye(len(table), dtype=bool)] <= threshold).all()


@given(proposals())
def test_soft_nms_is_idempotent_where_nothing_overlaps(candidates):
    apart = nms(*candidates, tiou=0.0)
    again = soft_nms(*apart)
    assert all(np.array_equal(a, b) for a, b in zip(apart, again, strict=True))


def test_soft_nms_keeps_the_best_and_drops_what_has_faded():
    spans = np.array([[0.0, 1.0]] * 6 + [[5.0, 6.0]])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    assert len(soft_nms(spans, scores, max_proposals=2)[0]) == 2
    best_spans, best_scores = soft_nms(spans, scores, min_score=0.1)
    # The copies fade by exp(-2) each time; the one far away does not fade at all.
    assert best_spans.tolist() == [[0.0, 1.0], [5.0, 6.0], [0.0, 1.0]]
    np.testing.assert_allclose(best_scores, [0.9, 0.3, 0.8 * np.exp(-2)])


def test_hard_suppression_can_be_asked_for():
    spans, scores = np.array([[0.0, 1.0], [0.1, 1.0], [2.0, 3.0]]), np.array([0.9, 0.8, 1e-4])
    config = LocalizationConfig(suppression="hard")
    best_spans, best_scores = suppress(spans, scores, config)
    assert best_spans.tolist() == [[0.0, 1.0]]
    assert best_scores.tolist() == [0.9]
    assert len(suppress(spans, scores, LocalizationConfig())[0]) == 2


def test_nothing_is_left_of_nothing():
    for kind in (soft_nms, nms):
        spans, scores = kind(np.empty((0, 2)), np.empty(0))
        assert spans.shape == (0, 2)
        assert scores.shape == (0,)
