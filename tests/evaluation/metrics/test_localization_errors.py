"""Localization refuses what has no metric, and says what to do."""

import math

import numpy as np
import pytest

from mmmsba_plugin.errors import (
    ConfigError,
    PredictionsError,
    ScoreRangeError,
    SegmentError,
    ShapeError,
)
from mmmsba_plugin.evaluation.metrics.localization import match
from mmmsba_plugin.evaluation.tables import SpanTable

from .test_localization import average_precision, average_recall, one_clip, tables


def test_a_score_of_nan_is_refused():
    with pytest.raises(ScoreRangeError, match="score NaN, which has no rank; drop it or score 0"):
        average_precision(*one_clip([(0, 1)], [math.nan], [(0, 1)]), tiou=0.5)


def test_a_score_of_nan_is_refused_officially_too():
    with pytest.raises(ScoreRangeError, match="score NaN, which has no rank"):
        match(*tables(*one_clip([(0, 1)], [math.nan], [(0, 1)])), mode="official")


@pytest.mark.parametrize("end_s", [math.nan, math.inf, -math.inf])
def test_a_span_without_finite_ends_is_refused(end_s):
    with pytest.raises(SegmentError, match="NaN or infinite; clip it to its media"):
        average_recall(*one_clip([(0, end_s)], [0.5], [(0, 1)]), num_proposals=1)
    with pytest.raises(SegmentError, match="NaN or infinite; clip it to its media"):
        average_recall(*one_clip([(0, 1)], [0.5], [(0, end_s)]), num_proposals=1)


def test_predictions_for_other_clips_alone_are_refused():
    predictions, _ = tables(*one_clip([(0, 1)], [0.5], [(0, 1)]))
    others = SpanTable.of_ground_truth({"clip.mp4": [[0.0, 1.0]]})
    with pytest.raises(PredictionsError, match=r"none of 1 .* 'clip' and 'clip.mp4'"):
        match(predictions, others)


def test_predictions_without_scores_are_refused():
    _, ground_truth = tables(*one_clip([], [], [(0, 1)]))
    with pytest.raises(PredictionsError, match="have no scores"):
        match(ground_truth, ground_truth)


def test_a_draw_of_other_clips_is_refused():
    matched = match(*tables(*one_clip([(0, 1)], [0.5], [(0, 1)])))
    with pytest.raises(ShapeError, match=r"each of 1 clips, got shape \(2,\)"):
        matched.average_precision(0.5, np.array([1, 1]))
    with pytest.raises(ShapeError, match=r"each of 1 clips, got shape \(2,\)"):
        matched.average_recall(1, np.array([1, 1]))


def test_a_threshold_below_what_was_matched_is_refused():
    matched = match(*tables(*one_clip([(0, 1)], [0.5], [(0, 1)])), tious=[0.3])
    assert matched.average_precision(0.3) == 1.0
    with pytest.raises(ConfigError, match=r"for tIoU from 0\.3 on, got 0\.2; name it in"):
        matched.average_precision(0.2)


def test_matching_at_no_threshold_is_refused():
    with pytest.raises(ConfigError, match="match needs at least one tIoU threshold"):
        match(*tables(*one_clip([(0, 1)], [0.5], [(0, 1)])), tious=[], recall_tious=[])


def test_recall_over_no_thresholds_is_refused():
    matched = match(*tables(*one_clip([(0, 1)], [0.5], [(0, 1)])), recall_tious=[])
    with pytest.raises(ConfigError, match="num_proposals=5 and 0 thresholds"):
        matched.average_recall(5)


@pytest.mark.parametrize("tiou", [0.0, -0.5, 1.01, math.nan])
def test_a_threshold_out_of_bounds_is_refused(tiou):
    dataset = one_clip([(0, 1)], [0.5], [(0, 1)])
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {tiou}"):
        average_precision(*dataset, tiou=tiou)
    with pytest.raises(ConfigError, match=rf"must lie in \(0, 1\], got {tiou}"):
        average_recall(*dataset, num_proposals=1, tious=[tiou])


def test_recall_of_no_proposals_is_refused():
    dataset = one_clip([(0, 1)], [0.5], [(0, 1)])
    with pytest.raises(ConfigError, match="num_proposals=0 and 10 thresholds"):
        average_recall(*dataset, num_proposals=0)
