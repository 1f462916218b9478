"""Scores become probabilities, and nothing that was decided by them changes."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import ConfigError, ScoreRangeError, ShapeError
from mmmsba_plugin.evaluation.metrics.calibration import expected_calibration_error
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.localization.calibrate import (
    MIN_CLIPS,
    apply,
    calibrate,
    fit_isotonic,
    fit_temperature,
    lowest_score,
)

FITS = pytest.mark.parametrize("fit", [fit_temperature, fit_isotonic])

#: What a network can give, ends and subnormal numbers included.
unit32 = st.floats(0.0, 1.0, width=32)

temperatures = st.builds(
    Calibration,
    method=st.just("temperature"),
    temperature=st.floats(0.01, 100),
    shift=st.floats(-1000, 1000),
)


@st.composite
def isotonics(draw) -> Calibration:
    scores = sorted(draw(st.sets(st.floats(0, 1), min_size=1, max_size=8)))
    probabilities = draw(st.lists(st.floats(0, 1), min_size=len(scores), max_size=len(scores)))
    return Calibration(method="isotonic", scores=scores, probabilities=sorted(probabilities))


curves = temperatures | isotonics()


def log_loss(scores, fake) -> float:
    """Mean surprise at the ground truth in nats; infinite where a score of 0 or 1 is wrong."""
    with np.errstate(divide="ignore"):
        return float(np.where(fake, -np.log(scores), -np.log1p(-scores)).mean())


@st.composite
def clips(draw, *, min_clips):
    """Scores on a coarse lattice, so that ties are common, and whether each clip is fake."""
    lattice = st.integers(0, 20).map(lambda n: n / 20)
    rows = draw(st.lists(st.tuples(lattice | unit32, st.booleans()), min_size=min_clips))
    scores, fake = zip(*rows, strict=True)
    return np.array(scores), np.array(fake)


def draw_clips(num_clips, *, seed=0, temperature=0.5, shift=1.5):
    """Scores whose probabilities are known, as an underconfident network gives them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 1.5, num_clips)
    fake = rng.random(num_clips) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(shift - temperature * logits)), fake


class TestOrder:
    @given(curves, st.lists(unit32, min_size=1, max_size=50))
    def test_scores_keep_their_order_and_their_ties_to_the_last_bit(self, curve, scores):
        before, after = np.array(scores), apply(curve, scores)
        assert ((before[:, None] < before) == (after[:, None] < after)).all()

    @given(curves, unit32)
    def test_neighbouring_scores_of_a_network_stay_apart(self, curve, score):
        assume(score < 1)
        above = np.nextafter(np.float32(score), np.float32(2))
        assert apply(curve, score) < apply(curve, above)

    @given(curves, st.lists(unit32, min_size=1, max_size=50), unit32)
    def test_a_decision_at_a_threshold_that_passes_the_curve_is_the_same(
        self, curve, scores, threshold
    ):
        is_flagged = apply(curve, scores) >= apply(curve, threshold)
        assert is_flagged.tolist() == [score >= threshold for score in scores]

    @given(curves, st.lists(st.tuples(unit32, st.booleans()), min_size=2, max_size=30))
    def test_no_auc_changes(self, curve, rows):
        scores, fake = zip(*rows, strict=True)
        before, after = (Ranking.of(s, fake).auc for s in (scores, apply(curve, scores)))
        assert before == after or (math.isnan(before) and math.isnan(after))

    @given(curves, st.floats(0, 1))
    def test_between_such_scores_it_never_falls_by_more_than_rounding(self, curve, score):
        above = apply(curve, np.nextafter(score, 2) if score < 1 else score)
        assert apply(curve, score) <= above + 1e-15

    @given(curves)
    def test_probabilities_never_reach_the_ends(self, curve):
        low, high = apply(curve, [0.0, 1.0])
        assert 0.0 < low < high < 1.0

    @given(curves, st.lists(unit32, min_size=1, max_size=9))
    def test_a_score_comes_out_alike_alone_and_in_a_row(self, curve, scores):
        alone = [float(apply(curve, score)) for score in scores]
        assert apply(curve, scores).tolist() == alone
        backwards = np.array(scores)[::-1]
        assert apply(curve, backwards)[::-1].tolist() == alone

    @given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=9))
    def test_without_a_curve_scores_are_left_alone(self, scores):
        np.testing.assert_array_equal(apply(Calibration(), scores), scores)


