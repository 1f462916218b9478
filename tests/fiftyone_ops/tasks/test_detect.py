"""Videos are evaluated, and their samples say what was said; whatever happens, nothing is lost."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.core.odm import get_db_conn
from fiftyone.operators.executor import ExecutionContext, ExecutionError

from fiftyone_ops.errors import FieldTakenError, TargetError, WriteError
from fiftyone_ops.settings import DetectSettings
from fiftyone_ops.tasks.detect import Annotation, annotate
from mmmsba_plugin.errors import (
    CapabilityError,
    CheckpointNotFoundError,
    ConfigError,
    PluginNotFoundError,
)

from ..asking import asked_by_the_app

#: How far a run has come that has not begun.
NOTHING_YET = SimpleNamespace(progress=0)
URI = "@mmmsba/fiftyone_ops/detect_forgeries"


def by_name(dataset: fo.Dataset, path: str) -> dict[str, object]:
    names = [Path(one).stem for one in dataset.values("filepath")]
    return dict(zip(names, dataset.values(path), strict=True))


def test_every_video_gets_a_verdict_and_one_that_fails_stops_nothing(named_dataset, toy):
    summary = annotate(named_dataset, detector=toy, batch_size=2)
    assert by_name(named_dataset, "forgeries_verdict.label") == {
        "forged-1": "forged",
        "forged-2": "forged",
        "genuine-1": "genuine",
        "genuine-2": "genuine",
        "nobody": "abstained",
        "raises": "error",
        "missing": "error",
    }
    assert summary.to_dict()["verdicts"] == {"forged": 2, "genuine": 2, "abstained": 1, "error": 2}
    reasons = by_name(named_dataset, "forgeries_verdict.reason")
    assert reasons["raises"] == "RuntimeError: out of memory"
    assert "there is no file at" in reasons["missing"]
    assert reasons["nobody"] == "nobody is seen or heard"
    assert reasons["forged-1"] is None


def test_a_segment_has_its_modality_its_frames_and_its_exact_seconds(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    sample = named_dataset.match(F("forgeries_verdict.label") == "forged").first()
    (segment,) = sample.forgeries.detections
    assert (segment.label, segment.confidence) == ("audio", 0.75)
    assert (segment.start_s, segment.end_s) == (0.5, 1.013)
    assert segment.support == [13, 26]
    (unseen,) = sample.forgeries_opt_outs.detections
    assert (unseen.label, unseen.reason, unseen.support) == ("lips", "no face", [38, 50])
    assert (sample.forgeries_verdict.score_audio, sample.forgeries_verdict.score_lips) == (
        0.75,
        0.25,
    )


def test_scores_along_time_are_vectors_and_frames_stay_empty_unless_asked(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    sample = named_dataset.match(F("forgeries_verdict.label") == "forged").first()
    curves = sample.forgeries_curves
    assert np.array_equal(curves.score, [0.25, 0.75, 0.25, np.nan], equal_nan=True)
    assert (curves.stride_s, curves.audio.tolist()) == (0.5, [0.25, 0.75, 0.25, 0.25])
    assert sample.forgeries_proposals.tolist() == [[0.5, 1.013, 0.75]]
    assert not named_dataset.has_frame_field("forgeries_score")


def test_frames_get_scores_on_request(named_dataset, toy):
    annotate(named_dataset, detector=toy, frames=True)
    sample = named_dataset.match(F("forgeries_verdict.label") == "forged").first()
    scores = {number: frame.forgeries_score for number, frame in sample.frames.items()}
    assert (scores[1], scores[13], scores[14], len(scores)) == (0.25, 0.25, 0.75, 38)


def test_what_is_not_asked_for_is_not_written(named_dataset, toy):
    annotate(named_dataset, detector=toy, curves=False, opt_outs=False, proposals=False)
    assert named_dataset.exists("forgeries_verdict").count() == len(named_dataset)
    for field in ("curves", "opt_outs", "proposals"):
        assert not named_dataset.exists(f"forgeries_{field}")


def test_a_second_run_judges_only_what_failed(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    again = annotate(named_dataset, detector=toy)
    assert (again.skipped, again.verdicts) == (5, {"error": 2})


def test_skipping_leaves_failures_alone_and_overwriting_judges_all(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    assert annotate(named_dataset, detector=toy, existing="skip").skipped == 7
    assert annotate(named_dataset, detector=toy, existing="overwrite").skipped == 0


def test_another_threshold_is_another_way_of_judging(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    again = annotate(named_dataset, detector=toy, threshold=0.8)
    assert again.verdicts == {"genuine": 4, "abstained": 1, "error": 2}
    assert by_name(named_dataset, "forgeries_verdict.threshold")["forged-1"] == 0.8


def test_whoever_stops_a_run_keeps_what_was_done_and_the_next_one_goes_on(named_dataset, toy):
    run = Annotation(named_dataset, DetectSettings(detector=toy, batch_size=4)).steps()
    for _ in range(3):
        next(run)
    run.close()
    assert named_dataset.exists("forgeries_verdict").count() == 3
    assert annotate(named_dataset, detector=toy).skipped == 3
    assert named_dataset.exists("forgeries_verdict").count() == 7


def test_progress_counts_to_the_end_and_says_what_is_left(named_dataset, toy):
    heard = []
    annotate(named_dataset, detector=toy, on_progress=heard.append)
    assert [(one.num_done, one.total) for one in heard] == [(n, 7) for n in range(1, 8)]
    assert str(heard[-1]) == "7 of 7 videos judged, 0 s left"


def test_a_run_is_registered_with_what_judged(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    config = named_dataset.get_run_info("forgeries").config
    (made_by,) = set(by_name(named_dataset, "forgeries_verdict.made_by").values())
    assert config.method == "mmmsba/detect"
    assert config.makers[made_by]["name"] == "toy"


def test_a_field_that_is_not_ours_is_left_as_it_is(named_dataset, toy):
    truth = fo.TemporalDetections(detections=[fo.TemporalDetection(label="x", support=[1, 5])])
    named_dataset.set_values("ground_truth", [truth] * 7)
    with pytest.raises(FieldTakenError, match="choose another field, such as ground_truth_2"):
        annotate(named_dataset, detector=toy, label_field="ground_truth")
    assert named_dataset.first().ground_truth.detections[0].support == [1, 5]
    assert named_dataset.list_runs() == []


def test_a_read_only_field_is_said_to_be_so(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    field = named_dataset.get_field("forgeries")
    field.read_only = True
    field.save()
    with pytest.raises(FieldTakenError, match=r"'forgeries' of .* is read-only; choose another"):
        annotate(named_dataset, detector=toy)


def test_a_locked_data_set_is_said_to_be_so_and_keeps_what_it_had(named_dataset, toy):
    annotate(named_dataset.limit(2), detector=toy, batch_size=1)
    # A real refusal of the database: it takes no more verdicts.
    few = {"validator": {"forgeries_verdict.label": {"$exists": False}}}
    get_db_conn().command("collMod", named_dataset._sample_collection_name, **few)
    with pytest.raises(WriteError, match=r"does not let .* be written to: .* Ask whoever runs it"):
        annotate(named_dataset, detector=toy)
    assert named_dataset.exists("forgeries_verdict").count() == 2


def test_frames_and_emptiness_are_refused_in_words(toy):
    frames = fo.Dataset()
    with pytest.raises(TargetError, match="add videos to it first"):
        annotate(frames, detector=toy)
    frames.add_sample(fo.Sample(filepath="face.png"))
    with pytest.raises(TargetError, match="holds samples of media type 'image'; choose videos"):
        annotate(frames, detector=toy)
    frames.delete()


def test_a_view_of_nothing_is_refused_in_words(named_dataset, toy):
    with pytest.raises(TargetError, match="clear its filters, or choose another view"):
        annotate(named_dataset.match_tags("none"), detector=toy)


def test_only_the_chosen_videos_are_judged(named_dataset, toy):
    annotate(named_dataset.limit(2), detector=toy)
    assert named_dataset.exists("forgeries_verdict").count() == 2


def test_clips_stand_for_the_videos_they_were_cut_from(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    clips = named_dataset.to_clips("forgeries")
    summary = annotate(clips, detector=toy, existing="overwrite")
    assert (summary.total, summary.verdicts["forged"]) == (2, 2)


def test_samples_deleted_meanwhile_are_passed_over(named_dataset, toy):
    run = Annotation(named_dataset, DetectSettings(detector=toy, batch_size=2)).steps()
    next(run)
    named_dataset.delete_samples([named_dataset.last().id, named_dataset.values("id")[1]])
    for _ in run:
        pass
    assert named_dataset.exists("forgeries_verdict").count() == 5


@pytest.mark.parametrize(
    ("settings", "error", "said"),
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
def test_a_wrong_setting_is_said_before_anything_is_written(
    named_dataset, toy, settings, error, said
):
    with pytest.raises(error, match=said):
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
        assert [(one.start_s, one.end_s) for one in sample.forgeries.detections] == [
            (part.start_s, part.end_s) for part in report.segments
        ]
        assert sample.metadata.frame_rate == 25
        assert set(sample.forgeries_curves.field_names) >= {"score", "audio", "face", "lips"}


def form_of(dataset: fo.Dataset, **params) -> dict:
    request = {"dataset_name": dataset.name, "view": [], "params": params}
    return foo.get_operator(URI).resolve_input(ExecutionContext(request)).type.properties


class TestThroughTheOperator:
    def test_the_manifest_names_what_is_registered(self):
        from fiftyone.plugins import get_plugin

        manifest = get_plugin("@mmmsba/fiftyone_ops").to_dict()
        named = [*manifest["operators"], *manifest["panels"]]
        registered = [
            operator.config.name
            for operator in foo.list_operators(enabled="all")
            if operator.uri.startswith("@mmmsba/fiftyone_ops/")
        ]
        assert sorted(registered) == sorted(named)

    def test_called_from_python_it_returns_what_it_did(self, named_dataset, toy):
        result = foo.get_operator(URI)(named_dataset, detector=toy).result
        assert result["verdicts"] == {"forged": 2, "genuine": 2, "abstained": 1, "error": 2}
        assert named_dataset.exists("forgeries_verdict").count() == 7

    def test_an_error_reaches_whoever_called(self, named_dataset, toy):
        with pytest.raises(ExecutionError, match="no detector is called 'none'"):
            foo.execute_operator(URI, {"dataset": named_dataset}, params={"detector": "none"})

    def test_selected_samples_alone_are_judged(self, named_dataset, toy):
        chosen = named_dataset.limit(2).values("id")
        context = {"dataset": named_dataset, "selected": chosen}
        result = foo.execute_operator(URI, context, params={"detector": toy}).result
        assert result["total"] == 2

    def test_in_the_app_it_shows_how_far_it_is_and_ends_with_what_it_did(self, named_dataset, toy):
        shown = list(asked_by_the_app(URI, named_dataset, detector=toy))
        assert [one.body.operator_uri for one in shown] == ["set_progress"] * 7 + [
            "notify",
            "reload_dataset",
        ]
        assert shown[3].body.params["label"].startswith("4 of 7 videos judged, ")
        assert shown[7].body.params["message"] == (
            "2 forged, 2 genuine, 1 abstained, 2 error of 7 videos"
        )

    def test_when_the_app_goes_away_what_was_done_is_kept(self, named_dataset, toy):
        shown = asked_by_the_app(URI, named_dataset, detector=toy)
        for _ in range(3):
            next(shown)
        shown.close()
        assert named_dataset.exists("forgeries_verdict").count() == 3

    def test_what_cannot_work_is_said_before_anything_is_shown(self, named_dataset, toy):
        with pytest.raises(ExecutionError, match="has no thresholds to choose from"):
            asked_by_the_app(URI, named_dataset, detector=toy, false_positive_rate=0.1)

    def test_the_form_asks_what_the_settings_have_and_offers_registered_detectors(
        self, named_dataset, toy
    ):
        form = form_of(named_dataset)
        assert set(form) >= set(DetectSettings.model_fields) - {"existing"} | {"target"}
        assert set(form["detector"].type.values) >= {"mmms-ba", "toy"}
        assert form["curves"].default is True

    def test_the_form_asks_what_to_do_with_earlier_labels_once_there_are_some(
        self, named_dataset, toy
    ):
        assert "existing" not in form_of(named_dataset)
        annotate(named_dataset, detector=toy)
        assert form_of(named_dataset)["existing"].type.values == ["resume", "skip", "overwrite"]

    def test_the_form_says_that_weights_are_missing(self, named_dataset, unbundled):
        assert "There are no weights here" in form_of(named_dataset)["no_weights"].view.label

    def test_the_form_is_not_to_be_sent_over_frames(self):
        frames = fo.Dataset()
        frames.add_sample(fo.Sample(filepath="face.png"))
        refused = form_of(frames)["not_here"]
        assert refused.invalid
        assert "open a dataset of videos" in refused.error_message
        frames.delete()

    def test_a_plugin_of_another_version_refuses_to_run(self, named_dataset, toy, monkeypatch):
        loaded = sys.modules[type(foo.get_operator(URI)).__module__].versions
        monkeypatch.setattr(loaded, "plugin_version", lambda: "0.0.1")
        with pytest.raises(ExecutionError, match=r"is of version 0\.0\.1 and the inst"):
            foo.get_operator(URI)(named_dataset, detector=toy)

    def test_delegated_it_leaves_labels_progress_and_a_result(
        self, talking_dataset, checkpoint, worker
    ):
        view = talking_dataset.limit(2)
        queued = foo.get_operator(URI)(view, delegate=True, checkpoint=str(checkpoint))
        result = worker(queued.result["id"])
        assert result.run_state == "completed", result.result.error
        assert result.result.result["total"] == 2
        assert result.status.label == "2 of 2 videos judged, 0 s left"
        assert view.exists("forgeries_verdict").count() == 2

    def test_a_delegated_run_that_is_called_off_stops_and_keeps_what_was_done(
        self, talking_dataset, checkpoint, worker
    ):
        from fiftyone.operators.delegated import DelegatedOperationService

        service = DelegatedOperationService()
        queued = foo.get_operator(URI)(talking_dataset, delegate=True, checkpoint=str(checkpoint))
        started = queued.result["id"]
        while (service.get(started).status or NOTHING_YET).progress == 0:
            time.sleep(0.1)
        service.set_failed(started)
        assert worker(started).run_state == "failed"
        # The worker looks every second step, writes what it has, and is free for the next one.
        again = foo.get_operator(URI)(
            talking_dataset.limit(1), delegate=True, checkpoint=str(checkpoint)
        )
        assert worker(again.result["id"]).run_state == "completed"
        judged = talking_dataset.exists("forgeries_verdict").count()
        assert 1 <= judged < len(talking_dataset)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6, 0.9])
def test_a_video_is_fake_exactly_if_it_has_a_segment_at_any_threshold(
    talking_dataset, detector, threshold
):
    settings = DetectSettings(label_field="at_threshold", threshold=threshold)
    for _ in Annotation(talking_dataset, settings, detector=detector).steps():
        pass
    verdicts = talking_dataset.values("at_threshold_verdict.label")
    segments = talking_dataset.values("at_threshold.detections")
    assert [label == "forged" for label in verdicts] == [bool(labels) for labels in segments]
    stated = talking_dataset.values("at_threshold_verdict.threshold")
    assert stated == pytest.approx([threshold] * len(stated), abs=1e-4)


def test_a_detector_that_cannot_localize_at_another_threshold_is_refused(named_dataset):
    class Fixed:
        info = {"name": "fixed"}  # noqa: RUF012 - a detector's info is read only

    with pytest.raises(CapabilityError, match="leave out the threshold"):
        Annotation(named_dataset, DetectSettings(threshold=0.5), detector=Fixed())
    assert not named_dataset.has_sample_field("forgeries")
