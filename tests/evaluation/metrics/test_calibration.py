"""Calibration: against definitions read out slowly, scikit-learn and torchmetrics."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mmmsba_plugin.errors import ConfigError, ScoreRangeError, ShapeError
from mmmsba_plugin.evaluation.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    reliability,
)

SLOW = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "slow_detection.py"))
METRICS = [brier_score, expected_calibration_error]

#: Twentieths tie often; any float ties by chance with its like, and lies as near as floats do.
any_score = st.one_of(st.integers(0, 20).map(lambda n: n / 20), st.floats(0, 1))


labelled = st.lists(st.tuples(any_score, st.booleans()), min_size=1).map(
    lambda rows: tuple(map(list, zip(*rows, strict=True)))
)


class TestCalibrationError:
    @given(labelled, st.integers(1, 20))
    def test_it_equals_the_slow_version(self, rows, bins):
        expected = SLOW["calibration_error"](*rows, bins)
        assert expected_calibration_error(*rows, bins=bins) == pytest.approx(expected, abs=1e-12)

    @given(labelled, st.integers(1, 20))
    def test_it_equals_that_of_torchmetrics(self, rows, bins):
        import torch
        from torchmetrics.functional.classification import binary_calibration_error

        # In float32 a score can fall on the other side of an edge: middles of bins cannot.
        scores = (np.floor(np.array(rows[0]) * bins * 0.999) + 0.5) / bins
        theirs = binary_calibration_error(
            torch.from_numpy(scores), torch.tensor(rows[1]).int(), n_bins=bins, norm="l1"
        )
        ours = expected_calibration_error(scores, rows[1], bins=bins)
        assert ours == pytest.approx(float(theirs), abs=1e-6)

    def test_scores_that_are_the_shares_fake_have_none(self):
        scores = [0.25] * 4 + [0.75] * 4
        fake = [True, False, False, False, True, True, True, False]
        assert expected_calibration_error(scores, fake) == 0.0

    def test_a_detector_that_is_sure_and_wrong_has_all_of_it(self):
        assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0

    @given(labelled, st.integers(1, 20))
    def test_bins_hold_every_clip_once(self, rows, bins):
        scores, labels = rows
        diagram = reliability(scores, labels, bins=bins)
        has_clips = diagram.counts > 0
        assert diagram.counts.sum() == len(scores)
        assert (np.diff(diagram.edges) >= 0).all()
        assert (diagram.edges[0], diagram.edges[-1]) == (0.0, 1.0)
        assert np.isnan(diagram.mean_scores[~has_clips]).all()
        mean = np.average(diagram.mean_scores[has_clips], weights=diagram.counts[has_clips])
        assert mean == pytest.approx(np.mean(scores), abs=1e-12)
        share = np.average(diagram.shares_fake[has_clips], weights=diagram.counts[has_clips])
        assert share == pytest.approx(np.mean(labels), abs=1e-12)
        inside = (diagram.mean_scores[has_clips] >= diagram.edges[:-1][has_clips] - 1e-12) & (
            diagram.mean_scores[has_clips] <= diagram.edges[1:][has_clips] + 1e-12
        )
        assert inside.all()

    def test_a_bin_holds_its_lower_edge_and_the_last_both(self):
        diagram = reliability([0.0, 0.5, 1.0], [False, True, True], bins=2)
        assert diagram.counts.tolist() == [1, 2]

    def test_no_bins_are_refused(self):
        with pytest.raises(ConfigError, match="at least one bin, got 0"):
            reliability([0.5], [True], bins=0)

    def test_without_clips_nothing_is_defined(self):
        for metric in METRICS:
            assert math.isnan(metric([], []))
        assert repr(reliability([], [])) == "Reliability(15 bins, 0 clips)"

    @given(labelled)
    def test_the_brier_score_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        expected = sklearn_metrics.brier_score_loss(labels, scores, pos_label=True)
        assert brier_score(scores, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
class TestInputs:
    @pytest.mark.parametrize("score", [-0.1, 1.1, 30.0, math.nan])
    def test_scores_that_may_be_logits_are_refused(self, metric, score):
        with pytest.raises(ScoreRangeError, match=rf"got {score:g}; are these logits\?"):
            metric([0.5, score], [False, True])

    def test_labels_that_do_not_fit_the_scores_are_refused(self, metric):
        with pytest.raises(ShapeError, match=r"got shapes \(2,\) .* \(1,\)"):
            metric([0.5, 0.5], [True])
