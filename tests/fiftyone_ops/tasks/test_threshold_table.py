"""Tests of the table of every threshold: each is what applying that threshold would give."""

import numpy as np
import pytest

from fiftyone_ops.tasks.rethreshold import rethreshold
from fiftyone_ops.tasks.threshold_table import THRESHOLDS, threshold_table


def at(threshold: float) -> int:
    return int(np.argmin(np.abs(THRESHOLDS - threshold)))


@pytest.mark.parametrize("threshold", [0.2, 0.25, 0.5, 0.75, 0.8])
def test_figures_are_what_the_threshold_would_make_of_the_clips(evaluated, threshold):
    table = threshold_table(evaluated)
    summary = rethreshold(evaluated, threshold)
    evaluated.reload()
    num_segments = sum(len(field.detections) for field in evaluated.values("forgeries"))
    assert table.num_fake[at(threshold)] == summary.verdicts["fake"]
    assert table.num_segments[at(threshold)] == num_segments


def test_rates_are_of_the_clips_with_a_ground_truth(evaluated_with_truth):
    table = threshold_table(evaluated_with_truth, truth_field="truth")
    # True are a fake of 0.75 and one of 0.25; real are one of 0.75 and one of 0.25.
    assert (table.num_clips, table.num_true_fake, table.num_true_real) == (4, 2, 2)
    for threshold, caught, wrong in ((0.25, 2, 2), (0.255, 1, 1), (0.75, 1, 1), (0.755, 0, 0)):
        assert table.true_positives[at(threshold)] == caught
        assert table.false_positives[at(threshold)] == wrong


def test_without_a_ground_truth_there_are_no_rates(evaluated):
    table = threshold_table(evaluated)
    assert (table.num_true_fake, table.num_true_real) == (0, 0)
    assert not table.true_positives.any()
