"""Tests of average precision at every threshold: it is what applying the threshold would give."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.tasks.evaluate import evaluate
from fiftyone_ops.tasks.rethreshold import rethreshold
from fiftyone_ops.tasks.threshold_precision import StoredPredictions

from .test_threshold_table import at


def precisions_of(dataset: fo.Dataset) -> np.ndarray:
    return StoredPredictions.read(dataset, truth_field="truth").average_precisions()


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.75, 0.8])
def test_it_is_that_of_the_segments_at_the_threshold(evaluated_with_truth, threshold):
    precisions = precisions_of(evaluated_with_truth)
    rethreshold(evaluated_with_truth, threshold)
    # Without proposals, an evaluation is of the segments.
    evaluated_with_truth.clear_sample_field("forgeries_proposals")
    measured = evaluate(
        evaluated_with_truth, truth_field="truth", mode="voc", model_evaluation=False
    )
    assert precisions[at(threshold)] == pytest.approx(measured.table["ap@0.5"], abs=1e-6)


def test_a_true_segment_that_was_moved_in_the_app_counts_where_it_is_now(evaluated_with_truth):
    before = precisions_of(evaluated_with_truth)[at(0.5)]
    sample = evaluated_with_truth.match(F("filepath").ends_with("forged-1.mp4")).first()
    sample.truth.detections[0].support = [40, 50]
    sample.save()
    after = precisions_of(evaluated_with_truth)[at(0.5)]
    assert (before > 0.0, after) == (True, 0.0)


def test_a_fake_of_which_nobody_knows_where_is_neither_right_nor_wrong(evaluated_with_truth):
    before = precisions_of(evaluated_with_truth)
    located = [
        not path.endswith("genuine-1.mp4") for path in evaluated_with_truth.values("filepath")
    ]
    verdicts = [fo.Classification(label="fake", located=value) for value in located]
    evaluated_with_truth.set_values("truth_verdict", verdicts)
    evaluated_with_truth.add_dynamic_sample_fields()
    after = precisions_of(evaluated_with_truth)
    # Two of the three true segments are in that clip.
    assert (before[at(0.5)], after[at(0.5)]) == (pytest.approx(1 / 3), 1.0)


def test_without_a_ground_truth_there_is_none(evaluated):
    assert np.isnan(precisions_of(evaluated)).all()
