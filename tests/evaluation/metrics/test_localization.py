"""Localization: against slow obvious versions, and bounds that its metrics keep."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmmsba_plugin.evaluation.metrics import matching
from mmmsba_plugin.evaluation.metrics.localization import (
    TIOUS,
    match,
)
from mmmsba_plugin.evaluation.tables import SpanTable

SLOW = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "slow_localization.py"))

thresholds = st.sampled_from([0.1, 0.5, 0.75, 0.95, 1.0])
modes = st.sampled_from(["voc", "official"])


@st.composite
def spans(draw, max_size):
    """Spans in tenths of a second, so that exact hits, ties and empty spans are common."""
    rows = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(-1, 6)), max_size=max_size))
    return np.array([(start, start + length) for start, length in rows]).reshape(-1, 2) / 10


@st.composite
def datasets(draw):
    """Predictions and ground truth of a few clips; some real, some without proposals."""
    ground_truth = {key: draw(spans(4)) for key in "abcd"}
    assume(any(len(rows) for rows in ground_truth.values()))
    predictions = {}
    for key in draw(st.lists(st.sampled_from("abcd"), unique=True)):
        rows = draw(spans(8))
        scores = st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows))
        predictions[key] = (rows, np.array(draw(scores)) / 10)
    return predictions, ground_truth


def one_clip(proposals, scores, truth):
    proposals = np.array(proposals, dtype=float).reshape(-1, 2)
    truth = np.array(truth, dtype=float).reshape(-1, 2)
    return {"clip": (proposals, np.array(scores, dtype=float))}, {"clip": truth}


def average_precision(predictions, ground_truth, *, tiou, mode="voc"):
    both = tables(predictions, ground_truth)
    return match(*both, tious=(tiou,), recall_tious=(), mode=mode).average_precision(tiou)


def average_recall(predictions, ground_truth, *, num_proposals, tious=TIOUS, mode="voc"):
    both = tables(predictions, ground_truth)
    return match(*both, tious=(), recall_tious=tious, mode=mode).average_recall(num_proposals)


@given(datasets(), thresholds)
def test_average_precision_equals_the_slow_version(dataset, tiou):
    expected = SLOW["average_precision"](*dataset, tiou)
    # Sums of at most 32 terms in another order.
    assert average_precision(*dataset, tiou=tiou) == pytest.approx(expected, abs=1e-14)


@given(datasets(), st.integers(1, 10))
def test_average_recall_equals_the_slow_version(dataset, num_proposals):
    expected = SLOW["average_recall"](*dataset, num_proposals, TIOUS)
    ar = average_recall(*dataset, num_proposals=num_proposals)
    assert ar == pytest.approx(expected, abs=1e-14)


@given(datasets(), thresholds)
def test_official_metrics_equal_their_slow_version_to_the_last_bit(dataset, tiou):
    ap = average_precision(*dataset, tiou=tiou, mode="official")
    assert ap == SLOW["average_precision_officially"](*dataset, tiou)
    ar = average_recall(*dataset, num_proposals=3, mode="official")
    assert ar == SLOW["average_recall_officially"](*dataset, 3, TIOUS)


@given(datasets(), thresholds, modes)
def test_clips_give_the_same_metrics_in_small_blocks(dataset, tiou, mode):
    def compute_metrics():
        ap = average_precision(*dataset, tiou=tiou, mode=mode)
        return ap, average_recall(*dataset, num_proposals=3, mode=mode)

    whole = compute_metrics()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "BLOCK_PAIRS", 2)
        assert compute_metrics() == whole


@given(datasets(), st.lists(st.integers(0, 3), min_size=4, max_size=4), thresholds, modes)
def test_a_clip_drawn_several_times_counts_as_several_clips(dataset, counts, tiou, mode):
    predictions, ground_truth = apart(dataset[0]), dataset[1]
    assume(sum(n * len(ground_truth[key]) for key, n in zip(ground_truth, counts, strict=True)))
    names = [
        (key, f"{key}{i}") for key, n in zip(ground_truth, counts, strict=True) for i in range(n)
    ]
    repeated = (
        {name: predictions[key] for key, name in names if key in predictions},
        {name: ground_truth[key] for key, name in names},
    )
    matched = match(*tables(predictions, ground_truth), tious=[tiou], mode=mode)
    expected = match(*tables(*repeated), tious=[tiou], mode=mode)
    # Official metrics of a draw are in float64, those of a dataset in float32.
    near = {"abs": 1e-12 if mode == "voc" else 1e-6}
    counts = np.array(counts)
    ap = matched.average_precision(tiou, counts)
    assert ap == pytest.approx(expected.average_precision(tiou), **near)
    assert matched.average_recall(2, counts) == pytest.approx(expected.average_recall(2), **near)


@given(datasets(), modes)
def test_each_clip_drawn_once_is_the_dataset(dataset, mode):
    matched = match(*tables(*dataset), mode=mode)
    once = np.ones(4, dtype=np.int64)
    for tiou in (0.5, 0.95):
        ap = matched.average_precision(tiou, once)
        assert ap == pytest.approx(matched.average_precision(tiou), abs=1e-6)
    assert matched.average_recall(3, once) == matched.average_recall(3)


@given(datasets(), modes)
def test_metrics_do_not_depend_on_what_was_computed_before(dataset, mode):
    matched = match(*tables(*dataset), mode=mode)
    some, others = np.array([2, 0, 1, 1]), np.array([0, 1, 3, 0])

    def compute_metrics():
        requests = [(tiou, counts) for tiou in (0.5, 0.9) for counts in (None, some, others)]
        return [matched.average_precision(*request) for request in requests] + [
            matched.average_recall(2)
        ]

    assert np.array_equal(compute_metrics(), compute_metrics(), equal_nan=True)
    assert matched.average_precision(0.9) == average_precision(*dataset, tiou=0.9, mode=mode)


def tables(predictions, ground_truth):
    return SpanTable.of_proposals(predictions), SpanTable.of_ground_truth(ground_truth)


def apart(predictions):
    """Proposals whose scores are as they were, but for ties within a clip."""
    steps = {key: np.arange(len(scores)) * 1e-3 for key, (_, scores) in predictions.items()}
    return {key: (rows, scores - steps[key]) for key, (rows, scores) in predictions.items()}


@given(datasets(), thresholds, modes)
def test_average_precision_lies_between_zero_and_one(dataset, tiou, mode):
    # The sum of n shares of 1/n can round to just above 1.
    assert 0.0 <= average_precision(*dataset, tiou=tiou, mode=mode) <= 1.0 + 1e-6


@given(datasets(), thresholds)
def test_average_precision_depends_on_the_order_of_scores_alone(dataset, tiou):
    predictions, ground_truth = dataset
    rescored = {key: (rows, np.exp(3 * scores) - 50) for key, (rows, scores) in predictions.items()}
    assert average_precision(rescored, ground_truth, tiou=tiou) == average_precision(
        *dataset, tiou=tiou
    )


@given(datasets(), thresholds)
def test_a_low_scored_false_alarm_never_raises_average_precision(dataset, tiou):
    predictions, ground_truth = dataset
    alarm = {"real": (np.array([[0.0, 1.0]]), np.array([-1.0]))}
    after = average_precision(
        predictions | alarm, ground_truth | {"real": np.zeros((0, 2))}, tiou=tiou
    )
    assert after <= average_precision(predictions, ground_truth, tiou=tiou)


@given(datasets(), thresholds)
def test_a_perfect_detector_scores_one(dataset, tiou):
    ground_truth = {key: rows[rows[:, 1] > rows[:, 0]] for key, rows in dataset[1].items()}
    assume(any(len(rows) for rows in ground_truth.values()))
    perfect = {key: (rows, np.ones(len(rows))) for key, rows in ground_truth.items()}
    assert average_precision(perfect, ground_truth, tiou=tiou) == pytest.approx(1.0, abs=1e-14)
    assert average_recall(perfect, ground_truth, num_proposals=4) == 1.0


@given(datasets())
def test_average_recall_never_falls_as_more_proposals_count(dataset):
    recalls = [average_recall(*dataset, num_proposals=n) for n in range(1, 10)]
    assert recalls == sorted(recalls)
    assert all(0.0 <= recall <= 1.0 for recall in recalls)


def test_the_area_counts_from_recall_zero_on():
    # Two segments, found at ranks 1 and 3: precision 1 and 2/3.
    dataset = one_clip([(0, 1), (5, 6), (2, 3)], [0.9, 0.8, 0.7], [(0, 1), (2, 3)])
    assert average_precision(*dataset, tiou=0.5) == pytest.approx((1 + 2 / 3) / 2)


def test_the_worked_example_of_three_clips():
    ground_truth = {"a": [[1, 2], [4, 5]], "b": [[0.5, 1.5]], "c": np.zeros((0, 2))}
    predictions = {
        "a": ([[1, 2.1], [4.2, 5], [1, 2]], [0.95, 0.8, 0.3]),
        "b": ([[0.5, 0.9], [0.5, 1.6]], [0.9, 0.6]),
        "c": ([[2, 3], [0, 1]], [0.7, 0.1]),
    }
    ap = average_precision(predictions, ground_truth, tiou=0.5)
    assert ap == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(predictions, ground_truth, tiou=0.9) == pytest.approx(
        0.466667, abs=1e-6
    )
    # Found at 10, 7 and 9 of the thresholds.
    assert average_recall(predictions, ground_truth, num_proposals=100) == pytest.approx(26 / 30)


def test_what_overlaps_enough_on_paper_is_enough():
    # 0.3 - 0.1 is half of 0.5 - 0.1, but a rounding less than that in float64.
    dataset = one_clip([(0.1, 0.3)], [0.9], [(0.1, 0.5)])
    assert average_precision(*dataset, tiou=0.5) == 1.0
    short = one_clip([(0.1, 0.299)], [0.9], [(0.1, 0.5)])
    assert average_precision(*short, tiou=0.5) == 0.0


@pytest.mark.parametrize("mode", ["voc", "official"])
def test_no_overlap_is_not_enough_for_the_least_threshold(mode):
    apart = one_clip([(2, 3)], [0.9], [(0, 1)])
    assert average_precision(*apart, tiou=1e-300, mode=mode) == 0.0


def test_copies_of_the_earlier_of_two_equal_scores_rank_first():
    predictions, ground_truth = tables(*one_clip([(0, 1), (5, 6)], [0.5, 0.5], [(0, 1), (2, 3)]))
    ap = match(predictions, ground_truth).average_precision(0.5, np.array([2]))
    # Right, right, wrong, wrong. Two clips one after the other would be right, wrong, right, wrong.
    assert ap == 0.5


def test_the_first_strip_of_the_official_area_is_missing():
    truth = [(0, 1), (2, 3), (4, 5), (6, 7)]
    perfect = one_clip(truth, [0.9, 0.8, 0.7, 0.6], truth)
    assert average_precision(*perfect, tiou=0.5, mode="official") == 0.75
    alarm_first = one_clip([(8, 9), *truth], [1.0, 0.9, 0.8, 0.7, 0.6], truth)
    ap = average_precision(*alarm_first, tiou=0.5)
    assert ap == 0.8
    assert average_precision(*alarm_first, tiou=0.5, mode="official") == pytest.approx(0.8)


def test_proposals_count_in_the_order_of_rows_officially():
    rising = one_clip([(5, 6), (0, 1)], [0.1, 0.9], [(0, 1)])
    assert average_recall(*rising, num_proposals=1) == 1.0
    assert average_recall(*rising, num_proposals=1, mode="official") == 0.0


def test_a_truth_is_found_once():
    dataset = one_clip([(0, 1), (0, 1)], [0.9, 0.8], [(0, 1), (5, 6)])
    assert average_precision(*dataset, tiou=0.5) == 0.5


def test_an_overlap_of_exactly_the_threshold_counts():
    dataset = one_clip([(0, 2)], [0.9], [(0, 1)])
    assert average_precision(*dataset, tiou=0.5) == 1.0
    assert average_recall(*dataset, num_proposals=1, tious=[0.5]) == 1.0


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
    predictions, ground_truth = one_clip([(0, 1)], [0.9], [(0, 1)])
    ground_truth["missing"] = np.array([[0.0, 1.0]])
    assert average_precision(predictions, ground_truth, tiou=0.5) == 0.5
    assert average_recall(predictions, ground_truth, num_proposals=1) == 0.5


def test_where_there_is_nothing_to_find_the_metric_is_not_defined():
    dataset = one_clip([(0, 1)], [0.9], [])
    assert math.isnan(average_precision(*dataset, tiou=0.5))
    assert math.isnan(average_recall(*dataset, num_proposals=1))


def test_a_span_without_length_neither_finds_nor_is_found():
    dataset = one_clip([(1, 1), (2, 3)], [0.9, 0.8], [(1, 1), (2, 3)])
    assert average_precision(*dataset, tiou=0.5) == 0.25
    assert average_recall(*dataset, num_proposals=2) == 0.5


@pytest.mark.parametrize("end_s", [math.nan, math.inf, -math.inf, 1e300])
def test_a_span_without_finite_ends_neither_finds_nor_is_found_officially(end_s):
    spans = [(0, end_s), (2, 3)]
    dataset = one_clip(spans, [0.5, 0.4], spans)
    assert average_precision(*dataset, tiou=0.5, mode="official") == 0.25
    assert average_recall(*dataset, num_proposals=2, mode="official") == 0.5


@given(datasets(), modes)
def test_a_subset_of_the_dataset_can_be_measured(dataset, mode):
    predictions, ground_truth = {"a": ([], [])} | dataset[0], dataset[1]
    subset = {key: ground_truth[key] for key in "ca"}
    matched = match(
        SpanTable.of_proposals(predictions | {"d": ([[0, 1]], [0.9])}),
        SpanTable.of_ground_truth(subset),
        mode=mode,
    )
    subset_predictions = {key: rows for key, rows in predictions.items() if key in subset}
    expected = average_precision(subset_predictions, subset, tiou=0.5, mode=mode)
    assert np.array_equal(matched.average_precision(0.5), expected, equal_nan=True)


@pytest.mark.parametrize("mode", ["voc", "official"])
def test_a_draw_without_ground_truth_has_no_metrics(mode):
    ground_truth = {"real": [], "fake": [[0.0, 1.0]]}
    matched = match(*tables({"real": ([[0, 1]], [0.5])}, ground_truth), mode=mode)
    assert math.isnan(matched.average_precision(0.5, np.array([2, 0])))
    assert math.isnan(matched.average_recall(1, np.array([2, 0])))
    assert matched.average_precision(0.5, np.array([0, 1])) == 0.0


@pytest.mark.parametrize("mode", ["voc", "official"])
def test_the_first_strip_of_a_draw_is_that_of_its_own_ranking(mode):
    ground_truth = {"a": [[0.0, 1.0]], "b": [[0.0, 1.0]], "c": []}
    predictions = {"c": ([[0, 1]], [0.9]), "a": ([[0, 1]], [0.8]), "b": ([[0, 1]], [0.7])}
    matched = match(*tables(predictions, ground_truth), mode=mode)
    assert matched.average_precision(0.5, np.array([1, 1, 1])) == pytest.approx(2 / 3)
    without_alarm = matched.average_precision(0.5, np.array([2, 2, 0]))
    assert without_alarm == (1.0 if mode == "voc" else 0.75)
