"""Detection: against definitions read out slowly, scikit-learn and torchmetrics."""

import math
import runpy
import time
from operator import attrgetter, methodcaller
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mmmsba_plugin.errors import ConfigError, ScoreRangeError, ShapeError
from mmmsba_plugin.evaluation.metrics.detection import Ranking, SortedClips

SLOW = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "slow_detection.py"))

#: Twentieths tie often; any float ties by chance with its like, and lies as near as floats do.
any_score = st.one_of(st.integers(0, 20).map(lambda n: n / 20), st.floats(0, 1))


labelled = st.lists(st.tuples(any_score, st.booleans()), min_size=1).map(
    lambda rows: tuple(map(list, zip(*rows, strict=True)))
)
two_class_rows = (
    st.lists(st.tuples(any_score, st.booleans()), min_size=2)
    .filter(lambda rows: len({label for _, label in rows}) == 2)
    .map(lambda rows: tuple(map(list, zip(*rows, strict=True))))
)
thresholds = st.integers(0, 20).map(lambda n: n / 20)
rates = st.sampled_from([0.01, 0.1, 0.3, 0.999, 1.0])


RANKING = {
    "auc": attrgetter("auc"),
    "partial_auc": Ranking.partial_auc,
    "eer": attrgetter("eer"),
    "average_precision": attrgetter("average_precision"),
}
AT_A_THRESHOLD = [
    methodcaller(name, 0.5)
    for name in ("accuracy", "balanced_accuracy", "true_positive_rate", "false_positive_rate")
]


class TestRanking:
    @given(two_class_rows)
    def test_auc_is_the_share_of_pairs_that_are_ranked_rightly(self, rows):
        assert Ranking.of(*rows).auc == float(SLOW["auc"](*rows))

    @given(two_class_rows)
    def test_auc_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        assert Ranking.of(scores, labels).auc == pytest.approx(
            sklearn_metrics.roc_auc_score(labels, scores), abs=1e-12
        )

    @given(two_class_rows)
    def test_auc_equals_that_of_torchmetrics(self, rows):
        import torch
        from torchmetrics.functional.classification import binary_auroc

        scores, labels = rows
        theirs = binary_auroc(torch.tensor(scores, dtype=torch.float64), torch.tensor(labels).int())
        # torchmetrics divides in float32.
        assert Ranking.of(scores, labels).auc == pytest.approx(float(theirs), abs=1e-6)

    def test_scores_that_differ_in_the_last_bit_are_no_tie(self):
        assert Ranking.of([0.5, np.nextafter(0.5, 1)], [False, True]).auc == 1.0

    @given(two_class_rows, rates)
    def test_partial_auc_equals_that_of_scikit_learn(self, rows, rate):
        scores, labels = rows
        expected = sklearn_metrics.roc_auc_score(labels, scores, max_fpr=rate)
        partial_auc = Ranking.of(scores, labels).partial_auc(rate)
        assert partial_auc == pytest.approx(expected, abs=1e-12)

    def test_partial_auc_of_chance_is_one_half_and_of_perfection_one(self):
        assert Ranking.of([0.5, 0.5], [False, True]).partial_auc() == pytest.approx(0.5)
        assert Ranking.of([0.1, 0.9], [False, True]).partial_auc() == pytest.approx(1.0)
        worst = Ranking.of([0.9, 0.1], [False, True]).partial_auc(0.1)
        assert worst == pytest.approx((1 - 0.1 / 1.9) / 2)

    def test_the_raw_partial_area_is_another_number(self):
        # Flags half of the fake clips before the first real one, the rest after the last.
        raw_share = 0.5
        ours = Ranking.of([0.1, 0.4, 0.35, 0.8], [False, False, True, True]).partial_auc()
        assert ours == pytest.approx((1 + (0.1 * raw_share - 0.005) / 0.095) / 2)

    @pytest.mark.parametrize("rate", [0.0, -0.1, 1.1, math.nan])
    def test_a_rate_that_is_none_is_refused(self, rate):
        with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {rate}"):
            Ranking.of([0.1, 0.9], [False, True]).partial_auc(rate)

    @given(two_class_rows)
    def test_average_precision_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        expected = sklearn_metrics.average_precision_score(labels, scores)
        assert Ranking.of(scores, labels).average_precision == pytest.approx(expected, abs=1e-12)

    @given(two_class_rows)
    def test_only_the_order_of_scores_matters(self, rows):
        scores, labels = rows
        ranks = np.unique(scores, return_inverse=True)[1] / len(scores)
        for metric in RANKING.values():
            assert metric(Ranking.of(ranks, labels)) == metric(Ranking.of(scores, labels))

    @given(two_class_rows)
    def test_swapping_the_classes_turns_auc_and_error_rate_over(self, rows):
        scores, labels = np.array(rows[0]), np.array(rows[1])
        ranking, swapped = Ranking.of(scores, labels), Ranking.of(scores, ~labels)
        assert swapped.auc == pytest.approx(1 - ranking.auc, abs=1e-12)
        assert swapped.eer == pytest.approx(1 - ranking.eer, abs=1e-12)


