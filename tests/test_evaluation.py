"""Measures: against slow obvious versions, a second library, and what they must never do."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError, SegmentError
from mmmsba_plugin.evaluation import localization
from mmmsba_plugin.evaluation.detection import auc, balanced_accuracy, eer
from mmmsba_plugin.evaluation.intervals import bootstrap, drawn
from mmmsba_plugin.evaluation.localization import TIOUS, average_precision, average_recall

SLOW = runpy.run_path(str(Path(__file__).parent / "reference" / "slow_localization.py"))

thresholds = st.sampled_from([0.1, 0.5, 0.75, 0.95, 1.0])


@st.composite
def spans(draw, max_size):
    """Spans on a coarse lattice, so that exact hits, ties and empty spans are common."""
    rows = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), max_size=max_size))
    return np.array([(start, start + length) for start, length in rows], dtype=float).reshape(-1, 2)


@st.composite
def corpora(draw):
    """Predictions and truths of a few clips; some genuine, some without proposals."""
    truths = {key: draw(spans(4)) for key in "abcd"}
    assume(any(len(rows) for rows in truths.values()))
    predictions = {}
    for key in draw(st.lists(st.sampled_from("abcd"), unique=True)):
        rows = draw(spans(8))
        scores = st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows))
        predictions[key] = (rows, np.array(draw(scores)) / 10)
    return predictions, truths


def one_clip(proposals, scores, truth):
    proposals = np.array(proposals, dtype=float).reshape(-1, 2)
    truth = np.array(truth, dtype=float).reshape(-1, 2)
    return {"clip": (proposals, np.array(scores, dtype=float))}, {"clip": truth}


@given(corpora(), thresholds)
def test_average_precision_equals_the_slow_version(corpus, tiou):
    expected = SLOW["average_precision"](*corpus, tiou)
    # Sums of at most 32 terms in another order.
    assert average_precision(*corpus, tiou=tiou) == pytest.approx(expected, abs=1e-14)


@given(corpora(), st.integers(1, 10))
def test_average_recall_equals_the_slow_version(corpus, num_proposals):
    expected = SLOW["average_recall"](*corpus, num_proposals, TIOUS)
    found = average_recall(*corpus, num_proposals=num_proposals)
    assert found == pytest.approx(expected, abs=1e-14)


@given(corpora(), thresholds)
def test_clips_give_the_same_numbers_in_small_blocks(corpus, tiou):
    whole = average_precision(*corpus, tiou=tiou), average_recall(*corpus, num_proposals=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(localization, "_BLOCK_PROPOSALS", 2)
        blocks = average_precision(*corpus, tiou=tiou), average_recall(*corpus, num_proposals=3)
    assert blocks == whole


@given(corpora(), thresholds)
def test_average_precision_lies_between_zero_and_one(corpus, tiou):
    # The sum of n shares of 1/n can round to just above 1.
    assert 0.0 <= average_precision(*corpus, tiou=tiou) <= 1.0 + 1e-12


@given(corpora(), thresholds)
def test_average_precision_depends_on_the_order_of_scores_alone(corpus, tiou):
    predictions, truths = corpus
    rescored = {key: (rows, np.exp(3 * scores) - 50) for key, (rows, scores) in predictions.items()}
    assert average_precision(rescored, truths, tiou=tiou) == average_precision(*corpus, tiou=tiou)


@given(corpora(), thresholds)
def test_a_low_scored_false_alarm_never_raises_average_precision(corpus, tiou):
    predictions, truths = corpus
    alarm = {"genuine": (np.array([[0.0, 1.0]]), np.array([-1.0]))}
    after = average_precision(
        predictions | alarm, truths | {"genuine": np.zeros((0, 2))}, tiou=tiou
    )
    assert after <= average_precision(predictions, truths, tiou=tiou)


@given(corpora(), thresholds)
def test_a_perfect_detector_scores_one(corpus, tiou):
    truths = {key: rows[rows[:, 1] > rows[:, 0]] for key, rows in corpus[1].items()}
    assume(any(len(rows) for rows in truths.values()))
    perfect = {key: (rows, np.ones(len(rows))) for key, rows in truths.items()}
    assert average_precision(perfect, truths, tiou=tiou) == pytest.approx(1.0, abs=1e-14)
    assert average_recall(perfect, truths, num_proposals=4) == 1.0


@given(corpora())
def test_average_recall_never_falls_as_more_proposals_count(corpus):
    recalls = [average_recall(*corpus, num_proposals=n) for n in range(1, 10)]
    assert recalls == sorted(recalls)
    assert all(0.0 <= recall <= 1.0 for recall in recalls)


def test_the_area_counts_from_recall_zero_on():
    # Two truths, found at ranks 1 and 3: precision 1 and 2/3.
    corpus = one_clip([(0, 1), (5, 6), (2, 3)], [0.9, 0.8, 0.7], [(0, 1), (2, 3)])
    assert average_precision(*corpus, tiou=0.5) == pytest.approx((1 + 2 / 3) / 2)


def test_the_worked_example_of_three_clips():
    truths = {"a": [[1, 2], [4, 5]], "b": [[0.5, 1.5]], "c": np.zeros((0, 2))}
    predictions = {
        "a": ([[1, 2.1], [4.2, 5], [1, 2]], [0.95, 0.8, 0.3]),
        "b": ([[0.5, 0.9], [0.5, 1.6]], [0.9, 0.6]),
        "c": ([[2, 3], [0, 1]], [0.7, 0.1]),
    }
    ap = average_precision(predictions, truths, tiou=0.5)
    assert ap == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(predictions, truths, tiou=0.9) == pytest.approx(0.466667, abs=1e-6)
    # Found at 10, 6 and 9 of the thresholds; at 0.8 it is one rounding short, as 5 - 4.2 is.
    assert average_recall(predictions, truths, num_proposals=100) == pytest.approx(25 / 30)


def test_a_truth_is_found_once():
    corpus = one_clip([(0, 1), (0, 1)], [0.9, 0.8], [(0, 1), (5, 6)])
    assert average_precision(*corpus, tiou=0.5) == 0.5


def test_an_overlap_of_exactly_the_threshold_counts():
    corpus = one_clip([(0, 2)], [0.9], [(0, 1)])
    assert average_precision(*corpus, tiou=0.5) == 1.0
    assert average_recall(*corpus, num_proposals=1, tious=[0.5]) == 1.0


def test_equal_scores_rank_in_the_order_they_are_given():
    right_first = one_clip([(0, 1), (5, 6)], [0.5, 0.5], [(0, 1)])
    wrong_first = one_clip([(5, 6), (0, 1)], [0.5, 0.5], [(0, 1)])
    assert average_precision(*right_first, tiou=0.5) == 1.0
    assert average_precision(*wrong_first, tiou=0.5) == 0.5


def test_no_proposals_find_nothing():
    assert average_precision({}, {"clip": np.array([[0.0, 1.0]])}, tiou=0.5) == 0.0
    empty = one_clip([], [], [(0, 1)])
    assert average_precision(*empty, tiou=0.5) == 0.0
    assert average_recall(*empty, num_proposals=100) == 0.0


def test_a_clip_missing_from_the_predictions_counts_as_missed():
    predictions, truths = one_clip([(0, 1)], [0.9], [(0, 1)])
    truths["missing"] = np.array([[0.0, 1.0]])
    assert average_precision(predictions, truths, tiou=0.5) == 0.5
    assert average_recall(predictions, truths, num_proposals=1) == 0.5


def test_where_there_is_nothing_to_find_the_measure_is_not_defined():
    corpus = one_clip([(0, 1)], [0.9], [])
    assert math.isnan(average_precision(*corpus, tiou=0.5))
    assert math.isnan(average_recall(*corpus, num_proposals=1))


def test_a_span_without_length_neither_finds_nor_is_found():
    corpus = one_clip([(1, 1), (2, 3)], [0.9, 0.8], [(1, 1), (2, 3)])
    assert average_precision(*corpus, tiou=0.5) == 0.25
    assert average_recall(*corpus, num_proposals=2) == 0.5


def test_a_score_of_nan_is_refused():
    with pytest.raises(ScoreRangeError, match="score NaN, which has no rank; drop it or score 0"):
        average_precision(*one_clip([(0, 1)], [math.nan], [(0, 1)]), tiou=0.5)


def test_a_span_without_finite_ends_is_refused():
    with pytest.raises(SegmentError, match="NaN or infinite; clip it to its media"):
        average_recall(*one_clip([(0, math.inf)], [0.5], [(0, 1)]), num_proposals=1)


def test_proposals_for_a_clip_without_truth_are_refused():
    predictions, _ = one_clip([(0, 1)], [0.5], [])
    with pytest.raises(DatasetError, match="'clip' has proposals but no truth; a genuine clip"):
        average_precision(predictions, {"other": np.array([[0.0, 1.0]])}, tiou=0.5)


def test_spans_without_a_score_each_are_refused():
    predictions, truths = one_clip([(0, 1)], [0.5, 0.4], [(0, 1)])
    with pytest.raises(DatasetError, match=r"'clip' needs spans .* got \(1, 2\), \(2,\)"):
        average_precision(predictions, truths, tiou=0.5)


@pytest.mark.parametrize("tiou", [0.0, -0.5, 1.01, math.nan])
def test_a_threshold_out_of_bounds_is_refused(tiou):
    corpus = one_clip([(0, 1)], [0.5], [(0, 1)])
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {tiou}"):
        average_precision(*corpus, tiou=tiou)
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {tiou}"):
        average_recall(*corpus, num_proposals=1, tious=[tiou])


def test_recall_of_no_proposals_is_refused():
    corpus = one_clip([(0, 1)], [0.5], [(0, 1)])
    with pytest.raises(ConfigError, match="num_proposals=0 and 10 thresholds"):
        average_recall(*corpus, num_proposals=0)


labelled = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=2)


def both_classes(rows):
    return len({label for _, label in rows}) == 2


@given(labelled.filter(both_classes))
def test_auc_equals_that_of_scikit_learn(rows):
    scores, labels = zip(*rows, strict=True)
    # torchmetrics holds rates in float32.
    assert auc(scores, labels) == pytest.approx(
        sklearn_metrics.roc_auc_score(labels, scores), abs=1e-6
    )


@given(labelled.filter(both_classes))
def test_balanced_accuracy_equals_that_of_scikit_learn(rows):
    scores, labels = zip(*rows, strict=True)
    expected = sklearn_metrics.balanced_accuracy_score(labels, [s >= 0.5 for s in scores])
    assert balanced_accuracy(scores, labels, threshold=0.5) == pytest.approx(expected)


@given(labelled.filter(both_classes))
def test_the_equal_error_rate_is_where_the_curve_of_scikit_learn_meets_the_diagonal(rows):
    scores, labels = zip(*rows, strict=True)
    fpr, tpr, _ = sklearn_metrics.roc_curve(labels, scores, drop_intermediate=False)
    lead = np.interp(np.linspace(0, len(fpr) - 1, 20_001), np.arange(len(fpr)), fpr + tpr - 1)
    at = np.linspace(0, len(fpr) - 1, 20_001)[np.argmin(np.abs(lead))]
    expected = np.interp(at, np.arange(len(fpr)), fpr)
    # The slow search looks at 20 001 points along the curve.
    assert eer(scores, labels) == pytest.approx(expected, abs=len(fpr) / 20_000)


def test_a_detector_that_is_never_wrong_has_no_errors_and_one_that_always_is_only_errors():
    assert eer([0.1, 0.2, 0.8, 0.9], [False, False, True, True]) == 0.0
    assert eer([0.8, 0.9, 0.1, 0.2], [False, False, True, True]) == 1.0
    assert eer([0.5, 0.5], [False, True]) == 0.5


MEASURES = [auc, eer, lambda scores, labels: balanced_accuracy(scores, labels, threshold=0.5)]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("labels", [[True, True], [False, False], []])
def test_one_class_alone_has_no_measure(measure, labels):
    assert math.isnan(measure([0.5] * len(labels), labels))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("score", [-0.1, 1.1, 30.0, math.nan])
def test_scores_that_may_be_logits_are_refused(measure, score):
    with pytest.raises(ScoreRangeError, match=rf"\[0, 1\], got {score:g}; are these logits\?"):
        measure([0.5, score], [False, True])


@pytest.mark.parametrize("measure", MEASURES)
def test_labels_that_do_not_fit_the_scores_are_refused(measure):
    with pytest.raises(DatasetError, match=r"one label a score, got shapes \(2,\) .* \(1,\)"):
        measure([0.5, 0.5], [True])


def test_a_threshold_that_is_no_score_is_refused():
    with pytest.raises(ScoreRangeError, match=r"threshold must lie in \[0, 1\], got 2"):
        balanced_accuracy([0.5, 0.5], [True, False], threshold=2)


def mean_of(values):
    return lambda indices: float(np.mean(values[np.asarray(indices)]))


def width(interval):
    return interval.high - interval.low


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        interval = bootstrap(
            mean_of(rng.normal(3.0, 1.0, 40)), clusters=[None] * 40, num_resamples=300, seed=trial
        )
        hits += interval.low <= 3.0 <= interval.high
    # 200 draws of 0.95 scatter by 0.015; the percentile interval of 40 clips covers a bit less
    # than it says, about 0.93.
    assert 0.88 <= hits / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    metric = mean_of(np.random.default_rng(2).random(30))
    first = bootstrap(metric, clusters=[None] * 30, seed=7)
    assert bootstrap(metric, clusters=[None] * 30, seed=7) == first
    assert bootstrap(metric, clusters=[None] * 30, seed=8) != first
    assert first.low < first.value < first.high


def test_clips_of_one_person_tell_less_than_clips_of_many():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(10), 12)
    values = rng.normal(size=10)[person] + rng.normal(scale=0.1, size=120)
    by_clip = bootstrap(mean_of(values), clusters=[None] * 120)
    by_person = bootstrap(mean_of(values), clusters=person.tolist())
    assert by_person.value == by_clip.value
    # Twelve clips that say nearly the same make the interval up to sqrt(12) = 3.5 times wider.
    assert width(by_person) > 2 * width(by_clip)


def test_clips_of_one_person_are_drawn_together():
    seen = []
    bootstrap(lambda clips: float(seen.append(tuple(clips)) or 0), clusters=["a", "b", "a"])
    for draw in seen[1:]:
        assert draw.count(0) == draw.count(2)


def test_clips_of_nobody_known_are_drawn_one_by_one():
    seen = []
    bootstrap(lambda clips: float(seen.append(tuple(clips)) or 0), clusters=[None, None])
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == {tuple(draw) for draw in seen}


def test_draws_without_a_number_are_left_out():
    labels = np.array([True, False])
    interval = bootstrap(
        lambda clips: auc([0.9 if labels[i] else 0.1 for i in clips], labels[list(clips)]),
        clusters=[None, None], num_resamples=50,
    )  # fmt: skip
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_one_person_alone_gives_no_interval():
    interval = bootstrap(mean_of(np.arange(4.0)), clusters=["ann"] * 4)
    assert interval.value == 1.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_a_measure_that_is_never_defined_gives_no_interval():
    interval = bootstrap(lambda _: math.nan, clusters=[None, None], num_resamples=10)
    assert math.isnan(interval.low)


def test_a_clip_drawn_twice_counts_as_two_in_average_precision():
    predictions, truths = one_clip([(0, 1)], [0.9], [(0, 1)])
    truths["other"] = np.array([[0.0, 1.0]])
    draw = [0, 0, 1]
    ap = average_precision(
        drawn(predictions, ["clip", "other"], draw),
        drawn(truths, ["clip", "other"], draw),
        tiou=0.5,
    )
    assert ap == pytest.approx(2 / 3)


@pytest.mark.parametrize("setting", [{"num_resamples": 0}, {"level": 1.0}, {"level": 0.0}])
def test_settings_of_the_bootstrap_out_of_bounds_are_refused(setting):
    with pytest.raises(ConfigError, match=r"num_resamples of 1 or more and a level in \(0, 1\)"):
        bootstrap(lambda _: 0.0, clusters=[None, None], **setting)


def test_no_clips_to_draw_from_are_refused():
    with pytest.raises(DatasetError, match="no clips to draw from; check the filter or the split"):
        bootstrap(lambda _: 0.0, clusters=[])
