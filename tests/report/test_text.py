"""Words of a report: whatever a file is called is shown in one line."""

from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.report.text import percent, visible


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
