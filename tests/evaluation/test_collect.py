"""Metrics of a draw are those of a dataset that holds each clip as often as it was drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.evaluation.collect import collect_metrics
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw
from mmmsba_plugin.evaluation.tables import GroundTruth, GroundTruthRow, Predictions, SpanTable
from mmmsba_plugin.schema import Curves

NUM_CLIPS = 8


def tables_of(clips):
    """Predictions and ground truth of a dataset of these clips, some of them several times."""
    scores, proposals, audio, curves, rows = {}, {}, {}, {}, []
    for place, clip in enumerate(clips):
        key, fake = f"{place:02}.mp4", clip % 2 == 1
        spans = [[1.0, 2.0]] if fake else []
        rows.append(GroundTruthRow(key, fake, np.array(spans).reshape(-1, 2), altered="audio"))
        if clip == 4:
            continue
        scores[key] = (clip * 3 % NUM_CLIPS) / NUM_CLIPS
        audio[key] = (clip * 5 % NUM_CLIPS) / NUM_CLIPS
        curves[key] = Curves(start_s=0.0, stride_s=1.0, score=(scores[key], None, audio[key]))
        proposals[key] = ([[1.0, 1.4 + 0.1 * clip]], [scores[key] + 0.001 * place])
    table = SpanTable.of_proposals(proposals)
    predictions = Predictions("ours", scores, table, 0.5, {"audio": audio}, curves)
    return predictions, GroundTruth.of_rows(rows)


def metrics_of(clips):
    settings = {"mode": "voc", "tious": (0.5, 0.75), "num_proposals": (10,)}
    return collect_metrics(*tables_of(clips), **settings)


@given(st.lists(st.integers(0, NUM_CLIPS - 1), min_size=1, max_size=20))
def test_a_draw_has_the_metrics_of_its_own_dataset(clips):
    # Clip 4 has no score; a dataset of it alone would have fewer metrics.
    clips = sorted([1, *clips])
    draw = Draw(np.array(clips))
    anew = metrics_of(clips).metrics
    whole = Draw(np.arange(len(clips)), whole=True)
    for name, metric in metrics_of(range(NUM_CLIPS)).metrics.items():
        if "@" not in name:
            assert metric(draw) == pytest.approx(anew[name](whole), nan_ok=True), name


def test_the_ranking_of_one_draw_is_not_that_of_the_next():
    auc = metrics_of(range(NUM_CLIPS)).metrics["auc"]
    first, second = Draw(np.array([0, 1])), Draw(np.array([1, 2]))
    assert [auc(first), auc(second), auc(first)] == [1.0, 0.0, 1.0]
    assert np.isnan(auc(Draw(np.array([0, 2]))))


def test_clips_without_a_score_are_known():
    collected = metrics_of(range(NUM_CLIPS))
    assert np.flatnonzero(~collected.has_score).tolist() == [4]
