"""Figures of the official mode, against AV-Deepfake1M's own evaluator, to the last bit."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.evaluation.metrics.localization import TIOUS, match
from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_proposals
from mmmsba_plugin.evaluation.predictions.write import write_submission
from mmmsba_plugin.evaluation.tables import Predictions, SpanTable

ORACLE = runpy.run_path(str(Path(__file__).parents[2] / "reference" / "avdeepfake1m_evaluator.py"))

THRESHOLDS = (0.3, 0.5, 0.75, 0.9, 0.95)
NUM_PROPOSALS = (100, 50, 5, 2, 1)


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """The official evaluator: files of proposals and labels to AP and AR."""
    try:
        module = ORACLE["load"](tmp_path_factory.mktemp("oracle"))
    except FileNotFoundError as error:
        pytest.skip(f"the official evaluator: {error}")
    folder = tmp_path_factory.mktemp("evaluated")

    def evaluate_rows(rows, ground_truth):
        proposals, labels = folder / "prediction.json", folder / "metadata.json"
        proposals.write_text(json.dumps(rows), encoding="utf-8")
        ORACLE["write_labels"](ground_truth, labels)
        return ORACLE["evaluate"](
            module,
            proposals,
            labels,
            tious=THRESHOLDS,
            num_proposals=NUM_PROPOSALS,
            recall_tious=TIOUS,
        )

    return evaluate_rows


def ours(rows, ground_truth):
    proposals = {
        key: ([row[1:] for row in clip_rows], [row[0] for row in clip_rows])
        for key, clip_rows in rows.items()
    }
    return metrics_of(SpanTable.of_proposals(proposals), ground_truth)


def metrics_of(proposals, ground_truth):
    ground_truth = SpanTable.of_ground_truth(ground_truth)
    matched = match(proposals, ground_truth, tious=THRESHOLDS, mode="official")
    return (
        [matched.average_precision(tiou) for tiou in THRESHOLDS],
        [matched.average_recall(n) for n in NUM_PROPOSALS],
    )


@st.composite
def datasets(draw):
    """Rows and segments of a few clips, unsorted, with ties, duplicates and inverted spans.

    Every clip has a row, because the evaluator ends in a panic where one has none, and a segment
    somewhere, because it gives AR 0 where there is none.
    """
    decimals, digits = draw(st.sampled_from([0, 1, 2, 6])), draw(st.sampled_from([1, 4, 17]))
    time = st.floats(0, 8, allow_subnormal=False).map(lambda x: round(x, decimals))
    score = st.floats(-1, 1).map(lambda x: round(x, digits))
    keys = draw(st.lists(st.integers(0, 99).map("{:06d}.mp4".format), min_size=1, unique=True))
    ground_truth = {key: draw(st.lists(st.tuples(time, time), max_size=4)) for key in keys}
    ground_truth[keys[0]].append((1.0, 2.5))
    rows = {}
    for key in draw(st.permutations(keys)):
        near = st.sampled_from([*ground_truth[key], (1.0, 2.0)])
        span = near | st.tuples(time, time) | near.map(lambda s: (s[0], round(s[1] + 0.1, 2)))
        listed = st.lists(st.tuples(score, span), min_size=1, max_size=12)
        rows[key] = [[score, *span] for score, span in draw(listed)]
    return rows, ground_truth


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(datasets())
def test_metrics_equal_those_of_the_official_evaluator(oracle, dataset):
    assert ours(*dataset) == oracle(*dataset)


def like_a_detector(seed, num_clips, num_rows):
    """Rows near the segments and far from them, times of two decimals and scores of four."""
    rng = np.random.default_rng(seed)
    ground_truth, rows = {}, {}
    for clip in range(num_clips):
        starts_s = np.round(rng.uniform(0, 8, size=rng.integers(0, 4)), 2)
        spans = [[float(s), round(float(s + rng.uniform(0.1, 2)), 2)] for s in starts_s]
        around = np.array(spans or [[2.0, 3.0]])[rng.integers(max(len(spans), 1), size=num_rows)]
        spread_s = rng.choice([0.0, 0.01, 0.1, 1.0], size=(num_rows, 1))
        times_s = np.round(around + rng.normal(size=(num_rows, 2)) * spread_s, 2)
        scores = np.round(rng.random((num_rows, 1)), 4)
        if clip % 2:
            scores = -np.sort(-scores, axis=0)
        key = f"{clip:06d}.mp4"
        ground_truth[key], rows[key] = spans, np.hstack([scores, times_s]).tolist()
    return rows, ground_truth


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_many_clips_equal_those_of_the_official_evaluator(oracle, seed):
    dataset = like_a_detector(seed, num_clips=2000, num_rows=100)
    assert ours(*dataset) == oracle(*dataset)


def test_the_worked_example_of_three_clips():
    rows = {
        "a": [[0.95, 1, 2.1], [0.8, 4.2, 5], [0.3, 1, 2]],
        "b": [[0.9, 0.5, 0.9], [0.6, 0.5, 1.6]],
        "c": [[0.7, 2, 3], [0.1, 0, 1]],
    }
    ground_truth = {"a": [[1, 2], [4, 5]], "b": [[0.5, 1.5]], "c": []}
    ap, ar = ours(rows, ground_truth)
    # As avdeepfake1m 0.0.4 prints them.
    assert ap[1:] == [
        0.4222222566604614,
        0.4222222566604614,
        0.13333334028720856,
        0.055555559694767,
    ]
    assert ar == [
        0.8666666150093079,
        0.8666666150093079,
        0.8666666150093079,
        0.8333333134651184,
        0.29999998211860657,
    ]


def test_clips_that_the_predictions_alone_have_are_left_out_as_the_official_evaluator_does(oracle):
    rows = {"a": [[0.5, 0, 1]], "unknown": [[0.9, 0, 1]], "b": [[0.4, 1, 2]]}
    ground_truth = {"b": [[1, 2]], "a": [[0, 1]]}
    assert ours(rows, ground_truth) == oracle(rows, ground_truth)
    assert ours(rows, ground_truth)[0][0] == 0.5


def test_equal_scores_rank_in_the_order_of_the_labels(oracle):
    rows = {"right": [[0.5, 0, 1]], "wrong": [[0.5, 5, 6]]}
    ground_truth = {"wrong": [], "right": [[0, 1]]}
    assert ours(rows, ground_truth) == oracle(rows, ground_truth)
    assert ours(rows, ground_truth)[0][0] == 0.5


@pytest.mark.parametrize("score", [0.0, -0.0])
def test_zero_has_no_sign(oracle, score):
    rows = {"right": [[0.0, 0, 1]], "wrong": [[-score, 5, 6], [score, 5, 6]]}
    ground_truth = {"right": [[0, 1], [7, 8]], "wrong": []}
    assert ours(rows, ground_truth) == oracle(rows, ground_truth)


def test_scores_that_float32_cannot_tell_apart_are_equal(oracle):
    rows = {"wrong": [[0.5, 5, 6]], "right": [[0.5 + 1e-12, 0, 1]]}
    ground_truth = {"wrong": [], "right": [[0, 1]]}
    assert ours(rows, ground_truth) == oracle(rows, ground_truth)
    assert ours(rows, ground_truth)[0][0] == 0.5


def test_without_ground_truth_metrics_are_undefined_where_the_official_recall_is_zero(oracle):
    rows, ground_truth = {"a": [[0.5, 0, 1]]}, {"a": []}
    ap, ar = oracle(rows, ground_truth)
    assert all(map(math.isnan, ap))
    assert ar == [0.0] * len(NUM_PROPOSALS)
    assert all(math.isnan(metric) for metrics in ours(rows, ground_truth) for metric in metrics)


def test_a_clip_without_proposals_has_no_hits():
    ground_truth = {"a": [[0, 1]], "b": [[0, 1]], "c": [[0, 1]]}
    rows = {"a": [[0.9, 5, 6], [0.5, 0, 1]], "b": []}
    ap, ar = ours(rows, ground_truth)
    assert ap[0] == pytest.approx(1 / 2 / 3)
    assert ar[0] == pytest.approx(1 / 3)


def test_what_is_written_for_a_clip_without_proposals_moves_no_metric(oracle, tmp_path):
    ground_truth = {"a": [[0.0, 1.0]], "b": [[0.0, 1.0]], "c": []}
    table = SpanTable.of_proposals({"a": ([[5, 6], [0, 1]], [0.9, 0.5]), "b": ([], [])})
    predictions = Predictions("ours", dict.fromkeys("abc", 0.5), table.aligned(["a", "b", "c"]))
    write_submission(predictions, tmp_path)
    rows = json.loads((tmp_path / "prediction.json").read_text())
    assert rows["b"] == [[0.0, 0.0, 0.0]]
    assert metrics_of(read_proposals(tmp_path / "prediction.json"), ground_truth) == oracle(
        rows, ground_truth
    )
    assert metrics_of(table, ground_truth) == oracle(rows, ground_truth)