class TestApply:
    @given(curves)
    def test_missing_scores_stay_missing(self, curve):
        assert np.isnan(apply(curve, [0.2, math.nan, 0.4])).tolist() == [False, True, False]

    def test_even_odds_lie_where_the_shift_says(self):
        curve = Calibration(method="temperature", temperature=0.3, shift=2.0)
        assert apply(curve, 1 / (1 + math.exp(2.0))) == pytest.approx(0.5, abs=1e-4)

    def test_an_isotonic_curve_passes_through_what_is_known_and_is_flat_beyond(self):
        curve = Calibration(method="isotonic", scores=(0.2, 0.5), probabilities=(0.3, 0.9))
        probabilities = apply(curve, [0.0, 0.1, 0.2, 1 / 3, 0.5, 1.0])
        # Log-odds of 1/3 lie half-way between those of 0.2 and 0.5.
        assert probabilities == pytest.approx([0.3, 0.3, 0.3, 0.6, 0.9, 0.9], abs=2e-5)

    @pytest.mark.parametrize("wrong", [-0.1, 1.5, math.inf])
    def test_logits_are_refused(self, wrong):
        with pytest.raises(ScoreRangeError, match=r"must lie in \[0, 1\].*through a softmax"):
            apply(Calibration(), [0.1, wrong])


class TestFits:
    @FITS
    @given(pairs=clips(min_clips=MIN_CLIPS))
    def test_the_log_loss_on_the_clips_it_was_fitted_to_never_gets_worse(self, fit, pairs):
        scores, fake = pairs
        after = log_loss(apply(fit(scores, fake), scores), fake)
        # Infinite before, where a score of exactly 0 or 1 was wrong.
        assert after <= log_loss(scores, fake) + 1e-12

    @FITS
    def test_probabilities_come_back_that_scores_were_made_from(self, fit):
        scores, fake = draw_clips(4000)
        fresh, truth = draw_clips(4000, seed=1)
        curve = fit(scores, fake)
        assert expected_calibration_error(fresh, truth) > 0.25
        # Some 0.02 of it is chance, at 4000 clips in 15 bins.
        assert expected_calibration_error(apply(curve, fresh), truth) < 0.035

    @FITS
    def test_clips_in_another_order_give_the_same_curve(self, fit):
        scores, fake = draw_clips(60)
        order = np.random.default_rng(5).permutation(60)
        curve, other = fit(scores, fake), fit(scores[order], fake[order])
        assert apply(curve, scores) == pytest.approx(apply(other, scores), abs=1e-7)

    @FITS
    def test_classes_that_lie_wholly_apart_are_not_made_certain(self, fit):
        scores, fake = np.linspace(0.2, 0.4, 20), np.arange(20) >= 10
        low, high = apply(fit(scores, fake), [0.2, 0.4])
        assert 0.001 < low < 0.1
        assert 0.9 < high < 0.999

    @FITS
    @pytest.mark.parametrize(
        ("scores", "fake", "reason"),
        [
            (np.linspace(0, 1, 9), np.arange(9) > 4, "9 clips are too few; it takes 10"),
            (np.linspace(0, 1, 12), np.ones(12), "all clips are fake"),
            (np.linspace(0, 1, 12), np.zeros(12), "all clips are real"),
            (np.full(12, 0.3), np.arange(12) > 4, "all clips have the same score"),
            (np.linspace(0, 1, 12), np.arange(12) < 4, "higher scores are not more often forged"),
        ],
    )
    def test_scores_that_cannot_be_fitted_have_a_reason_instead(self, fit, scores, fake, reason):
        assert fit(scores, fake) == Calibration(method="none", reason=reason)

    @FITS
    def test_scores_that_were_right_and_sure_are_left_alone(self, fit):
        curve = fit(np.repeat([0.001, 0.999], 10), np.repeat([False, True], 10))
        assert curve.method == "none"
        assert curve.reason.endswith("curve fits these clips worse than none")

    @FITS
    def test_there_must_be_one_truth_a_score(self, fit):
        with pytest.raises(ShapeError, match=r"one label a score, got shapes \(2,\)"):
            fit([0.1, 0.2], [True, False, True])

    def test_a_method_is_chosen_by_name(self):
        pairs = draw_clips(100)
        assert calibrate("temperature", *pairs) == fit_temperature(*pairs)
        assert calibrate("isotonic", *pairs) == fit_isotonic(*pairs)
        assert calibrate("none", *pairs) == Calibration()


