"""Reports in the formats of annotation tools, read back by others' readers where there are any."""

import csv
import io
from urllib.parse import unquote

import pytest
import srt
from hypothesis import given
from pyannote.database.util import load_rttm
from pympi.Elan import Eaf

from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.report import annotation_formats
from mmmsba_plugin.report.text import visible

from .test_writers import REPORT, UNREADABLE, names, report_of, to_text

NAMES = ("audacity", "cvat", "elan", "label-studio", "medifor", "rttm", "srt", "web-annotation")
REASON = "MediaUnreadableError: no moov atom; is it complete?"
NO_SEGMENTS = REPORT.model_copy(update={"segments": ()})


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_that_was_not_evaluated_says_why_and_has_nothing_fake(name):
    text = unquote(to_text(lookup("writers", name).write, UNREADABLE))
    assert "MediaUnreadableError: no moov atom; is it complete?" in text
    assert "fake" not in text.lower()


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_without_segments_says_its_verdict(name):
    text = unquote(to_text(lookup("writers", name).write, NO_SEGMENTS))
    assert "Flagged as fake: score 0.930, threshold 0.500" in text


def read_labels(report):
    text = to_text(annotation_formats.write_audacity, report)
    rows = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [(float(start), float(end), label) for start, end, label in rows]


def test_audacity_has_a_point_for_the_verdict_and_a_label_for_each_segment_and_opt_out():
    verdict, *labels = read_labels(REPORT)
    assert verdict[:2] == (0.0, 0.0)
    assert labels == [
        (3.612, 4.704, "Fake video: 0.930"),
        (6.75, 7.4, "Fake audio: 0.680"),
        (0.0, 1.0, "Not evaluated: lips: face too small"),
    ]


def test_audacity_has_one_label_of_a_clip_that_was_not_evaluated():
    assert read_labels(UNREADABLE) == [(0.0, 5.0, f"Not evaluated: {REASON}")]


def cues(report):
    return list(srt.parse(to_text(annotation_formats.write_srt, report), ignore_errors=False))


def test_srt_has_the_verdict_and_a_cue_for_each_segment_and_opt_out_in_order_of_time():
    verdict, *rest = cues(REPORT)
    assert verdict.content.startswith("Flagged as fake: score 0.930, threshold 0.500 (an indic")
    rows = [(c.start.total_seconds(), c.end.total_seconds(), c.content) for c in rest]
    assert rows == [
        (0.0, 1.0, "Not evaluated: lips: face too small"),
        (3.612, 4.704, "Fake video: 0.930"),
        (6.75, 7.4, "Fake audio: 0.680"),
    ]


def problem(message):
    return UNREADABLE.model_copy(
        update={"problem": UNREADABLE.problem.model_copy(update={"message": message})}
    )


def test_srt_holds_no_markup_of_players():
    (cue,) = cues(problem("<b>a</b> {\\an8} 1\n\n00:00:01,000 --> 00:00:02,000\nb"))
    assert not set("<>{}\n") & set(cue.content)


@given(names)
def test_no_message_breaks_out_of_its_label_or_cue(message):
    (label,) = read_labels(problem(message))
    assert label[2] == f"Not evaluated: MediaUnreadableError: {visible(message)}"
    assert len(cues(problem(message))) == 1


def rttm(tmp_path, report):
    path = tmp_path / "clip.rttm"
    path.write_text(to_text(annotation_formats.write_rttm, report), encoding="utf-8")
    return load_rttm(path)


def test_rttm_is_read_as_turns_of_what_is_fake(tmp_path):
    ((name, turns),) = rttm(tmp_path, report_of("test/inter view.mp4")).items()
    assert name == "inter%20view"
    assert [
        (round(turn.start, 6), round(turn.end, 6), label)
        for turn, _, label in turns.itertracks(yield_label=True)
    ] == [(3.612, 4.704, "Fake%20video"), (6.75, 7.4, "Fake%20audio")]


def test_rttm_has_ten_fields_a_row_and_the_confidence_in_the_ninth():
    rows = [line.split(" ") for line in to_text(annotation_formats.write_rttm, REPORT).splitlines()]
    assert {len(row) for row in rows} == {10}
    assert [(row[0], row[8]) for row in rows] == [
        (";;", "0.930000"), (";;", "<NA>"), ("SPEAKER", "0.930000"), ("SPEAKER", "0.680000"),
    ]  # fmt: skip
    assert unquote(rows[1][7]) == "lips: face too small"


def test_rttm_excludes_a_clip_that_was_not_evaluated_from_scoring(tmp_path):
    (row,) = to_text(annotation_formats.write_rttm, UNREADABLE).splitlines()
    assert row.startswith("NOSCORE broken 1 0.000000 5.000000 <NA> <NA> MediaUnreadableError%3A")
    assert not rttm(tmp_path, UNREADABLE)["broken"]


@given(names)
def test_every_name_is_one_field_of_rttm(name):
    lines = to_text(annotation_formats.write_rttm, report_of(name)).splitlines()
    assert [len(line.split()) for line in lines] == [10] * 4


def eaf(tmp_path, report):
    path = tmp_path / "clip.eaf"
    path.write_text(to_text(annotation_formats.write_elan, report), encoding="utf-8")
    return Eaf(path)


def test_elan_has_a_tier_for_each_kind_of_fake_and_for_opt_outs(tmp_path):
    document = eaf(tmp_path, report_of("clips/inter view.mp4"))
    rows = document.get_annotation_data_for_tier
    tiers = {name: rows(name) for name in document.get_tier_names()}
    assert tiers == {
        "Fake video": [(3612, 4704, "0.930")],
        "Fake audio": [(6750, 7400, "0.680")],
        "Not evaluated: lips": [(0, 1000, "face too small")],
    }
    assert document.media_descriptors[0]["MEDIA_URL"] == "clips/inter%20view.mp4"
    (verdict,) = document.properties
    assert verdict[1].startswith("Flagged as fake: score 0.930")
    assert document.adocument["AUTHOR"] == "mmmsba with demonstrator (mmmsba-plugin 0.1.0)"


def test_elan_has_no_tier_of_fakes_of_a_clip_that_was_not_evaluated(tmp_path):
    document = eaf(tmp_path, UNREADABLE)
    assert list(document.get_tier_names()) == ["Not evaluated"]
    assert document.get_annotation_data_for_tier("Not evaluated") == [(0, 5000, REASON)]


def test_elan_has_an_empty_tier_of_a_clip_in_which_nothing_is_fake(tmp_path):
    document = eaf(tmp_path, NO_SEGMENTS)
    assert document.get_annotation_data_for_tier("Fake") == []


@given(names)
def test_every_name_can_be_written_for_elan(tmp_path_factory, name):
    document = eaf(tmp_path_factory.getbasetemp(), report_of(name))
    assert " " not in document.media_descriptors[0]["MEDIA_URL"]
