"""Detection: against definitions read out slowly, scikit-learn and torchmetrics."""

import math
import runpy
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError
from mmmsba_plugin.evaluation.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability,
)
from mmmsba_plugin.evaluation.metrics.detection import (
    accuracy,
    auc,
    balanced_accuracy,
    detection_average_precision,
    eer,
    false_positive_rate,
    partial_auc,
    precision_recall_curve,
    roc_curve,
    true_positive_rate,
)
from mmmsba_plugin.evaluation.metrics.snippets import Snippets, snippets_of, together
from mmmsba_plugin.schema import Curves
from mmmsba_plugin.segment import Segment

SLOW = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "slow_detection.py"))

#: Twentieths tie often; any float ties by chance with its like, and lies as near as floats do.
any_score = st.one_of(st.integers(0, 20).map(lambda n: n / 20), st.floats(0, 1))


def both_classes(rows):
    return len({label for _, label in rows}) == 2


labelled = st.lists(st.tuples(any_score, st.booleans()), min_size=1).map(
    lambda rows: tuple(map(list, zip(*rows, strict=True)))
)
told_apart = (
    st.lists(st.tuples(any_score, st.booleans()), min_size=2)
    .filter(both_classes)
    .map(lambda rows: tuple(map(list, zip(*rows, strict=True))))
)
thresholds = st.integers(0, 20).map(lambda n: n / 20)
rates = st.sampled_from([0.01, 0.1, 0.3, 0.999, 1.0])


class TestRanking:
    @given(told_apart)
    def test_auc_is_the_share_of_pairs_that_are_ranked_rightly(self, rows):
        assert auc(*rows) == float(SLOW["auc"](*rows))

    @given(told_apart)
    def test_auc_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        assert auc(scores, labels) == pytest.approx(
            sklearn_metrics.roc_auc_score(labels, scores), abs=1e-12
        )

    @given(told_apart)
    def test_auc_equals_that_of_torchmetrics(self, rows):
        import torch
        from torchmetrics.functional.classification import binary_auroc

        scores, labels = rows
        theirs = binary_auroc(torch.tensor(scores, dtype=torch.float64), torch.tensor(labels).int())
        # torchmetrics divides in float32.
        assert auc(scores, labels) == pytest.approx(float(theirs), abs=1e-6)

    def test_scores_that_differ_in_the_last_bit_are_no_tie(self):
        assert auc([0.5, np.nextafter(0.5, 1)], [False, True]) == 1.0

    @given(told_apart, rates)
    def test_partial_auc_equals_that_of_scikit_learn(self, rows, rate):
        scores, labels = rows
        expected = sklearn_metrics.roc_auc_score(labels, scores, max_fpr=rate)
        found = partial_auc(scores, labels, max_false_positive_rate=rate)
        assert found == pytest.approx(expected, abs=1e-12)

    def test_partial_auc_of_chance_is_one_half_and_of_perfection_one(self):
        assert partial_auc([0.5, 0.5], [False, True]) == pytest.approx(0.5)
        assert partial_auc([0.1, 0.9], [False, True]) == pytest.approx(1.0)
        worst = partial_auc([0.9, 0.1], [False, True], max_false_positive_rate=0.1)
        assert worst == pytest.approx((1 - 0.1 / 1.9) / 2)

    def test_the_raw_partial_area_is_another_number(self):
        # Flags half of the fake clips before the first real one, the rest after the last.
        raw_share = 0.5
        ours = partial_auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        assert ours == pytest.approx((1 + (0.1 * raw_share - 0.005) / 0.095) / 2)

    @pytest.mark.parametrize("rate", [0.0, -0.1, 1.1, math.nan])
    def test_a_rate_that_is_none_is_refused(self, rate):
        with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {rate}; 0.1 is usual"):
            partial_auc([0.1, 0.9], [False, True], max_false_positive_rate=rate)

    @given(told_apart)
    def test_average_precision_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        expected = sklearn_metrics.average_precision_score(labels, scores)
        assert detection_average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)

    @given(told_apart)
    def test_only_the_order_of_scores_matters(self, rows):
        scores, labels = rows
        ranks = np.unique(scores, return_inverse=True)[1] / len(scores)
        for measure in (auc, partial_auc, eer, detection_average_precision):
            assert measure(ranks, labels) == measure(scores, labels)

    @given(told_apart)
    def test_swapping_the_classes_turns_auc_and_error_rate_over(self, rows):
        scores, labels = np.array(rows[0]), np.array(rows[1])
        assert auc(scores, ~labels) == pytest.approx(1 - auc(scores, labels), abs=1e-12)
        assert eer(scores, ~labels) == pytest.approx(1 - eer(scores, labels), abs=1e-12)


