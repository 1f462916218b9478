"""Figures in a dataset are those of the field's evaluators, and errors can be looked at."""

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops import labels
from fiftyone_ops.errors import FieldTakenError, TargetError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.evaluate import evaluate
from fiftyone_ops.tasks.import_dataset import import_dataset
from mmmsba_plugin.evaluation.evaluate import measure
from mmmsba_plugin.evaluation.metrics.pairing import pair
from mmmsba_plugin.evaluation.run import run, tables
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(50, fps_hz=25)
GROUND_TRUTH = {
    # Where the toy detector says 0.5 to 1.013 and 0.75, or nothing and 0.25.
    "forged-1": [Segment(0.5, 1.013)],
    "forged-2": [],
    "genuine-1": [Segment(0.2, 0.4), Segment(1.0, 1.4)],
    "genuine-2": [],
}


@pytest.fixture
def judged(named_dataset, toy):
    """What the toy detector says, and a truth that it gets wrong in every way."""
    annotate(named_dataset, detector=toy)
    for sample in named_dataset:
        name = sample.filename.removesuffix(".mp4")
        if name in GROUND_TRUTH:
            told = [labels.detection(part, CLOCK, label="audio") for part in GROUND_TRUTH[name]]
            sample["truth"] = fo.TemporalDetections(detections=told)
            sample.save()
    return named_dataset


def names(view) -> list[str]:
    return sorted(sample.filename.removesuffix(".mp4") for sample in view)


def test_each_segment_found_takes_the_truth_it_overlaps_most_and_none_is_taken_twice():
    found = [Segment(0, 1), Segment(0, 1.1), Segment(3, 4)]
    ground_truth = [Segment(0, 1.2), Segment(0, 1.0), Segment(6, 7)]
    assert pair(found, [0.5, 0.9, 0.8], ground_truth, tiou=0.5) == [1, 0, None]
    assert pair(found, [0.5, 0.9, 0.8], [], tiou=0.5) == [None, None, None]


def test_every_segment_and_sample_is_marked(judged):
    evaluate(judged, truth_field="truth")
    counted = {
        sample.filename.removesuffix(".mp4"): (sample.eval_tp, sample.eval_fp, sample.eval_fn)
        for sample in judged.exists("truth")
    }
    assert counted == {
        "forged-1": (1, 0, 0),
        "forged-2": (0, 1, 0),
        "genuine-1": (0, 0, 2),
        "genuine-2": (0, 0, 0),
    }
    missed = judged.match(F("eval_fn") > 0).first()
    assert [one["eval"] for one in missed.truth.detections] == ["fn", "fn"]
    right = judged.match(F("eval_tp") > 0).first()
    assert [one["eval"] for one in right.truth.detections] == ["tp"]
    assert [one["eval"] for one in right.forgeries.detections] == ["tp"]


def test_errors_are_saved_as_views(judged):
    told = evaluate(judged, truth_field="truth")
    views = {name: names(judged.load_saved_view(name)) for name in told.views}
    assert views == {
        "eval-missed-segments": ["genuine-1"],
        "eval-false-alarms": ["forged-2"],
        "eval-genuine-called-forged": ["forged-2"],
        "eval-forged-called-genuine": ["genuine-1"],
    }


def test_exact_seconds_are_measured_and_not_frames(judged):
    # By frames the segment of 0.5 to 1.013 s would be one of 0.48 to 1.04 s.
    table = evaluate(judged, truth_field="truth", mode="voc").table
    assert table["ap@0.95"] == table["ap@0.5"] > 0


def test_figures_equal_those_of_the_command_line(talking_head_dataset, checkpoint, detector):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="measured").dataset
    annotate(imported, checkpoint=str(checkpoint))
    from mmmsba_plugin.datasets.lavdf import read_lavdf

    predictions, ground_truth = tables(run(detector, read_lavdf(talking_head_dataset)), name="x")
    expected = measure(predictions, ground_truth, num_resamples=0).intervals
    told = evaluate(imported).table
    imported.delete()
    assert {"ap@0.5", "ar@100", "auc", "eer", "audio_auc"} <= told.keys()
    for name, value in told.items():
        assert value == pytest.approx(expected[name].value, nan_ok=True), name


def test_figures_are_kept_with_the_data_set(judged):
    table = evaluate(judged, truth_field="truth", eval_key="first").table
    kept = dict(judged.get_run_info("first").config.metrics)
    assert kept["auc"] == table["auc"]
    assert not np.isnan(kept["ap@0.5"])


def test_again_is_allowed_and_over_somebody_elses_is_not(judged):
    evaluate(judged, truth_field="truth")
    evaluate(judged, truth_field="truth")
    judged.add_sample_field("other_tp", fo.IntField)
    with pytest.raises(FieldTakenError, match="'other_tp' that no run of ours made"):
        evaluate(judged, truth_field="truth", eval_key="other")


def test_fiftyones_own_evaluation_stands_beside(judged):
    evaluate(judged, truth_field="truth", activitynet=True)
    assert judged.list_evaluations() == ["eval_frames"]


def test_verdicts_are_called_as_truth_is_so_that_fiftyone_compares_them(judged):
    for sample in (known := judged.exists("truth")):
        word = "forged" if sample.truth.detections else "genuine"
        sample["truth_verdict"] = fo.Classification(label=word)
        sample.save()
    asked = {"gt_field": "truth_verdict", "method": "binary", "classes": ["genuine", "forged"]}
    found = known.evaluate_classifications("forgeries_verdict", eval_key="said", **asked)
    assert found.metrics()["accuracy"] == 0.5
    assert {sample.filename: sample.said for sample in known} == {
        "forged-1.mp4": "TP", "forged-2.mp4": "FP", "genuine-1.mp4": "FN", "genuine-2.mp4": "TN"
    }  # fmt: skip


def test_what_is_missing_is_said(judged, dataset):
    with pytest.raises(TargetError, match="has no field 'none_verdict'; run detect_forgeries"):
        evaluate(judged, predictions="none", truth_field="truth")
    with pytest.raises(TargetError, match="has no true segments in 'filepath'; import a dataset"):
        evaluate(judged, truth_field="filepath")


def test_the_operator_returns_the_table(judged):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/evaluate_forgeries")
    result = operator(judged, truth_field="truth").result
    assert result["num_real"] == 2
    assert {"figure": "auc", "value": "0.5000"} in result["rows"]
