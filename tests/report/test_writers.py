"""Writers: each format holds the whole of what it promises, whatever a file is called."""

import csv
import io
import math
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.report import writers
from mmmsba_plugin.report.text import visible
from mmmsba_plugin.schema import FakeSegment, Media, Problem, Report

GOLDEN = Path(__file__).parents[1] / "golden"
REPORT = runpy.run_path(str(GOLDEN / "make_report.py"))["report"]()
UNREADABLE = Report(
    status="error",
    media=Media(path="broken.mp4"),
    problem=Problem(kind="MediaUnreadableError", message="no moov atom; is it complete?"),
    provenance=REPORT.provenance,
)

#: Any name a file system can hold, the worst signs more often than chance would have them.
names = st.text(
    st.one_of(st.characters(exclude_characters="\0"), st.sampled_from("=+-@\t\r\n,;\"'<>&\u202e")),
    min_size=1, max_size=30,
)  # fmt: skip


def to_text(write, report):
    stream = io.StringIO()
    write(report, stream)
    text = stream.getvalue()
    text.encode("utf-8")  # what cannot be encoded would fail only once it meets a file
    return text


def report_of(name):
    return REPORT.model_copy(update={"media": REPORT.media.model_copy(update={"path": name})})


def cells(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_json_is_the_golden_report():
    golden = (GOLDEN / "report.json").read_text(encoding="utf-8")
    assert to_text(writers.write_json, REPORT) == golden


def test_json_leaves_the_curves_to_their_own_file():
    assert '"curves"' not in to_text(writers.write_json, REPORT)


def test_curves_have_a_row_for_each_snippet_and_a_column_for_each_modality():
    rows = cells(to_text(writers.write_curves, REPORT))
    assert list(rows[0]) == ["start_s", "end_s", "score", "face", "audio", "lips"]
    assert len(rows) == 50
    assert rows[3]["start_s"] == "0.6"
    assert rows[0]["lips"] == ""
    for row, score in zip(rows, REPORT.curves.score, strict=True):
        assert float(row["score"]) == score
    assert [row["end_s"] for row in rows[:-1]] == [row["start_s"] for row in rows[1:]]


def test_a_report_without_curves_has_a_header_alone():
    assert to_text(writers.write_curves, UNREADABLE) == "start_s,end_s,score\n"


def test_csv_has_a_row_for_each_segment():
    rows = cells(to_text(writers.write_csv, REPORT))
    assert tuple(rows[0]) == writers.CSV_COLUMNS
    assert rows[0] == {
        "media": "interview.mp4", "status": "ok", "score": "0.93", "forged": "true",
        "start_s": "3.612", "end_s": "4.704", "segment_score": "0.93", "modality": "visual",
        "track": "1", "problem": "",
    }  # fmt: skip
    assert [row["modality"] for row in rows] == ["visual", "audio"]


def test_csv_has_a_row_for_a_clip_without_segments():
    (row,) = cells(to_text(writers.write_csv, REPORT.model_copy(update={"segments": ()})))
    assert (row["score"], row["start_s"], row["problem"]) == ("0.93", "", "")


def test_csv_says_why_a_clip_has_no_score():
    (row,) = cells(to_text(writers.write_csv, UNREADABLE))
    assert (row["status"], row["score"], row["forged"]) == ("error", "", "")
    assert row["problem"] == "MediaUnreadableError: no moov atom; is it complete?"


@given(names)
def test_no_name_makes_a_spreadsheet_run_a_formula(name):
    text = to_text(writers.write_csv, report_of(name))
    for row in cells(text):
        assert not row["media"].startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
    assert text.count("\n") == 3


@given(names)
def test_csv_keeps_every_name_apart_from_its_disarming(name):
    (first, _) = cells(to_text(writers.write_csv, report_of(name)))
    assert first["media"].removeprefix("'") == visible(name).removeprefix("'")


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1+1"])
def test_a_name_that_is_a_formula_gets_an_apostrophe(name):
    assert cells(to_text(writers.write_csv, report_of(name)))[0]["media"] == f"'{name}"


def test_vtt_has_a_cue_for_each_segment():
    assert to_text(writers.write_vtt, REPORT) == (
        "WEBVTT\n\n"
        "NOTE Fake segments of interview.mp4\n\n"
        "NOTE Flagged as fake: score 0.930\n\n"
        "NOTE An indication by a statistical model, not evidence for a court\n\n"
        "1\n00:00:03.612 --> 00:00:04.704\nFake (video): 93 %\n\n"
        "2\n00:00:06.750 --> 00:00:07.400\nFake (audio): 68 %\n\n"
    )


def test_vtt_of_a_clip_that_could_not_be_read_says_why_and_has_no_cue():
    text = to_text(writers.write_vtt, UNREADABLE)
    assert "NOTE Could not be evaluated\n\nNOTE MediaUnreadableError: no moov atom" in text
    assert "-->" not in text


@given(names)
def test_no_name_breaks_out_of_its_note(name):
    text = to_text(writers.write_vtt, report_of(name))
    blocks = text.split("\n\n")
    assert blocks[1].startswith("NOTE ")
    assert "\n" not in blocks[1]
    assert text.count("-->") == 2


@given(st.floats(-1, 400_000), st.floats(1e-9, 0.01))
def test_every_cue_ends_after_it_starts(start_s, length_s):
    end_s = max(start_s + length_s, math.nextafter(start_s, math.inf))
    segment = FakeSegment(start_s=start_s, end_s=end_s, score=0.5)
    text = to_text(writers.write_vtt, REPORT.model_copy(update={"segments": (segment,)}))
    (cue,) = [line for line in text.splitlines() if "-->" in line]
    start, end = cue.split(" --> ")
    assert (len(start), start) < (len(end), end)


def test_html_is_the_page():
    assert to_text(lookup("writers", "html").write, REPORT).startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["json", "csv", "vtt", "curves", "html"])
def test_each_format_is_offered_by_name(name):
    writer = lookup("writers", name)
    assert writer.suffix.startswith(".")
    assert writer.summary.endswith(".")


def test_formats_of_other_evaluations_are_offered_by_name():
    suffixes = {name: lookup("writers", name).suffix for name in ("av-deepfake1m", "activitynet")}
    assert suffixes == {"av-deepfake1m": ".prediction.json", "activitynet": ".activitynet.json"}
    assert to_text(lookup("writers", "activitynet").write, REPORT).startswith('{"version"')
    assert to_text(lookup("writers", "av-deepfake1m").write, REPORT).startswith('{"interview.mp4"')
