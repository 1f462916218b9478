"""Tests of the operator that evaluates."""

import fiftyone as fo
import fiftyone.operators as foo


def test_the_operator_returns_the_table(evaluated_with_truth):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/evaluate_forgeries")
    result = operator(evaluated_with_truth, truth_field="truth").result
    assert result["num_real"] == 2
    clips = "2 real, 2 fake"
    assert {"clips": clips, "figure": "auc", "value": "0.5000"} in result["rows"]


def test_the_table_counts_what_was_not_evaluated_and_tells_groups_apart(evaluated_with_truth):
    for sample in evaluated_with_truth:
        # Of both failed files it is known that they are real, and of all others what they are.
        sample["truth"] = sample["truth"] or fo.TemporalDetections()
        sample["kind"] = "dubbed" if sample.truth.detections else "real"
        sample.save()
    operator = foo.get_operator("@mmmsba/fiftyone_ops/evaluate_forgeries")
    rows = operator(evaluated_with_truth, truth_field="truth").result["rows"]
    assert rows[0] == {"clips": "all", "figure": "not evaluated", "value": "3"}
    assert not any(row["value"] == "nan" for row in rows)
