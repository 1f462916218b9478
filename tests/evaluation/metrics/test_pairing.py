"""Predicted and true segments are paired for error views: each true one once, best first."""

from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.evaluation.metrics.pairing import pair
from mmmsba_plugin.segment import Segment, tiou

segments = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 10)).map(
        lambda edges: Segment(edges[0] / 2, (edges[0] + edges[1]) / 2)
    ),
    max_size=6,
)


@given(segments, segments, st.data())
def test_each_true_segment_is_paired_once_and_only_where_it_is_overlapped(predictions, truth, data):
    score = st.floats(0, 1)
    scores = data.draw(st.lists(score, min_size=len(predictions), max_size=len(predictions)))
    pairs = pair(predictions, scores, truth, tiou=0.5)
    matched = [index for index in pairs if index is not None]
    assert len(pairs) == len(predictions)
    assert len(set(matched)) == len(matched)
    for segment, index in zip(predictions, pairs, strict=True):
        if index is not None:
            assert tiou(segment, truth[index]) >= 0.5
        else:
            free = set(range(len(truth))) - set(matched)
            assert all(tiou(segment, truth[other]) < 0.5 for other in free)


def test_the_better_scored_one_chooses_first():
    predictions = [Segment(0.0, 1.0), Segment(0.0, 1.1)]
    assert pair(predictions, [0.2, 0.9], [Segment(0.0, 1.1)], tiou=0.5) == [None, 0]


def test_without_truth_all_are_false_alarms():
    assert pair([Segment(0.0, 1.0)], [0.9], [], tiou=0.5) == [None]
    assert pair([], [], [Segment(0.0, 1.0)], tiou=0.5) == []
