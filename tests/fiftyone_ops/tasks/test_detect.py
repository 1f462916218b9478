"""Videos are evaluated into the fields of their samples; whatever happens, nothing is lost."""

from pathlib import Path
from types import SimpleNamespace

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.settings import DetectSettings
from fiftyone_ops.tasks.detect import DetectTask, annotate, load_detector
from mmmsba_plugin.errors import (
    CapabilityError,
    CheckpointNotFoundError,
    ConfigError,
    PluginNotFoundError,
)
from mmmsba_plugin.hookspecs import hookimpl
from mmmsba_plugin.plugins import manager

#: How far a run has come that has not begun.
NOTHING_YET = SimpleNamespace(progress=0)
URI = "@mmmsba/fiftyone_ops/detect_forgeries"


def by_name(dataset: fo.Dataset, path: str) -> dict[str, object]:
    names = [Path(file).stem for file in dataset.values("filepath")]
    return dict(zip(names, dataset.values(path), strict=True))


def test_every_video_gets_a_verdict_and_one_that_fails_stops_nothing(named_dataset, toy):
    summary = annotate(named_dataset, detector=toy, batch_size=2)
    assert by_name(named_dataset, "forgeries_verdict.label") == {
        "forged-1": "fake",
        "forged-2": "fake",
        "genuine-1": "not flagged",
        "genuine-2": "not flagged",
        "nobody": "abstained",
        "raises": "error",
        "missing": "error",
    }
    assert summary.to_dict()["verdicts"] == {
        "fake": 2,
        "not flagged": 2,
        "abstained": 1,
        "error": 2,
    }
    reasons = by_name(named_dataset, "forgeries_verdict.reason")
    assert reasons["raises"] == "RuntimeError: out of memory"
    assert "there is no file at" in reasons["missing"]
    assert reasons["nobody"] == "nobody is seen or heard"
    assert reasons["forged-1"] is None


def test_each_report_is_announced_once_also_of_a_video_that_a_detector_fails_on(named_dataset, toy):
    names = []
    listener = SimpleNamespace(
        forensics_report_ready=hookimpl(lambda report, media: names.append(media.stem))
    )
    manager().register(listener, name="listener")
    try:
        annotate(named_dataset, detector=toy)
    finally:
        manager().unregister(name="listener")
    assert sorted(names) == sorted(by_name(named_dataset, "id"))


