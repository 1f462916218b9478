"""Segments: what two of them share, and how many become fewer."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import SegmentError
from mmmsba_plugin.segment import (
    Segment,
    as_spans,
    clip,
    gaps,
    merge,
    overlap_s,
    tiou,
    tiou_rows,
    tiou_table,
)

seconds = st.floats(min_value=-1e6, max_value=1e6)


@st.composite
def segments(draw):
    """Any segment that float64 can hold apart from its neighbours."""
    start_s, end_s = sorted(draw(st.tuples(seconds, seconds).filter(lambda t: t[0] != t[1])))
    return Segment(start_s, end_s)


@st.composite
def millisecond_segments(draw):
    """Segments on a lattice of 1 ms, so that equal ends and touching are common."""
    start_ms = draw(st.integers(0, 2_000))
    return Segment(start_ms / 1000, (start_ms + draw(st.integers(1, 800))) / 1000)


def lists_of(strategy):
    return st.lists(strategy, max_size=12)


@given(segments(), segments())
def test_tiou_is_symmetric_and_bounded(a, b):
    assert tiou(a, b) == tiou(b, a)
    assert 0.0 <= tiou(a, b) <= 1.0


@given(segments())
def test_tiou_of_a_segment_with_itself_is_one(a):
    assert tiou(a, a) == 1.0


@given(millisecond_segments(), millisecond_segments())
def test_tiou_is_zero_exactly_where_nothing_is_shared(a, b):
    assert (tiou(a, b) == 0.0) == (overlap_s(a, b) == 0.0)
    assert (overlap_s(a, b) == 0.0) == (a.end_s <= b.start_s or b.end_s <= a.start_s)


@given(millisecond_segments(), millisecond_segments(), st.integers(-10_000, 10_000))
def test_tiou_does_not_depend_on_where_the_clip_begins(a, b, shift_s):
    moved = [Segment(s.start_s + shift_s, s.end_s + shift_s) for s in (a, b)]
    # Around 10 000 s float64 is 2e-12 s apart, and the shortest segment is 1 ms.
    assert tiou(*moved) == pytest.approx(tiou(a, b), abs=1e-8)


@given(millisecond_segments(), millisecond_segments(), st.floats(1e-3, 1e3))
def test_tiou_does_not_depend_on_the_unit_of_time(a, b, scale):
    scaled = [Segment(s.start_s * scale, s.end_s * scale) for s in (a, b)]
    # A rounding of each end, magnified by up to 2.8 s / 1 ms in the difference of two.
    assert tiou(*scaled) == pytest.approx(tiou(a, b), abs=1e-11)


@given(lists_of(segments()), lists_of(segments()))
def test_the_table_holds_tiou(a, b):
    table = tiou_table(as_spans(a), as_spans(b))
    assert table.shape == (len(a), len(b))
    assert table.tolist() == [[tiou(x, y) for y in b] for x in a]


@given(st.lists(st.tuples(segments(), segments()), max_size=12))
def test_the_rows_hold_tiou(pairs):
    a, b = as_spans(x for x, _ in pairs), as_spans(y for _, y in pairs)
    assert tiou_rows(a, b).tolist() == [tiou(x, y) for x, y in pairs]


def test_spans_without_length_or_the_wrong_way_round_overlap_nothing():
    spans = np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 4.0]])
    assert tiou_table(spans, spans).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


@given(segments(), segments())
def test_clip_keeps_exactly_what_is_shared(a, within):
    shared = clip(a, within)
    if shared is None:
        assert overlap_s(a, within) == 0.0
    else:
        assert shared.duration_s == overlap_s(a, within)
        assert clip(shared, within) == shared == clip(shared, a)


@given(lists_of(millisecond_segments()), st.sampled_from([0.0, 0.001, 0.25]))
def test_merged_segments_lie_apart_and_merging_again_changes_nothing(segments_in, gap_s):
    merged = merge(segments_in, gap_s=gap_s)
    assert all(b.start_s - a.end_s > gap_s for a, b in pairwise(merged))
    assert merge(merged, gap_s=gap_s) == merged
    assert merge(reversed(segments_in), gap_s=gap_s) == merged


@given(lists_of(millisecond_segments()), st.floats(0.0, 3.0))
def test_merging_covers_what_was_covered_and_no_more(segments_in, time_s):
    assert any(time_s in m for m in merge(segments_in)) == any(time_s in p for p in segments_in)


@given(lists_of(millisecond_segments()), millisecond_segments())
def test_gaps_and_segments_partition_the_clip(segments_in, within):
    covered = [shared for m in merge(segments_in) if (shared := clip(m, within))]
    row = sorted([*covered, *gaps(segments_in, within)])
    assert row[0].start_s == within.start_s
    assert row[-1].end_s == within.end_s
    assert all(a.end_s == b.start_s for a, b in pairwise(row))


def test_a_half_open_segment_holds_its_start_but_not_its_end():
    assert 1.0 in Segment(1.0, 2.0)
    assert 2.0 not in Segment(1.0, 2.0)


@pytest.mark.parametrize("end_s", [1.0, 0.5])
def test_a_segment_that_does_not_end_after_it_starts_is_refused(end_s):
    with pytest.raises(SegmentError, match=r"must end after it starts, got \[1\.0, .*swapped\?"):
        Segment(1.0, end_s)


@pytest.mark.parametrize("end_s", [math.nan, math.inf])
def test_a_segment_without_finite_ends_is_refused(end_s):
    with pytest.raises(SegmentError, match=r"needs finite ends, got \[0\.0, "):
        Segment(0.0, end_s)


def test_no_segments_are_spans_of_shape_zero_by_two():
    assert as_spans([]).shape == (0, 2)