class TestEqualErrorRate:
    @given(told_apart)
    def test_it_is_where_straight_lines_between_the_steps_cross(self, rows):
        assert eer(*rows) == pytest.approx(float(SLOW["eer"](*rows)), abs=1e-12)

    @given(told_apart.filter(lambda rows: len(set(rows[0])) == len(rows[0])))
    def test_it_is_near_the_nearest_step_that_other_toolkits_take(self, rows):
        scores, labels = rows
        smaller = min(labels.count(True), labels.count(False))
        nearest = float(SLOW["nearest_eer"](scores, labels))
        assert eer(scores, labels) == pytest.approx(nearest, abs=1 / smaller + 1e-12)

    def test_a_detector_that_is_never_wrong_has_no_errors_and_one_that_always_is_only_errors(self):
        assert eer([0.1, 0.2, 0.8, 0.9], [False, False, True, True]) == 0.0
        assert eer([0.8, 0.9, 0.1, 0.2], [False, False, True, True]) == 1.0
        assert eer([0.5, 0.5], [False, True]) == 0.5


class TestThreshold:
    @given(labelled, thresholds)
    def test_accuracy_equals_that_of_scikit_learn(self, rows, threshold):
        scores, labels = rows
        expected = sklearn_metrics.accuracy_score(labels, [s >= threshold for s in scores])
        assert accuracy(scores, labels, threshold=threshold) == pytest.approx(expected)

    @given(told_apart, thresholds)
    def test_balanced_accuracy_equals_that_of_scikit_learn(self, rows, threshold):
        scores, labels = rows
        flagged = [s >= threshold for s in scores]
        expected = sklearn_metrics.balanced_accuracy_score(labels, flagged)
        assert balanced_accuracy(scores, labels, threshold=threshold) == pytest.approx(expected)

    @given(told_apart, thresholds)
    def test_the_two_rates_are_a_point_of_the_roc_curve(self, rows, threshold):
        expected = SLOW["rates_at"](*rows, threshold)
        assert false_positive_rate(*rows, threshold=threshold) == pytest.approx(float(expected[0]))
        assert true_positive_rate(*rows, threshold=threshold) == pytest.approx(float(expected[1]))

    def test_a_score_at_the_threshold_is_flagged(self):
        assert true_positive_rate([0.5], [True], threshold=0.5) == 1.0
        assert false_positive_rate([0.5], [False], threshold=0.5) == 1.0

    def test_a_rate_of_a_class_that_is_not_there_is_not_defined(self):
        assert math.isnan(true_positive_rate([0.5], [False], threshold=0.5))
        assert math.isnan(false_positive_rate([0.5], [True], threshold=0.5))
        assert accuracy([0.5], [True], threshold=0.5) == 1.0
        assert math.isnan(accuracy([], [], threshold=0.5))

    @pytest.mark.parametrize("threshold", [2, -0.1, math.nan])
    def test_a_threshold_that_is_no_score_is_refused(self, threshold):
        with pytest.raises(ScoreRangeError, match=rf"in \[0, 1\], got {threshold}; 0.5 is usual"):
            balanced_accuracy([0.5, 0.5], [True, False], threshold=threshold)