class TestEqualErrorRate:
    @given(two_class_rows)
    def test_it_is_where_straight_lines_between_the_steps_cross(self, rows):
        assert Ranking.of(*rows).eer == pytest.approx(float(SLOW["eer"](*rows)), abs=1e-12)

    @given(two_class_rows.filter(lambda rows: len(set(rows[0])) == len(rows[0])))
    def test_it_is_near_the_nearest_step_that_other_toolkits_take(self, rows):
        scores, labels = rows
        smaller = min(labels.count(True), labels.count(False))
        nearest = float(SLOW["nearest_eer"](scores, labels))
        assert Ranking.of(scores, labels).eer == pytest.approx(nearest, abs=1 / smaller + 1e-12)

    def test_a_detector_that_is_never_wrong_has_no_errors_and_one_that_always_is_only_errors(self):
        assert Ranking.of([0.1, 0.2, 0.8, 0.9], [False, False, True, True]).eer == 0.0
        assert Ranking.of([0.8, 0.9, 0.1, 0.2], [False, False, True, True]).eer == 1.0
        assert Ranking.of([0.5, 0.5], [False, True]).eer == 0.5


class TestThreshold:
    @given(labelled, thresholds)
    def test_accuracy_equals_that_of_scikit_learn(self, rows, threshold):
        scores, labels = rows
        expected = sklearn_metrics.accuracy_score(labels, [s >= threshold for s in scores])
        assert Ranking.of(scores, labels).accuracy(threshold) == pytest.approx(expected)

    @given(two_class_rows, thresholds)
    def test_balanced_accuracy_equals_that_of_scikit_learn(self, rows, threshold):
        scores, labels = rows
        flagged = [s >= threshold for s in scores]
        expected = sklearn_metrics.balanced_accuracy_score(labels, flagged)
        assert Ranking.of(scores, labels).balanced_accuracy(threshold) == pytest.approx(expected)

    @given(two_class_rows, thresholds)
    def test_the_two_rates_are_a_point_of_the_roc_curve(self, rows, threshold):
        expected = SLOW["rates_at"](*rows, threshold)
        assert Ranking.of(*rows).false_positive_rate(threshold) == pytest.approx(float(expected[0]))
        assert Ranking.of(*rows).true_positive_rate(threshold) == pytest.approx(float(expected[1]))

    def test_a_score_at_the_threshold_is_flagged(self):
        assert Ranking.of([0.5], [True]).true_positive_rate(0.5) == 1.0
        assert Ranking.of([0.5], [False]).false_positive_rate(0.5) == 1.0

    def test_a_rate_of_a_class_that_is_not_there_is_not_defined(self):
        assert math.isnan(Ranking.of([0.5], [False]).true_positive_rate(0.5))
        assert math.isnan(Ranking.of([0.5], [True]).false_positive_rate(0.5))
        assert Ranking.of([0.5], [True]).accuracy(0.5) == 1.0
        assert math.isnan(Ranking.of([], []).accuracy(0.5))

    @pytest.mark.parametrize("threshold", [2, -0.1, math.nan])
    def test_a_threshold_that_is_no_score_is_refused(self, threshold):
        with pytest.raises(ScoreRangeError, match=rf"in \[0, 1\], got {threshold}"):
            Ranking.of([0.5, 0.5], [True, False]).balanced_accuracy(threshold)


