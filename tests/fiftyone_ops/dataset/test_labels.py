"""Reports and labels say the same, and so do seconds and frame numbers."""

import numpy as np
import pytest
from fiftyone.core.utils import serialize_numpy_array
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_ops.dataset import labels
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(250, fps_hz=25)


def clock_not_needed() -> FrameClock:
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
def test_frames_hold_the_segment_they_stand_for_and_lose_less_than_one_at_each_end(
    clock_and_segment,
):
    clock, segment = clock_and_segment
    first, last = clock.frame_numbers(segment.start_s, segment.end_s)
    start_s, end_s = clock.span(first, last)
    # What rounds on its way through files must not move a frame.
    slack_s = 1e-5 * (clock.end_s - float(clock.starts_s[0]))
    assert 1 <= first <= last <= len(clock.starts_s)
    assert start_s - slack_s <= segment.start_s < start_s + clock.longest_s + slack_s
    assert end_s - clock.longest_s - slack_s < segment.end_s <= end_s + slack_s


@given(clocks(), st.data())
def test_a_segment_from_edge_to_edge_comes_back_as_it_was(clock, data):
    num = len(clock.starts_s)
    first = data.draw(st.integers(1, num))
    last = data.draw(st.integers(first, num))
    assert clock.frame_numbers(*clock.span(first, last)) == (first, last)


def as_stored(attributes: dict) -> dict:
    """Return attributes as the database keeps them."""
    return {
        name: serialize_numpy_array(value) if isinstance(value, np.ndarray) else value
        for name, value in attributes.items()
    }


@given(clocks())
def test_a_clock_that_is_kept_with_curves_gives_back_each_frame(clock):
    read = labels.stored_clock(as_stored(labels.clock_attributes(clock)))
    assert np.allclose(
        [*read.starts_s, read.end_s], [*clock.starts_s, clock.end_s], rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(("fps_hz", "start_s"), [(25, 0.0), (30000 / 1001, 0.04), (23.976, 1.2)])
def test_a_clock_of_a_constant_rate_is_kept_as_two_times(fps_hz, start_s):
    clock = FrameClock.steady(9000, fps_hz=fps_hz, start_s=start_s)
    attributes = labels.clock_attributes(clock)
    assert (attributes["num_frames"], attributes["frame_edges_s"].tolist()) == (
        9000,
        [start_s, clock.end_s],
    )
    read = labels.stored_clock(as_stored(attributes))
    assert [read.frame_numbers(*clock.span(n, n)) for n in (1, 4321, 9000)] == [
        (1, 1),
        (4321, 4321),
        (9000, 9000),
    ]


def test_curves_of_earlier_versions_keep_no_clock():
    assert labels.stored_clock({"start_s": 0.0, "stride_s": 0.04}) is None


@given(rows_of())
def test_a_label_gives_back_its_exact_seconds(clock_and_segment):
    clock, segment = clock_and_segment
    label = labels.detection(segment, clock, label="audio")
    assert labels.seconds_of(label, clock_not_needed) == segment


def test_a_label_that_was_moved_in_the_app_means_its_new_frames():
    label = labels.detection(Segment(1.013, 2.0), CLOCK, label="audio")
    label.support = [51, 75]
    assert labels.seconds_of(label, lambda: CLOCK) == Segment(2.0, 3.0)


def test_a_label_of_anyone_else_means_its_frames():
    import fiftyone as fo

    label = fo.TemporalDetection(label="x", support=[1, 25])
    assert labels.seconds_of(label, lambda: CLOCK) == Segment(0.0, 1.0)


def test_truth_comes_back_from_its_labels_by_modality(tmp_path):
    record = Record(
        tmp_path / "clip.mp4",
        truth=(Segment(1.0, 2.013), Segment(3.0, 4.0)),
        audio_truth=(Segment(1.0, 2.013), Segment(3.0, 4.0)),
        visual_truth=(Segment(3.0, 4.0),),
    )
    detections = labels.truth_of(record, CLOCK)
    assert [label.label for label in detections.detections] == ["audio", "both"]
    assert labels.record_truth(detections, clock_not_needed) == (
        record.truth,
        record.audio_truth,
        record.visual_truth,
    )


def test_truth_without_modalities_stays_so(tmp_path):
    record = Record(tmp_path / "clip.mp4", truth=(Segment(1.0, 2.0),))
    detections = labels.truth_of(record, CLOCK)
    assert labels.record_truth(detections, clock_not_needed) == (record.truth, None, None)