class TestTemperature:
    @pytest.mark.parametrize("num_clips", [20, 100, 1000])
    def test_it_is_the_logistic_regression_on_softened_ground_truth(self, num_clips):
        scores, fake = draw_clips(num_clips, seed=num_clips)
        curve = fit_temperature(scores, fake)
        # Each clip once as fake and once as real, weighted as Platt softens it.
        soft = np.where(fake, (fake.sum() + 1) / (fake.sum() + 2), 1 / ((~fake).sum() + 2))
        logits = np.log(scores / (1 - scores)).reshape(-1, 1)
        oracle = LogisticRegression(C=math.inf, tol=1e-10, max_iter=1000).fit(
            np.tile(logits, (2, 1)),
            np.repeat([1, 0], num_clips),
            sample_weight=np.concatenate([soft, 1 - soft]),
        )
        assert 1 / curve.temperature == pytest.approx(oracle.coef_[0, 0], rel=1e-4)
        expected = oracle.intercept_[0] / oracle.coef_[0, 0]
        assert curve.shift == pytest.approx(expected, rel=1e-4)

    def test_a_temperature_alone_could_not_move_even_odds(self):
        scores, fake = draw_clips(500)
        curve = fit_temperature(scores, fake)
        unshifted = curve.model_copy(update={"shift": 0.0})
        by_both, by_one = (log_loss(apply(c, scores), fake) for c in (curve, unshifted))
        assert by_both < log_loss(scores, fake) < by_one


class TestIsotonic:
    @given(clips(min_clips=MIN_CLIPS))
    def test_blocks_are_those_of_scikit_learn(self, pairs):
        scores, fake = pairs
        curve = fit_isotonic(scores, fake)
        assume(curve.method == "isotonic")
        ranks = np.unique(scores, return_inverse=True)[1]
        # Clips are imagined below and above all.
        pooled = IsotonicRegression().fit_transform([-1, *ranks, len(ranks)], [1, *fake, 0])
        assert curve.probabilities == pytest.approx(np.unique(pooled[1:-1].round(9)), abs=1e-8)
        assert all(low < high for low, high in pairwise(curve.probabilities))

    def test_blocks_stand_at_the_mean_of_their_clips(self):
        levels = [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.7, 0.8]
        fake = [0, 0, 0, 0, 1, 0, 1, 0, 1, 1]
        curve = fit_isotonic(levels * 5, fake * 5)
        assert curve.scores == pytest.approx((0.15, 0.35, 0.75))
        # With one fake clip imagined below all, and one real above.
        assert curve.probabilities == pytest.approx((1 / 21, 1 / 2, 10 / 11))

    @given(clips(min_clips=MIN_CLIPS))
    def test_n_clips_claim_no_more_than_n_clips_can(self, pairs):
        scores, fake = pairs
        curve = fit_isotonic(scores, fake)
        least = 1 / (len(fake) + 1)
        assert all(least <= p <= 1 - least for p in curve.probabilities)

    def test_scores_a_rounding_apart_make_blocks_a_rounding_apart(self):
        low = np.repeat([0.3, np.nextafter(0.3, 1)], 7)
        scores = np.append(low, [np.nextafter(low[-1], 1)] * 7)
        curve = fit_isotonic(scores, np.arange(21) >= 14)
        assert curve.method == "isotonic"
        assert curve.scores[0] < curve.scores[1] == scores[-1]


@given(curves)
def test_a_curve_survives_json(curve):
    assert Calibration.read(json.loads(curve.model_dump_json())) == curve


CURVES = [
    Calibration(),
    Calibration(method="temperature", temperature=0.5, shift=1.0),
    Calibration(method="temperature", temperature=3.0, shift=-2.0),
    Calibration(method="isotonic", scores=(0.2, 0.5, 0.8), probabilities=(0.1, 0.1, 0.9)),
]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: f"{curve.method}-{curve.temperature}")
@given(probability=st.floats(0, 1))
def test_the_lowest_score_is_the_first_whose_probability_reaches_the_threshold(curve, probability):
    if probability > float(apply(curve, 1.0)):
        with pytest.raises(ConfigError, match="no clip can reach a threshold"):
            lowest_score(curve, probability)
        return
    score = lowest_score(curve, probability)
    assert float(apply(curve, score)) >= probability
    # A float32 below it, as networks give them, does not reach the threshold.
    below = np.nextafter(np.float32(score), np.float32(-1))
    if 0 <= below < score:
        assert float(apply(curve, float(below))) < probability


@pytest.mark.parametrize("probability", [-0.1, 1.1])
def test_a_threshold_outside_of_zero_and_one_is_refused(probability):
    with pytest.raises(ScoreRangeError):
        lowest_score(Calibration(), probability)
