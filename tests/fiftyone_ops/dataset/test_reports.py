"""Tests of the conversion of reports to labels and back."""

import numpy as np
import pytest

from fiftyone_ops.dataset import reports
from mmmsba_plugin.schema import (
    Curves,
    FakeSegment,
    Media,
    ModalityReport,
    OptOut,
    Report,
    Threshold,
)
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(250, fps_hz=25)


def ok_report(*segments: FakeSegment, score: float = 0.8, **changed) -> Report:
    return samples.report("ok").model_copy(
        update={"score": score, "threshold": Threshold(value=0.5), "segments": segments, **changed}
    )


def test_segments_become_labels_by_modality_with_their_exact_seconds():
    parts = (
        FakeSegment(start_s=0.5, end_s=1.013, score=0.75, modality="audio", words="not me"),
        FakeSegment(start_s=2.0, end_s=2.5, score=0.5, track=0),
    )
    first, second = reports.segments_of(ok_report(*parts), CLOCK).detections
    assert (first.label, first.confidence, first.support) == ("audio", 0.75, [13, 26])
    assert (first.start_s, first.end_s) == (0.5, 1.013)
    assert (second.label, second.support, second.track) == ("unknown", [51, 63], 0)
    assert (first.words, second.words) == ("not me", None)


def test_labels_of_earlier_versions_become_segments_without_words():
    (label,) = reports.segments_of(ok_report(FakeSegment(start_s=0, end_s=1, score=1)), CLOCK)[
        "detections"
    ]
    assert reports.fake_segment_of(label).words is None
    label.clear_field("words")
    assert reports.fake_segment_of(label).words is None


@pytest.mark.parametrize(("score", "word"), [(0.8, "fake"), (0.5, "fake"), (0.3, "not flagged")])
def test_a_verdict_says_on_which_side_of_its_line_a_clip_lies(score, word):
    verdict = reports.verdict_of(ok_report(score=score), made_by="a")
    assert (verdict.label, verdict.confidence, verdict.threshold) == (word, score, 0.5)


def test_a_verdict_without_a_score_has_the_reason():
    verdict = reports.verdict_of(samples.report("error"), made_by="a")
    assert (verdict.label, verdict.confidence) == ("error", None)
    assert verdict.reason


def test_curves_become_vectors_with_gaps():
    curves = Curves(start_s=0.0, stride_s=0.5, score=(0.1, None), by_modality={"audio": (0.2, 0.3)})
    document = reports.curves_of(curves, CLOCK)
    assert np.array_equal(document.score, [0.1, np.nan], equal_nan=True)
    assert document.audio.tolist() == [0.2, 0.3]
    assert reports.curves_of(None, CLOCK) is None


def test_frames_get_the_score_of_the_snippet_they_are_shown_in():
    curves = Curves(start_s=0.0, stride_s=0.1, score=(0.25, None, 0.75))
    clock = FrameClock.steady(4, fps_hz=10)
    assert reports.frame_scores_of(curves, clock) == {1: 0.25, 3: 0.75}


def test_opt_outs_are_listed_by_modality():
    report = samples.report("ok")
    expected = [
        (m, opt_out.start_s)
        for m, modality_report in report.modalities.items()
        for opt_out in modality_report.opt_outs
    ]
    detections = reports.opt_outs_of(report, CLOCK).detections
    assert [(label.label, label.start_s) for label in detections] == [
        (f"{modality} not evaluated", start_s) for modality, start_s in expected
    ]
    verdict = reports.verdict_of(report, made_by="a")
    read = reports.modality_reports_of(verdict, reports.opt_outs_of(report, CLOCK))
    assert {m: len(modality.opt_outs) for m, modality in read.items()} == {
        m: len(modality.opt_outs) for m, modality in report.modalities.items()
    }


def test_opt_outs_shorter_than_a_snippet_are_no_labels():
    opt_outs = (OptOut(start_s=0, end_s=0.5, reason="a"), OptOut(start_s=9, end_s=9.1, reason="b"))
    curves = Curves(start_s=0.0, stride_s=0.5, score=(0.1,), by_modality={})
    report = ok_report(
        modalities={"audio": ModalityReport(score=0.5, opt_outs=opt_outs)}, curves=curves
    )
    assert [label.reason for label in reports.opt_outs_of(report, CLOCK).detections] == ["a"]


def test_the_media_of_a_report_say_how_long_the_clip_lasts():
    report = ok_report(media=Media(path="a.mp4", duration_s=3.5))
    assert reports.verdict_of(report, made_by="a").duration_s == 3.5


def test_curves_come_out_as_they_went_in(fake):
    sample = fake
    values = {
        "filepath": sample.filepath,
        "metadata": sample.metadata,
        "segments": sample.forgeries,
        "verdict": sample.forgeries_verdict,
        "opt_outs": sample.forgeries_opt_outs,
        "curves": sample.forgeries_curves,
        "proposals": sample.forgeries_proposals,
    }
    report = reports.report_of(values, {"name": "toy"})
    assert report.curves.score == (0.25, 0.75, 0.25, None)
    assert report.curves.by_modality["lips"] == (0.25, 0.25, 0.25, None)
