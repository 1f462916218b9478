"""Targets of the network, which localization undoes exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.localization.proposals import propose
from mmmsba_plugin.model.targets import boundary_distances, fake_labels
from mmmsba_plugin.segment import Segment, as_spans, clip
from mmmsba_plugin.timebase import Grid

#: Distances travel as float32, which carries 24 bits: of some hundred cells of at most
#: 0.2 s, about a microsecond.
FLOAT32_S = 1e-5

GRID = Grid(stride_s=0.2)
KEEP_ALL = LocalizationConfig(min_segment_s=0.0)


@st.composite
def clips(draw):
    """A grid, the end of a clip on it, and truth that can be told apart on that grid.

    What a segment has inside the clip is at least a cell long, and so holds the middle of a
    cell; a gap of two cells or more holds a whole real cell. Segments may start with the
    clip, end with it, and run on behind its end.
    """
    stride_s = draw(st.sampled_from([0.04, 0.08, 0.1, 0.2]))
    grid = Grid(draw(st.sampled_from([0.0, 1.3])), stride_s)
    gaps_and_lengths = st.tuples(st.floats(2.1, 30.0), st.floats(1.1, 30.0))
    truth, reached_s = [], grid.start_s
    for gap, length in draw(st.lists(gaps_and_lengths, max_size=6)):
        starts_with_clip = not truth and draw(st.booleans())
        begin_s = reached_s + (0.0 if starts_with_clip else gap * stride_s)
        reached_s = begin_s + length * stride_s
        truth.append(Segment(begin_s, reached_s))
    if truth and draw(st.booleans()):
        end_s = truth[-1].start_s + draw(st.floats(1.1, length)) * stride_s
    else:
        end_s = reached_s + draw(st.floats(0.0, 9.0)) * stride_s
    return grid, end_s, truth


def perfect_predictions(grid, end_s, truth):
    num_snippets = grid.num_snippets(end_s)
    distances, _ = boundary_distances(truth, grid, num_snippets)
    return fake_labels(truth, grid, num_snippets).astype(np.float32), distances


def clipped_truth(grid, end_s, truth):
    if not end_s > grid.start_s:
        return []
    clipped = (clip(segment, Segment(grid.start_s, end_s)) for segment in truth)
    return [segment for segment in clipped if segment is not None]


@given(clips())
def test_localization_undoes_the_targets(clip_):
    grid, end_s, truth = clip_
    scores, distances = perfect_predictions(grid, end_s, truth)
    segments = localize(scores, distances, grid, end_s=end_s, config=KEEP_ALL)
    expected = as_spans(clipped_truth(grid, end_s, truth))
    np.testing.assert_allclose(as_spans(s for s, _ in segments), expected, atol=FLOAT32_S, rtol=0)
    assert all(score == 1.0 for _, score in segments)


@given(clips())
def test_proposals_of_perfect_predictions_are_the_truth_and_nothing_else(clip_):
    grid, end_s, truth = clip_
    scores, distances = perfect_predictions(grid, end_s, truth)
    spans, _ = propose(scores, distances, grid, end_s=end_s, config=KEEP_ALL)
    expected = as_spans(clipped_truth(grid, end_s, truth))
    apart_s = np.abs(spans[:, None] - expected[None]).max(axis=-1)
    if len(expected):
        assert (apart_s.min(axis=1) < FLOAT32_S).all(), "a proposal that is no truth"
        assert (apart_s.min(axis=0) < FLOAT32_S).all(), "a truth that nobody proposes"
    else:
        assert not len(spans)


@given(clips())
def test_labels_binarize_back_to_the_cells_that_truth_touches(clip_):
    grid, end_s, truth = clip_
    labels = fake_labels(truth, grid, grid.num_snippets(end_s))
    end_of_cells_s = grid.cell(len(labels))[0]
    segments = localize(labels.astype(float), None, grid, end_s=end_of_cells_s, config=KEEP_ALL)
    expected = [(grid.overlapping(s.start_s, s.end_s)) for s in clipped_truth(grid, end_s, truth)]
    edges = [(grid.cell(r.start)[0], grid.cell(r.stop - 1)[1]) for r in expected]
    assert [(s.start_s, s.end_s) for s, _ in segments] == edges


@given(clips())
def test_only_fake_snippets_have_distances(clip_):
    grid, end_s, truth = clip_
    num_snippets = grid.num_snippets(end_s)
    distances, inside = boundary_distances(truth, grid, num_snippets)
    assert (fake_labels(truth, grid, num_snippets)[inside] == 1).all()
    assert (distances[inside] >= 0).all()
    assert not distances[~inside].any()
    assert len(distances) == len(inside) == num_snippets


def test_any_fake_time_makes_a_snippet_fake():
    assert fake_labels([Segment(0.39, 0.61)], GRID, 5).tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("min_overlap", "labels"),
    [(0.0, [1, 1, 1, 0]), (0.25, [1, 1, 1, 0]), (0.5, [0, 1, 1, 0]), (1.0, [0, 1, 0, 0])],
)
def test_a_snippet_can_be_asked_to_be_fake_for_a_share_of_its_time(min_overlap, labels):
    truth = [Segment(0.15, 0.3), Segment(0.25, 0.5)]
    assert fake_labels(truth, GRID, 4, min_overlap=min_overlap).tolist() == labels


def test_an_edge_on_the_edge_of_a_cell_does_not_touch_the_next():
    # 3 * 0.2 is a little more than 0.6, and 0.6 must not fall into cell 2 for that.
    assert fake_labels([Segment(0.6, 0.8)], GRID, 5).tolist() == [0, 0, 0, 1, 0]


def test_segments_that_overlap_count_as_one():
    both, whole = [Segment(0.5, 1.0), Segment(0.2, 0.7)], [Segment(0.2, 1.0)]
    assert np.array_equal(fake_labels(both, GRID, 8), fake_labels(whole, GRID, 8))
    for ours, theirs in zip(
        boundary_distances(both, GRID, 8), boundary_distances(whole, GRID, 8), strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_a_segment_that_holds_no_middle_of_a_cell_teaches_only_its_label():
    truth = [Segment(0.42, 0.48)]
    assert fake_labels(truth, GRID, 5).tolist() == [0, 0, 1, 0, 0]
    assert not any(array.any() for array in boundary_distances(truth, GRID, 5))


def test_a_real_clip_has_no_targets_to_regress():
    assert fake_labels([], GRID, 4).tolist() == [0, 0, 0, 0]
    assert not boundary_distances([], GRID, 4)[1].any()


def test_truth_outside_of_the_snippets_is_left_out():
    truth = [Segment(-0.3, 0.1), Segment(0.7, 9.0)]
    assert fake_labels(truth, GRID, 5).tolist() == [1, 0, 0, 1, 1]
    assert boundary_distances(truth, GRID, 5)[0].shape == (5, 2)
    assert fake_labels([Segment(-2.0, -1.0), Segment(3.0, 4.0)], GRID, 5).tolist() == [0] * 5


def test_targets_have_the_types_that_losses_want():
    distances, inside = boundary_distances([Segment(0.0, 1.0)], GRID, 5)
    labels = fake_labels([Segment(0.0, 1.0)], GRID, 5)
    assert (labels.dtype, distances.dtype, inside.dtype) == (np.int64, np.float32, np.bool_)