class TestCurves:
    @given(told_apart)
    def test_the_roc_curve_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        theirs = sklearn_metrics.roc_curve(labels, scores, drop_intermediate=False)
        ours = roc_curve(scores, labels)
        assert ours.false_positive_rates == pytest.approx(theirs[0])
        assert ours.true_positive_rates == pytest.approx(theirs[1])
        assert ours.thresholds.tolist() == theirs[2].tolist()

    @given(told_apart)
    def test_the_area_under_the_roc_curve_is_the_auc(self, rows):
        curve = roc_curve(*rows)
        area = sklearn_metrics.auc(curve.false_positive_rates, curve.true_positive_rates)
        assert area == pytest.approx(auc(*rows), abs=1e-12)

    @given(told_apart)
    def test_the_precision_recall_curve_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        precisions, recalls, at = sklearn_metrics.precision_recall_curve(labels, scores)
        ours = precision_recall_curve(scores, labels)
        # Theirs rises in score, and ends at a point without a threshold.
        assert ours.precisions == pytest.approx(precisions[:-1][::-1])
        assert ours.recalls == pytest.approx(recalls[:-1][::-1])
        assert ours.thresholds.tolist() == at[::-1].tolist()

    def test_where_a_class_is_not_there_its_rate_is_not_defined(self):
        curve = roc_curve([0.2, 0.6], [True, True])
        assert np.isnan(curve.false_positive_rates).all()
        assert curve.true_positive_rates.tolist() == [0.0, 0.5, 1.0]
        assert np.isnan(precision_recall_curve([0.2], [False]).recalls).all()
        assert roc_curve([], []).thresholds.tolist() == [math.inf]
        assert len(precision_recall_curve([], []).precisions) == 0

    def test_curves_print_themselves_short(self):
        assert repr(roc_curve([0.1, 0.2], [True, False])) == "RocCurve(3 thresholds)"
        short = repr(precision_recall_curve([0.1, 0.2], [True, False]))
        assert short == "PrecisionRecallCurve(2 thresholds)"


RANKING = [auc, partial_auc, eer, detection_average_precision]
AT_A_THRESHOLD = [accuracy, balanced_accuracy, true_positive_rate, false_positive_rate]
MEASURES = [
    *RANKING,
    *(lambda scores, labels, m=m: m(scores, labels, threshold=0.5) for m in AT_A_THRESHOLD),
    brier_score,
    log_loss,
    expected_calibration_error,
]


