"""Join predictions for several faces of a clip: at each moment, the most suspicious one counts.

A face that is swapped beside an honest one makes a clip fake, so faces are not averaged. The price
is that each further face is one more chance of a false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.features.combine import ChunkFeatures, Lane
from mmmsba_plugin.model.ensemble import Network
from mmmsba_plugin.model.inference import Prediction, join_predictions, predict
from mmmsba_plugin.model.tree import tree_map


@dataclass(frozen=True, slots=True, eq=False)
class LanesPrediction:
    """Prediction along a clip, or a chunk of one, with several faces.

    Attributes:
        prediction: At each snippet, that of the face with the highest score there.
        track_ids: Number of its face track, 0 where that is none, shape ``(snippet,)``.
        highest: Highest score of each face track that was evaluated.
    """

    prediction: Prediction
    track_ids: NDArray[np.int64]
    highest: Mapping[int, float]


def predict_lanes(
    network: Network,
    chunk: ChunkFeatures,
    config: LocalizationConfig,
    *,
    track: int | None = None,
) -> LanesPrediction:
    """Predict along a chunk of a clip with each of its faces.

    Args:
        network: The network.
        chunk: Features of the chunk.
        config: Settings of localization.
        track: Number of the only face track that counts; all of them if not given.

    Raises:
        FeatureError: The features do not fit the network.
    """
    lanes = chunk.lanes or (Lane.untracked(chunk.features),)
    predictions = [(predict(network, lane.features, config), lane.track_ids) for lane in lanes]
    return join_lanes(predictions, chunk.own, track=track)


def join_chunks(parts: Sequence[tuple[LanesPrediction, slice]]) -> LanesPrediction:
    """Join predictions of the chunks of a clip, at least one.

    Args:
        parts: In time order, each with the snippets of it that are kept.
    """
    highest: dict[int, float] = {}
    for of_chunk, _ in parts:
        for track, score in of_chunk.highest.items():
            highest[track] = max(score, highest.get(track, 0.0))
    return LanesPrediction(
        join_predictions([(of_chunk.prediction, own) for of_chunk, own in parts]),
        np.concatenate([of_chunk.track_ids[own] for of_chunk, own in parts]),
        highest,
    )


def join_lanes(
    lanes: Sequence[tuple[Prediction, NDArray[np.int64]]],
    own: slice,
    *,
    track: int | None = None,
) -> LanesPrediction:
    """Join the predictions with the face of each lane.

    The lane of the main face counts everywhere, and with it the audio where no face is seen; others
    count where a face is seen in them.

    Args:
        lanes: Prediction of each lane, and the number of the face track in each snippet, 0 for
            none; that of the main face first.
        own: Snippets that the highest scores are taken from.
        track: Number of the only face track that counts; all of them if not given.
    """
    track_ids = np.stack([of_lane for _, of_lane in lanes])
    scores = np.stack([prediction.scores for prediction, _ in lanes])
    highest = _highest(scores[:, own], track_ids[:, own])
    counts = track_ids > 0 if track is None else track_ids == track
    if track is None:
        counts[0] = True
    scores = np.where(counts, scores, np.nan)
    chosen = (np.argmax(np.nan_to_num(scores, nan=-1.0), axis=0), np.arange(scores.shape[1]))

    def choose(*arrays: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.stack(arrays)[chosen])

    predictions = [
        replace(prediction, scores=own_scores)
        for (prediction, _), own_scores in zip(lanes, scores, strict=True)
    ]
    joined = {
        field.name: tree_map(choose, *(getattr(of_lane, field.name) for of_lane in predictions))
        for field in fields(Prediction)
    }
    return LanesPrediction(Prediction(**joined), track_ids[chosen], highest)


def _highest(scores: NDArray[np.float64], track_ids: NDArray[np.int64]) -> dict[int, float]:
    """Return the highest score of each face track that has one."""
    valid = (track_ids > 0) & ~np.isnan(scores)
    return {
        int(track): float(scores[valid & (track_ids == track)].max())
        for track in np.unique(track_ids[valid])
    }
