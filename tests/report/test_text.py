"""Words of a report: whatever a file is called is shown in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.report.text import SPEAKS, describe_face_track, percent, visible
from mmmsba_plugin.schema import FaceTrackReport


@given(st.text())
def test_visible_text_is_one_line_that_can_be_written(text):
    line = visible(text)
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")


def test_ordinary_names_are_shown_as_they_are():
    assert visible("Müller & Søn \u2013 日本 (1).mp4") == "Müller & Søn \u2013 日本 (1).mp4"


@given(st.floats(0.0, 1.0))
def test_a_percentage_is_certain_only_where_the_score_is(score):
    assert (percent(score) == "0 %") == (score == 0.0)
    assert (percent(score) == "100 %") == (score == 1.0)


@pytest.mark.parametrize(("speaks", "words"), SPEAKS.items())
def test_a_face_track_is_described_in_a_line(speaks, words):
    track = FaceTrackReport(
        start_s=0, end_s=2, track=1, share=1, box_time_s=1, box_xywh=(0, 0, 1, 1),
        speaks=speaks, score=None,
    )  # fmt: skip
    line = f"face 1: 0:00.00 to 0:02.00, 100 % of frames, {words}, not evaluated"
    assert describe_face_track(track) == line