class TestCurves:
    @given(two_class_rows)
    def test_the_roc_curve_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        theirs = sklearn_metrics.roc_curve(labels, scores, drop_intermediate=False)
        ours = Ranking.of(scores, labels)
        assert ours.false_positive_rates == pytest.approx(theirs[0])
        assert ours.true_positive_rates == pytest.approx(theirs[1])
        assert ours.thresholds.tolist() == theirs[2].tolist()

    @given(two_class_rows)
    def test_the_area_under_the_roc_curve_is_the_auc(self, rows):
        curve = Ranking.of(*rows)
        area = sklearn_metrics.auc(curve.false_positive_rates, curve.true_positive_rates)
        assert area == pytest.approx(Ranking.of(*rows).auc, abs=1e-12)

    @given(two_class_rows)
    def test_the_precision_recall_curve_equals_that_of_scikit_learn(self, rows):
        scores, labels = rows
        precisions, recalls, at = sklearn_metrics.precision_recall_curve(labels, scores)
        ours = Ranking.of(scores, labels)
        # Theirs rises in score, and ends at a point without a threshold.
        assert ours.precisions == pytest.approx(precisions[:-1][::-1])
        assert ours.true_positive_rates[1:] == pytest.approx(recalls[:-1][::-1])
        assert ours.thresholds[1:].tolist() == at[::-1].tolist()

    def test_where_a_class_is_not_there_its_rate_is_not_defined(self):
        ranking = Ranking.of([0.2, 0.6], [True, True])
        assert np.isnan(ranking.false_positive_rates).all()
        assert ranking.true_positive_rates.tolist() == [0.0, 0.5, 1.0]
        assert np.isnan(Ranking.of([0.2], [False]).true_positive_rates).all()
        assert Ranking.of([], []).thresholds.tolist() == [math.inf]
        assert len(Ranking.of([], []).precisions) == 0

    def test_a_ranking_prints_itself_short(self):
        assert repr(Ranking.of([0.1, 0.2, 0.3], [True, False, True])) == "Ranking(2 fake, 1 real)"


class TestSortedClips:
    @given(labelled, st.data())
    def test_drawn_clips_rank_as_if_they_were_sorted_anew(self, rows, data):
        scores, labels = map(np.array, rows)
        clip = st.integers(0, len(scores) - 1)
        draw = np.array(data.draw(st.lists(clip, max_size=40)), dtype=np.int64)
        counts = np.bincount(draw, minlength=len(scores))
        ours = SortedClips.of(scores, labels).rank(counts)
        anew = Ranking.of(scores[draw], labels[draw])
        assert ours.thresholds.tolist() == anew.thresholds.tolist()
        assert ours.num_fake.tolist() == anew.num_fake.tolist()
        assert ours.num_real.tolist() == anew.num_real.tolist()

    def test_without_counts_each_clip_comes_once(self):
        clips = SortedClips.of([0.1, 0.9, 0.1], [False, True, True])
        assert repr(clips.rank()) == "Ranking(2 fake, 1 real)"


class TestInputs:
    @pytest.mark.parametrize("metric", [*RANKING.values(), AT_A_THRESHOLD[1]])
    @pytest.mark.parametrize("labels", [[True, True], [False, False], []])
    def test_one_class_alone_has_no_metric(self, metric, labels):
        assert math.isnan(metric(Ranking.of([0.5] * len(labels), labels)))

    @pytest.mark.parametrize("score", [-0.1, 1.1, 30.0, math.nan])
    def test_scores_that_may_be_logits_are_refused(self, score):
        with pytest.raises(ScoreRangeError, match=rf"got {score:g}; are these logits\?"):
            Ranking.of([0.5, score], [False, True])

    def test_labels_that_do_not_fit_the_scores_are_refused(self):
        with pytest.raises(ShapeError, match=r"got shapes \(2,\) .* \(1,\)"):
            Ranking.of([0.5, 0.5], [True])

    def test_a_draw_of_fifty_thousand_clips_takes_some_milliseconds(self):
        rng = np.random.default_rng(0)
        clips = SortedClips.of(rng.random(50_000), rng.random(50_000) < 0.7)
        counts = rng.multinomial(50_000, np.full(50_000, 1 / 50_000))
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            ranking = clips.rank(counts)
            for metric in RANKING.values():
                metric(ranking)
            seconds.append(time.perf_counter() - start)
        # 2 to 3 ms alone on one core; the bound leaves room for whatever else runs there.
        assert min(seconds) < 0.05
