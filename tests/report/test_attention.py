"""Attention of fake segments: whose rows count, which window, and what is said of it."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.errors import CapabilityError, RunCancelledError
from mmmsba_plugin.model.explain import Explanation
from mmmsba_plugin.report.attention import attention_strips, segment_attention, with_attention
from mmmsba_plugin.schema import FakeSegment, SegmentAttention

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()


def explanation(attention, *, start_s=0.0, track=0):
    """A window of one snippet a second, which attends to itself."""
    num = len(attention)
    starts_s = start_s + np.arange(num, dtype=np.float64)
    return Explanation(
        starts_s=starts_s,
        key_starts_s=starts_s,
        scores=np.zeros(num),
        embeddings=np.zeros((num, 2), np.float32),
        attention={"lips_from_audio": np.asarray(attention, np.float32)},
        track_ids=np.full(num, track),
    )


def segment(start_s, end_s, track=None):
    return FakeSegment(start_s=start_s, end_s=end_s, score=0.9, track=track)


def test_rows_of_the_segment_are_averaged_and_compared_with_an_even_share():
    rows = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    (attention,) = segment_attention([segment(1.0, 3.0)], [explanation(rows)], stride_s=1.0)
    assert attention.segment == 1
    assert attention.weights == {"lips_from_audio": (0.0, 3.0, 1.0, 0.0)}


def test_the_window_that_holds_most_of_a_segment_is_shown():
    windows = [explanation(np.eye(4)), explanation(np.eye(4), start_s=4.0)]
    (attention,) = segment_attention([segment(3.0, 6.0)], windows, stride_s=1.0)
    assert attention.start_s == 4.0


def test_of_several_faces_that_of_the_segment_is_shown():
    faces = [explanation(np.eye(4), track=1), explanation(np.eye(4)[::-1], track=2)]
    (attention,) = segment_attention([segment(0.0, 1.0, track=2)], faces, stride_s=1.0)
    assert attention.weights["lips_from_audio"] == (0.0, 0.0, 0.0, 4.0)


def test_a_long_window_is_averaged_to_few_points():
    (attention,) = segment_attention(
        [segment(0.0, 500.0)], [explanation(np.full((500, 500), 1 / 500))], stride_s=1.0
    )
    (weights,) = attention.weights.values()
    assert attention.stride_s == 3.0
    assert list(weights) == pytest.approx([1.0] * 167, rel=1e-5)


def test_what_attends_to_nothing_has_no_map():
    absent = [explanation(np.zeros((4, 4)))]
    within_a_snippet = [explanation([0.5, 0.5, 0.5, 0.5])]
    for explanations in (absent, within_a_snippet, []):
        assert segment_attention([segment(0.0, 2.0)], explanations, stride_s=1.0) == ()


def test_a_report_is_not_lost_over_its_attention():
    def refused():
        raise CapabilityError("an exported network keeps it", capability="explain")
        yield

    report = with_attention(REPORT, refused(), stride_s=1.0)
    assert report.warnings[-1] == (
        "where the network looked is not shown: an exported network keeps it"
    )
    assert report.attention == ()

    def stopped():
        raise RunCancelledError("stopped")
        yield

    with pytest.raises(RunCancelledError):
        with_attention(REPORT, stopped(), stride_s=1.0)


def test_a_strip_names_its_highest_moment():
    weights = {"face_from_lips": (0.5, 0.5, 2.5, 0.5)}
    attention = SegmentAttention(segment=1, start_s=10.0, stride_s=0.5, weights=weights)
    (strip,) = attention_strips(attention)
    assert (strip.pair, strip.peak_s, strip.peak) == ("face from lips", 11.25, 2.5)
    assert strip.image.startswith("data:image/jpeg;base64,")
