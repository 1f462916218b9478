"""Figures in a dataset are those of the field's evaluators, and errors can be looked at."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.errors import FieldTakenError, TargetError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.evaluate import evaluate
from fiftyone_ops.tasks.import_dataset import import_dataset
from mmmsba_plugin.evaluation.evaluate import measure
from mmmsba_plugin.evaluation.metrics.pairing import pair
from mmmsba_plugin.evaluation.run import run, tables
from mmmsba_plugin.segment import Segment


def names(view) -> list[str]:
    return sorted(sample.filename.removesuffix(".mp4") for sample in view)


def test_each_segment_found_takes_the_truth_it_overlaps_most_and_none_is_taken_twice():
    predicted = [Segment(0, 1), Segment(0, 1.1), Segment(3, 4)]
    ground_truth = [Segment(0, 1.2), Segment(0, 1.0), Segment(6, 7)]
    assert pair(predicted, [0.5, 0.9, 0.8], ground_truth, tiou=0.5) == [1, 0, None]
    assert pair(predicted, [0.5, 0.9, 0.8], [], tiou=0.5) == [None, None, None]


def test_every_segment_and_sample_is_marked(evaluated_with_truth):
    evaluate(evaluated_with_truth, truth_field="truth")
    counted = {
        sample.filename.removesuffix(".mp4"): (sample.eval_tp, sample.eval_fp, sample.eval_fn)
        for sample in evaluated_with_truth.exists("truth")
    }
    assert counted == {
        "forged-1": (1, 0, 0),
        "forged-2": (0, 1, 0),
        "genuine-1": (0, 0, 2),
        "genuine-2": (0, 0, 0),
    }
    missed = evaluated_with_truth.match(F("eval_fn") > 0).first()
    assert [label["eval"] for label in missed.truth.detections] == ["fn", "fn"]
    right = evaluated_with_truth.match(F("eval_tp") > 0).first()
    assert [label["eval"] for label in right.truth.detections] == ["tp"]
    assert [label["eval"] for label in right.forgeries.detections] == ["tp"]


def test_errors_are_saved_as_views(evaluated_with_truth):
    summary = evaluate(evaluated_with_truth, truth_field="truth")
    views = {name: names(evaluated_with_truth.load_saved_view(name)) for name in summary.views}
    assert views == {
        "eval-missed-segments": ["genuine-1"],
        "eval-false-alarms": ["forged-2"],
        "eval-real-called-fake": ["forged-2"],
        "eval-fake-called-real": ["genuine-1"],
    }


def test_exact_seconds_are_measured_and_not_frames(evaluated_with_truth):
    # By frames the segment of 0.5 to 1.013 s would be one of 0.48 to 1.04 s.
    table = evaluate(evaluated_with_truth, truth_field="truth", mode="voc").table
    assert table["ap@0.95"] == table["ap@0.5"] > 0


def test_figures_equal_those_of_the_command_line(talking_head_dataset, checkpoint, detector):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="measured").dataset
    annotate(imported, checkpoint=str(checkpoint))
    from mmmsba_plugin.datasets.lavdf import read_lavdf

    predictions, ground_truth = tables(run(detector, read_lavdf(talking_head_dataset)), name="x")
    expected = measure(predictions, ground_truth, num_resamples=0).intervals
    metrics = evaluate(imported).table
    imported.delete()
    assert {"ap@0.5", "ar@100", "auc", "eer", "audio_auc"} <= metrics.keys()
    for name, value in metrics.items():
        assert value == pytest.approx(expected[name].value, nan_ok=True), name


def test_figures_are_kept_with_the_data_set(evaluated_with_truth):
    table = evaluate(evaluated_with_truth, truth_field="truth", eval_key="first").table
    stored = dict(evaluated_with_truth.get_run_info("first").config.metrics)
    assert stored["auc"] == table["auc"]
    assert not np.isnan(stored["ap@0.5"])


def test_again_is_allowed_and_over_somebody_elses_is_not(evaluated_with_truth):
    evaluate(evaluated_with_truth, truth_field="truth")
    evaluate(evaluated_with_truth, truth_field="truth")
    evaluated_with_truth.add_sample_field("other_tp", fo.IntField)
    with pytest.raises(FieldTakenError, match="'other_tp' that no run of ours made"):
        evaluate(evaluated_with_truth, truth_field="truth", eval_key="other")


def test_fiftyones_own_evaluation_stands_beside(evaluated_with_truth):
    evaluate(evaluated_with_truth, truth_field="truth", activitynet=True)
    assert evaluated_with_truth.list_evaluations() == ["eval_clips", "eval_frames"]


def test_verdicts_are_called_as_truth_is_so_that_fiftyone_compares_them(evaluated_with_truth):
    for sample in (with_truth := evaluated_with_truth.exists("truth")):
        word = "fake" if sample.truth.detections else "not flagged"
        sample["truth_verdict"] = fo.Classification(label=word)
        sample.save()
    options = {"gt_field": "truth_verdict", "method": "binary", "classes": ["not flagged", "fake"]}
    comparison = with_truth.evaluate_classifications(
        "forgeries_verdict", eval_key="said", **options
    )
    assert comparison.metrics()["accuracy"] == 0.5
    assert {sample.filename: sample.said for sample in with_truth} == {
        "forged-1.mp4": "TP", "forged-2.mp4": "FP", "genuine-1.mp4": "FN", "genuine-2.mp4": "TN"
    }  # fmt: skip


def test_a_missing_field_is_named(evaluated_with_truth, dataset):
    with pytest.raises(TargetError, match="has no field 'none_verdict'"):
        evaluate(evaluated_with_truth, predictions="none", truth_field="truth")
    with pytest.raises(TargetError, match="has no true segments in 'filepath'"):
        evaluate(evaluated_with_truth, truth_field="filepath")
