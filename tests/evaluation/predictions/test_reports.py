"""Reports of our own are read as the predictions of a detector."""

import pytest

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions import (
    read_predictions,
)
from mmmsba_plugin.schema import Media, Problem, Report

from .samples import REPORT, report_of, write_file, write_report


def test_a_report_becomes_the_predictions_of_its_clip(tmp_path):
    predictions = read_predictions(write_report(tmp_path / "interview.mmmsba.json", REPORT))
    assert predictions.name == "interview"
    assert predictions.scores == {"interview.mp4": REPORT.score}
    assert predictions.threshold == REPORT.threshold.value
    assert set(predictions.by_modality) <= set(REPORT.modalities)
    assert len(predictions.proposals.scores) == len(REPORT.proposals)


def test_reports_beside_their_clips_are_found_in_all_folders(tmp_path):
    write_report(tmp_path / "a" / "one.mmmsba.json", report_of("a/one.mp4"))
    write_report(tmp_path / "b" / "two.mmmsba.json", report_of("b/two.mp4"))
    write_file(tmp_path, "a/one.json", {"somebody": "else's"})
    assert list(read_predictions(tmp_path).scores) == ["a/one.mp4", "b/two.mp4"]


def test_reports_in_a_folder_of_theirs_are_told_from_other_files(tmp_path):
    write_report(tmp_path / "one.json", report_of("one.mp4"))
    write_file(tmp_path, "summary.json", {"clips": 1})
    assert list(read_predictions(tmp_path).scores) == ["one.mp4"]


def test_a_clip_that_could_not_be_evaluated_has_no_score(tmp_path):
    failed = Report(
        status="error",
        media=Media(path="broken.mp4"),
        problem=Problem(kind="MediaUnreadableError", message="no moov atom; is it complete?"),
        provenance=REPORT.provenance,
    )
    write_report(tmp_path / "one.json", report_of("one.mp4"))
    write_report(tmp_path / "broken.json", failed)
    assert list(read_predictions(tmp_path).scores) == ["one.mp4"]


def test_a_report_of_another_version_is_refused(tmp_path):
    path = write_file(tmp_path, "one.mmmsba.json", {"schema_version": "9.0"})
    with pytest.raises(PredictionsError, match=r"one.mmmsba.json is no report"):
        read_predictions(path)


def test_two_reports_of_one_clip_are_refused(tmp_path):
    for name in ("one", "two"):
        write_report(tmp_path / f"{name}.json", REPORT)
    with pytest.raises(PredictionsError, match=r"two.json is a second report"):
        read_predictions(tmp_path)
