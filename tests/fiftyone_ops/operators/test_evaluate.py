"""Tests of the operator that evaluates."""

import fiftyone.operators as foo


def test_the_operator_returns_the_table(evaluated_with_truth):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/evaluate_forgeries")
    result = operator(evaluated_with_truth, truth_field="truth").result
    assert result["num_real"] == 2
    assert {"figure": "auc", "value": "0.5000"} in result["rows"]
