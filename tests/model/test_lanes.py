"""Predictions for several faces: at each moment, the most suspicious one counts."""

import numpy as np
import pytest

from mmmsba_plugin.model.inference import Prediction
from mmmsba_plugin.model.lanes import join_chunks, join_lanes

NAN = np.nan
ALL = slice(None)


def prediction(*scores: float, mark: float = 0.0) -> Prediction:
    rows = np.full((len(scores), 2), mark)
    return Prediction(
        np.array(scores), {"classify": rows}, {"classify": rows}, {"face": np.array(scores)}
    )


def tracks(*track_ids: int) -> np.ndarray:
    return np.array(track_ids)


MAIN = (prediction(0.2, 0.9, 0.4, NAN), tracks(1, 1, 0, 0))
OTHER = (prediction(0.7, 0.3, 0.8, NAN, mark=1.0), tracks(2, 2, 0, 0))


def test_each_snippet_has_the_highest_score_and_all_that_belongs_to_it():
    joined = join_lanes([MAIN, OTHER], ALL)
    assert joined.prediction.scores == pytest.approx([0.7, 0.9, 0.4, NAN], nan_ok=True)
    assert joined.prediction.by_modality["face"][:3] == pytest.approx([0.7, 0.9, 0.4])
    assert joined.prediction.heads["classify"][:, 0].tolist() == [1, 0, 0, 0]
    assert joined.track_ids.tolist() == [2, 1, 0, 0]
    assert joined.highest == {1: 0.9, 2: 0.7}


def test_a_lone_lane_is_left_as_it_is():
    joined = join_lanes([MAIN], ALL)
    for name in ("scores", "heads", "by_modality"):
        np.testing.assert_equal(getattr(joined.prediction, name), getattr(MAIN[0], name))


def test_only_the_face_that_is_asked_for_counts_and_all_are_scored():
    joined = join_lanes([MAIN, OTHER], ALL, track=2)
    assert joined.prediction.scores == pytest.approx([0.7, 0.3, NAN, NAN], nan_ok=True)
    assert joined.highest == {1: 0.9, 2: 0.7}


def test_highest_scores_are_those_of_the_chunk_s_own_snippets():
    assert join_lanes([MAIN, OTHER], slice(1, None)).highest == {1: 0.9, 2: 0.3}


def test_a_track_keeps_its_highest_score_across_chunks():
    first, second = join_lanes([MAIN, OTHER], slice(0, 2)), join_lanes([OTHER], slice(1, 4))
    joined = join_chunks([(first, slice(0, 2)), (second, slice(1, 4))])
    assert joined.track_ids.tolist() == [2, 1, 2, 0, 0]
    assert joined.highest == {1: 0.9, 2: 0.7}
    assert joined.prediction.scores == pytest.approx([0.7, 0.9, 0.3, 0.8, NAN], nan_ok=True)
