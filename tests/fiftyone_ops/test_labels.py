"""Reports and labels say the same, and so do seconds and frame numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_ops import labels
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Curves, FakeSegment, Media, Report, Threshold
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(250, fps_hz=25)


def judged(*segments: FakeSegment, score: float = 0.8, **changed) -> Report:
    return samples.report("ok").model_copy(
        update={"score": score, "threshold": Threshold(value=0.5), "segments": segments, **changed}
    )


def unasked() -> FrameClock:
    raise AssertionError("exact seconds need no clock")


@st.composite
def clocks(draw) -> FrameClock:
    """Clocks of steady and of changing rate, that start anywhere."""
    lasts_s = draw(st.lists(st.floats(0.005, 0.5), min_size=1, max_size=60))
    edges_s = draw(st.floats(-1.0, 5.0)) + np.cumsum([0.0, *lasts_s])
    return FrameClock(edges_s[:-1], float(edges_s[-1]))


@st.composite
def rows_of(draw) -> tuple[FrameClock, Segment]:
    """A clock, and a segment within its frames."""
    clock = draw(clocks())
    first_s, whole_s = float(clock.starts_s[0]), clock.end_s - float(clock.starts_s[0])
    start, length = draw(st.floats(0, 0.99)), draw(st.floats(0.001, 1))
    start_s = first_s + start * whole_s
    return clock, Segment(start_s, start_s + length * (clock.end_s - start_s))


@given(rows_of())
def test_frames_hold_the_stretch_they_stand_for_and_lose_less_than_one_at_each_end(drawn):
    clock, segment = drawn
    first, last = clock.frame_numbers(segment.start_s, segment.end_s)
    start_s, end_s = clock.span(first, last)
    # What rounds on its way through files must not move a frame.
    slack_s = 1e-5 * (clock.end_s - float(clock.starts_s[0]))
    assert 1 <= first <= last <= len(clock.starts_s)
    assert start_s - slack_s <= segment.start_s < start_s + clock.longest_s + slack_s
    assert end_s - clock.longest_s - slack_s < segment.end_s <= end_s + slack_s


@given(clocks(), st.data())
def test_a_stretch_from_edge_to_edge_comes_back_as_it_was(clock, data):
    num = len(clock.starts_s)
    first = data.draw(st.integers(1, num))
    last = data.draw(st.integers(first, num))
    assert clock.frame_numbers(*clock.span(first, last)) == (first, last)


@given(rows_of())
def test_a_label_gives_back_its_exact_seconds(drawn):
    clock, segment = drawn
    label = labels.detection(segment, clock, label="audio")
    assert labels.seconds_of(label, unasked) == segment


def test_a_label_that_was_moved_in_the_app_means_its_new_frames():
    label = labels.detection(Segment(1.013, 2.0), CLOCK, label="audio")
    label.support = [51, 75]
    assert labels.seconds_of(label, lambda: CLOCK) == Segment(2.0, 3.0)


def test_a_label_of_anyone_else_means_its_frames():
    import fiftyone as fo

    label = fo.TemporalDetection(label="x", support=[1, 25])
    assert labels.seconds_of(label, lambda: CLOCK) == Segment(0.0, 1.0)


def test_segments_become_labels_by_modality_with_their_exact_seconds():
    parts = (
        FakeSegment(start_s=0.5, end_s=1.013, score=0.75, modality="audio"),
        FakeSegment(start_s=2.0, end_s=2.5, score=0.5, track=0),
    )
    first, second = labels.segments_of(judged(*parts), CLOCK).detections
    assert (first.label, first.confidence, first.support) == ("audio", 0.75, [13, 26])
    assert (first.start_s, first.end_s) == (0.5, 1.013)
    assert (second.label, second.support, second.track) == ("unknown", [51, 63], 0)


@pytest.mark.parametrize(("score", "word"), [(0.8, "forged"), (0.5, "forged"), (0.3, "genuine")])
def test_a_verdict_says_on_which_side_of_its_line_a_clip_lies(score, word):
    verdict = labels.verdict_of(judged(score=score), made_by="a")
    assert (verdict.label, verdict.confidence, verdict.threshold) == (word, score, 0.5)


def test_a_verdict_on_what_could_not_be_judged_says_why_and_has_no_score():
    verdict = labels.verdict_of(samples.report("error"), made_by="a")
    assert (verdict.label, verdict.confidence) == ("error", None)
    assert verdict.reason


def test_curves_become_vectors_with_gaps():
    curves = Curves(start_s=0.0, stride_s=0.5, score=(0.1, None), by_modality={"audio": (0.2, 0.3)})
    document = labels.curves_of(curves)
    assert np.array_equal(document.score, [0.1, np.nan], equal_nan=True)
    assert document.audio.tolist() == [0.2, 0.3]
    assert labels.curves_of(None) is None


def test_frames_get_the_score_of_the_snippet_they_are_shown_in():
    curves = Curves(start_s=0.0, stride_s=0.1, score=(0.25, None, 0.75))
    clock = FrameClock.steady(4, fps_hz=10)
    assert labels.frame_scores_of(curves, clock) == {1: 0.25, 3: 0.75}


def test_truth_comes_back_from_its_labels_by_modality(tmp_path):
    record = Record(
        tmp_path / "clip.mp4",
        truth=(Segment(1.0, 2.013), Segment(3.0, 4.0)),
        audio_truth=(Segment(1.0, 2.013), Segment(3.0, 4.0)),
        visual_truth=(Segment(3.0, 4.0),),
    )
    told = labels.truth_of(record, CLOCK)
    assert [one.label for one in told.detections] == ["audio", "both"]
    assert labels.record_truth(told, unasked) == (
        record.truth,
        record.audio_truth,
        record.visual_truth,
    )


def test_truth_that_is_not_told_apart_stays_so(tmp_path):
    record = Record(tmp_path / "clip.mp4", truth=(Segment(1.0, 2.0),))
    told = labels.truth_of(record, CLOCK)
    assert labels.record_truth(told, unasked) == (record.truth, None, None)


def test_what_was_not_judged_is_told_by_modality():
    report = samples.report("ok")
    expected = [
        (m, part.start_s) for m, said in report.modalities.items() for part in said.opt_outs
    ]
    told = labels.opt_outs_of(report, CLOCK).detections
    assert [(one.label, one.start_s) for one in told] == expected


def test_the_media_of_a_report_say_how_long_the_clip_lasts():
    report = judged(media=Media(path="a.mp4", duration_s=3.5))
    assert labels.verdict_of(report, made_by="a").duration_s == 3.5