class TestInputs:
    @pytest.mark.parametrize("measure", [*RANKING, MEASURES[5]])
    @pytest.mark.parametrize("labels", [[True, True], [False, False], []])
    def test_one_class_alone_has_no_measure(self, measure, labels):
        assert math.isnan(measure([0.5] * len(labels), labels))

    @pytest.mark.parametrize("measure", MEASURES)
    @pytest.mark.parametrize("score", [-0.1, 1.1, 30.0, math.nan])
    def test_scores_that_may_be_logits_are_refused(self, measure, score):
        with pytest.raises(ScoreRangeError, match=rf"\[0, 1\], got {score:g}; are these logits\?"):
            measure([0.5, score], [False, True])

    @pytest.mark.parametrize("measure", MEASURES)
    def test_labels_that_do_not_fit_the_scores_are_refused(self, measure):
        with pytest.raises(DatasetError, match=r"one label a score, got shapes \(2,\) .* \(1,\)"):
            measure([0.5, 0.5], [True])

    @pytest.mark.parametrize("measure", RANKING)
    def test_fifty_thousand_clips_take_some_milliseconds(self, measure):
        rng = np.random.default_rng(0)
        scores, labels = rng.random(50_000), rng.random(50_000) < 0.7
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            measure(scores, labels)
            seconds.append(time.perf_counter() - start)
        # 2 to 3 ms alone on one core; the bound leaves room for whatever else runs there.
        assert min(seconds) < 0.05


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
        found = expected_calibration_error(scores, rows[1], bins=bins)
        assert found == pytest.approx(float(theirs), abs=1e-6)

    def test_scores_that_are_the_shares_fake_have_none(self):
        scores = [0.25] * 4 + [0.75] * 4
        fake = [True, False, False, False, True, True, True, False]
        assert expected_calibration_error(scores, fake) == 0.0
        assert expected_calibration_error(scores, fake, binning="mass") == 0.0

    def test_a_detector_that_is_sure_and_wrong_has_all_of_it(self):
        assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0

    @given(labelled, st.sampled_from(["width", "mass"]), st.integers(1, 20))
    def test_bins_hold_every_clip_once(self, rows, binning, bins):
        scores, labels = rows
        seen = reliability(scores, labels, bins=bins, binning=binning)
        held = seen.counts > 0
        assert seen.counts.sum() == len(scores)
        assert (np.diff(seen.edges) >= 0).all()
        assert (seen.edges[0], seen.edges[-1]) == (0.0, 1.0)
        assert np.isnan(seen.mean_scores[~held]).all()
        mean = np.average(seen.mean_scores[held], weights=seen.counts[held])
        assert mean == pytest.approx(np.mean(scores), abs=1e-12)
        share = np.average(seen.shares_fake[held], weights=seen.counts[held])
        assert share == pytest.approx(np.mean(labels), abs=1e-12)
        inside = (seen.mean_scores[held] >= seen.edges[:-1][held] - 1e-12) & (
            seen.mean_scores[held] <= seen.edges[1:][held] + 1e-12
        )
        assert inside.all()

    def test_bins_of_equal_mass_hold_about_as_many_clips_each(self):
        scores = np.random.default_rng(0).beta(0.5, 4, size=1_500)
        even = reliability(scores, scores > 0.5, binning="mass").counts
        assert even.tolist() == [100] * 15
        assert reliability(scores, scores > 0.5).counts.max() > 500

    @given(labelled, st.integers(1, 20), st.randoms())
    def test_equal_scores_share_a_bin_so_that_order_is_no_matter(self, rows, bins, random):
        pairs = list(zip(*rows, strict=True))
        random.shuffle(pairs)
        shuffled = zip(*pairs, strict=True)
        found = expected_calibration_error(*map(list, shuffled), bins=bins, binning="mass")
        first = expected_calibration_error(*rows, bins=bins, binning="mass")
        assert found == pytest.approx(first, abs=1e-12)

    def test_a_bin_holds_its_lower_edge_and_the_last_both(self):
        seen = reliability([0.0, 0.5, 1.0], [False, True, True], bins=2)
        assert seen.counts.tolist() == [1, 2]

    def test_no_bins_are_refused(self):
        with pytest.raises(ConfigError, match="at least one bin, got 0; 15 are usual"):
            reliability([0.5], [True], bins=0)

    def test_without_clips_nothing_is_defined(self):
        for measure in (expected_calibration_error, brier_score, log_loss):
            assert math.isnan(measure([], []))
        assert math.isnan(expected_calibration_error([], [], binning="mass"))
        assert repr(reliability([], [])) == "Reliability(15 bins, 0 clips)"

    @given(labelled)
    def test_the_brier_score_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        expected = sklearn_metrics.brier_score_loss(labels, scores, pos_label=True)
        assert brier_score(scores, labels) == pytest.approx(expected, abs=1e-12)

    @given(st.lists(st.tuples(st.floats(1e-6, 1 - 1e-6), st.booleans()), min_size=1))
    def test_log_loss_equals_that_of_scikit_learn(self, rows):
        scores, labels = map(list, zip(*rows, strict=True))
        expected = sklearn_metrics.log_loss(labels, scores, labels=[False, True])
        assert log_loss(scores, labels) == pytest.approx(expected)

    def test_being_sure_and_wrong_is_an_infinite_surprise(self):
        assert log_loss([1.0, 0.5], [False, True]) == math.inf
        assert log_loss([1.0, 0.0], [True, False]) == 0.0