def test_a_segment_has_its_modality_its_frames_and_its_exact_seconds(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    sample = named_dataset.match(F("forgeries_verdict.label") == "fake").first()
    (segment,) = sample.forgeries.detections
    assert (segment.label, segment.confidence) == ("audio", 0.75)
    assert (segment.start_s, segment.end_s) == (0.5, 1.013)
    assert segment.support == [13, 26]
    (unseen,) = sample.forgeries_opt_outs.detections
    assert (unseen.label, unseen.reason, unseen.support) == (
        "lips not evaluated",
        "no face",
        [38, 50],
    )
    assert (sample.forgeries_verdict.score_audio, sample.forgeries_verdict.score_lips) == (
        0.75,
        0.25,
    )


def test_scores_along_time_are_vectors_and_frames_stay_empty_unless_asked(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    sample = named_dataset.match(F("forgeries_verdict.label") == "fake").first()
    curves = sample.forgeries_curves
    assert np.array_equal(curves.score, [0.25, 0.75, 0.25, np.nan], equal_nan=True)
    assert (curves.stride_s, curves.audio.tolist()) == (0.5, [0.25, 0.75, 0.25, 0.25])
    assert sample.forgeries_proposals.tolist() == [[0.5, 1.013, 0.75]]
    assert not named_dataset.has_frame_field("forgeries_score")


def test_frames_get_scores_on_request(named_dataset, toy):
    annotate(named_dataset, detector=toy, frames=True)
    sample = named_dataset.match(F("forgeries_verdict.label") == "fake").first()
    scores = {number: frame.forgeries_score for number, frame in sample.frames.items()}
    assert (scores[1], scores[13], scores[14], len(scores)) == (0.25, 0.25, 0.75, 38)


def test_what_is_not_asked_for_is_not_written(named_dataset, toy):
    annotate(named_dataset, detector=toy, curves=False, opt_outs=False, proposals=False)
    assert named_dataset.exists("forgeries_verdict").count() == len(named_dataset)
    for field in ("curves", "opt_outs", "proposals"):
        assert not named_dataset.exists(f"forgeries_{field}")


def test_a_second_run_evaluates_only_what_failed(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    again = annotate(named_dataset, detector=toy)
    assert (again.skipped, again.verdicts) == (5, {"error": 2})


def test_skipping_leaves_failures_alone_and_overwriting_evaluates_all(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    assert annotate(named_dataset, detector=toy, existing="skip").skipped == 7
    assert annotate(named_dataset, detector=toy, existing="overwrite").skipped == 0


def test_another_threshold_evaluates_anew(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    again = annotate(named_dataset, detector=toy, threshold=0.8)
    assert again.verdicts == {"not flagged": 4, "abstained": 1, "error": 2}
    assert by_name(named_dataset, "forgeries_verdict.threshold")["forged-1"] == 0.8


def test_whoever_stops_a_run_keeps_what_was_done_and_the_next_one_goes_on(named_dataset, toy):
    run = DetectTask(named_dataset, DetectSettings(detector=toy, batch_size=4)).steps()
    for _ in range(3):
        next(run)
    run.close()
    assert named_dataset.exists("forgeries_verdict").count() == 3
    assert annotate(named_dataset, detector=toy).skipped == 3
    assert named_dataset.exists("forgeries_verdict").count() == 7


def test_progress_counts_to_the_end_and_says_what_is_left(named_dataset, toy):
    steps = []
    annotate(named_dataset, detector=toy, on_progress=steps.append)
    assert [(step.num_done, step.total) for step in steps] == [(n, 7) for n in range(1, 8)]
    assert str(steps[-1]) == "7 of 7 videos evaluated, 0 s left"


def test_a_run_is_registered_with_its_detector(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    config = named_dataset.get_run_info("forgeries").config
    (made_by,) = set(by_name(named_dataset, "forgeries_verdict.made_by").values())
    assert config.method == "mmmsba/detect"
    assert config.makers[made_by]["name"] == "toy"


def test_only_the_chosen_videos_are_evaluated(named_dataset, toy):
    annotate(named_dataset.limit(2), detector=toy)
    assert named_dataset.exists("forgeries_verdict").count() == 2


def test_samples_deleted_meanwhile_are_passed_over(named_dataset, toy):
    run = DetectTask(named_dataset, DetectSettings(detector=toy, batch_size=2)).steps()
    next(run)
    named_dataset.delete_samples([named_dataset.last().id, named_dataset.values("id")[1]])
    for _ in run:
        pass
    assert named_dataset.exists("forgeries_verdict").count() == 5


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"detector": "nobody"}, PluginNotFoundError, "no detector is called 'nobody'"),
        ({"threshold": 0.5, "false_positive_rate": 0.1}, ConfigError, "not both"),
        ({"treshold": 0.5}, ConfigError, "Allowed keys: detector, checkpoint"),
        (
            {"detector": "toy", "false_positive_rate": 0.1},
            ConfigError,
            "has no thresholds to choose",
        ),
        ({"label_field": "my field"}, ConfigError, "label_field"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_written(
    named_dataset, toy, settings, error, message
):
    with pytest.raises(error, match=message):
        annotate(named_dataset, **settings)
    assert not named_dataset.has_sample_field("forgeries")


def test_without_weights_nothing_is_begun(named_dataset, unbundled):
    with pytest.raises(CheckpointNotFoundError, match="no checkpoint was given"):
        annotate(named_dataset)
    assert not named_dataset.has_sample_field("forgeries")


def test_our_own_detector_says_in_the_app_what_it_says_anywhere(
    talking_dataset, detector, checkpoint
):
    view = talking_dataset.limit(2)
    annotate(view, checkpoint=str(checkpoint))
    for sample in view:
        report = detector.detect(sample.filepath)
        verdict = sample.forgeries_verdict
        assert verdict.confidence == pytest.approx(report.score)
        assert [(label.start_s, label.end_s) for label in sample.forgeries.detections] == [
            (segment.start_s, segment.end_s) for segment in report.segments
        ]
        assert sample.metadata.frame_rate == 25
        assert set(sample.forgeries_curves.field_names) >= {"score", "audio", "face", "lips"}


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6, 0.9])
def test_a_video_is_fake_exactly_if_it_has_a_segment_at_any_threshold(
    talking_dataset, detector, threshold
):
    settings = DetectSettings(label_field="at_threshold", threshold=threshold)
    for _ in DetectTask(talking_dataset, settings, detector=detector).steps():
        pass
    verdicts = talking_dataset.values("at_threshold_verdict.label")
    segments = talking_dataset.values("at_threshold.detections")
    assert [label == "fake" for label in verdicts] == [bool(labels) for labels in segments]
    stated = talking_dataset.values("at_threshold_verdict.threshold")
    assert stated == pytest.approx([threshold] * len(stated), abs=1e-4)


def test_a_detector_that_cannot_localize_at_another_threshold_is_refused(named_dataset):
    class Fixed:
        info = {"name": "fixed"}  # noqa: RUF012 - a detector's info is read only

    with pytest.raises(CapabilityError, match="leave out the threshold"):
        DetectTask(named_dataset, DetectSettings(threshold=0.5), detector=Fixed())
    assert not named_dataset.has_sample_field("forgeries")


def test_the_fast_weights_are_named_in_place_of_a_folder():
    assert load_detector(DetectSettings(checkpoint="fast")).info["checkpoint"] == "fast"
