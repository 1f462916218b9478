"""Tests of the operator that exports."""

import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionError

from ..asking import asked_by_the_app


def test_the_operator_says_what_it_wrote(evaluated, tmp_path):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/export_forgeries")
    result = operator(evaluated, folder=str(tmp_path), formats="csv").result
    assert result == {"folder": str(tmp_path), "written": 7, "failed": {}}


def test_in_the_app_it_shows_how_far_it_is_and_ends_with_what_it_did(evaluated, tmp_path):
    uri = "@mmmsba/fiftyone_ops/export_forgeries"
    events = list(asked_by_the_app(uri, evaluated, folder=str(tmp_path), formats="csv"))
    assert [event.body.operator_uri for event in events] == ["set_progress"] * 7 + ["notify"]
    assert events[3].body.params == {"label": "4 of 7 videos", "progress": pytest.approx(4 / 7)}
    assert events[7].body.params["message"] == f"7 files written to {tmp_path}"


def test_invalid_settings_are_refused_before_anything_is_shown_or_made(evaluated, tmp_path):
    uri, folder = "@mmmsba/fiftyone_ops/export_forgeries", tmp_path / "out"
    with pytest.raises(ExecutionError, match="no writer is called 'doc'"):
        asked_by_the_app(uri, evaluated, folder=str(folder), formats="doc")
    assert not folder.exists()


def test_a_disk_that_fails_on_the_way_is_an_error_in_the_app(evaluated, tmp_path):
    (tmp_path / "forged-2.csv").mkdir()
    uri = "@mmmsba/fiftyone_ops/export_forgeries"
    *_, last = asked_by_the_app(uri, evaluated, folder=str(tmp_path), formats="csv")
    assert last.body.params["variant"] == "error"
    assert "cannot write to" in last.body.params["message"]
