"""Tests of evaluations in the App's own panel: what it reads there is what was measured."""

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor

from fiftyone_ops.errors import FieldTakenError
from fiftyone_ops.tasks.evaluate import evaluate

#: FiftyOne's, of counts no larger than 1.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide")

PANEL = "@voxel51/panels/model_evaluation_panel_builtin"


def shown_in_the_panel(dataset, key: str) -> dict:
    """Return the content of the App's panel for an evaluation."""
    request = {"dataset_name": dataset.name, "params": {"panel_id": "here", "key": key}}
    ctx = ExecutionContext(request, executor=Executor(), operator_uri=PANEL)
    return foo.get_operator(PANEL).get_evaluation_data(ctx)


@pytest.fixture
def labelled(evaluated_with_truth):
    """The small videos, of all of which the ground truth is known."""
    for sample in evaluated_with_truth.exists("truth", bool=False):
        sample["truth"] = fo.TemporalDetections()
        sample.save()
    return evaluated_with_truth


def test_the_panel_shows_hits_and_errors_of_the_clips_with_a_score(labelled):
    evaluate(labelled, truth_field="truth")
    evaluation = shown_in_the_panel(labelled, "eval_clips")
    metrics = evaluation["metrics"]
    assert {name: metrics[name] for name in ("tp", "fp", "fn", "support", "accuracy")} == {
        "tp": 1, "fp": 1, "fn": 1, "support": 4, "accuracy": 0.5
    }  # fmt: skip
    assert evaluation["confusion_matrix"]["classes"] == ["real", "fake"]
    results = labelled.load_evaluation_results("eval_clips")
    assert sorted(results.scores) == [0.25, 0.25, 0.75, 0.75]


def test_the_panel_shows_our_metrics_too_and_what_was_not_evaluated(labelled):
    table = evaluate(labelled, truth_field="truth").table
    labelled.reload()
    metrics = {
        metric["label"]: metric["value"]
        for metric in shown_in_the_panel(labelled, "eval_clips")["custom_metrics"].values()
    }
    assert metrics["Clips not evaluated"] == 3
    assert metrics["auc"] == table["auc"]
    assert metrics["ap@0.5"] == table["ap@0.5"]
    assert labelled.get_run_info("eval").config.num_not_evaluated == 3


def test_it_can_be_done_again_left_out_and_never_takes_the_place_of_another(labelled):
    evaluate(labelled, truth_field="truth")
    evaluate(labelled, truth_field="truth")
    evaluate(labelled, truth_field="truth", eval_key="other", model_evaluation=False)
    assert labelled.list_evaluations() == ["eval_clips"]
    labelled.add_sample_field("third_clips", fo.StringField)
    with pytest.raises(FieldTakenError, match="'third_clips' that no run of ours made"):
        evaluate(labelled, truth_field="truth", eval_key="third")