class TestSnippets:
    def curves(self, *scores, start_s=0.0, **by_modality) -> Curves:
        return Curves(start_s=start_s, stride_s=0.2, score=scores, by_modality=by_modality)

    def test_a_snippet_is_fake_if_any_fake_time_lies_in_its_cell(self):
        found = snippets_of(self.curves(0.1, 0.2, 0.3, 0.4, 0.5), [Segment(0.39, 0.6)])
        assert found.fake.tolist() == [False, True, True, False, False]
        assert found.scores.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]

    def test_snippets_that_were_not_judged_are_left_out(self):
        found = snippets_of(self.curves(None, 0.2, None), [Segment(0.0, 0.4)])
        assert (found.scores.tolist(), found.fake.tolist()) == ([0.2], [True])

    def test_cells_are_those_of_a_grid_that_starts_later(self):
        found = snippets_of(self.curves(0.1, 0.2, 0.3, start_s=0.4), [Segment(0.5, 0.7)])
        assert found.fake.tolist() == [True, True, False]

    @pytest.mark.parametrize("truth", [Segment(0.0, 0.4), Segment(2.0, 3.0)])
    def test_truth_outside_of_what_was_judged_is_not_asked_for(self, truth):
        assert not snippets_of(self.curves(0.1, 0.2, start_s=0.4), [truth]).fake.any()

    def test_a_clip_that_is_fake_throughout_has_fake_snippets_throughout(self):
        from mmmsba_plugin.record import WHOLE_CLIP

        assert snippets_of(self.curves(0.1, 0.2), [WHOLE_CLIP]).fake.all()

    def test_a_modality_has_a_curve_of_its_own(self):
        found = snippets_of(self.curves(0.9, 0.9, audio=(0.2, None)), [], modality="audio")
        assert found.scores.tolist() == [0.2]
        with pytest.raises(DatasetError, match="no curve of lips, only of: audio; ask for one"):
            snippets_of(self.curves(0.9, audio=(0.2,)), [], modality="lips")
        with pytest.raises(DatasetError, match="only of: none"):
            snippets_of(self.curves(0.9), [], modality="lips")

    def test_a_clip_without_snippets_has_none(self):
        assert len(snippets_of(self.curves(), [Segment(0.0, 1.0)])) == 0

    @given(
        st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
        st.integers(0, 12),
        st.integers(1, 30),
    )
    def test_a_cell_is_fake_exactly_if_the_two_stretches_meet(self, spans, first, num):
        # Edges on a lattice of a quarter cell, so that touching without sharing is common.
        truth = [Segment(a * 0.05, (a + n) * 0.05) for a, n in spans]
        found = snippets_of(self.curves(*[0.5] * num, start_s=first * 0.2), truth)
        for cell, fake in enumerate(found.fake.tolist()):
            low = 4 * (first + cell)
            assert fake == any(a < low + 4 and a + n > low for a, n in spans)

    def test_the_measures_of_clips_apply_to_snippets_of_many(self):
        right = snippets_of(self.curves(0.1, 0.9), [Segment(0.2, 0.4)])
        wrong = snippets_of(self.curves(0.9, 0.1), [Segment(0.2, 0.4)])
        assert auc(right.scores, right.fake) == 1.0
        both = together([right, wrong])
        assert repr(both) == "Snippets(4, 2 forged)"
        assert auc(both.scores, both.fake) == 0.5

    def test_no_clips_have_no_snippets(self):
        none = together([])
        assert isinstance(none, Snippets)
        assert math.isnan(auc(none.scores, none.fake))
