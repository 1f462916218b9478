"""Runs a network over one clip, however long, and leaves tensors behind.

A long clip is evaluated in windows that overlap; the edges of a window, where the network
lacks context, are thrown away. Everything that leaves here is numpy.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.model.ensemble import Network
from mmmsba_plugin.model.heads import FAKE
from mmmsba_plugin.model.threads import torch_threads
from mmmsba_plugin.model.tree import tree_map
from mmmsba_plugin.structures import ClipFeatures


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Prediction of a network along one clip.

    Attributes:
        scores: P(fake) of each snippet, shape ``(snippet,)``; NaN where nothing is present.
        heads: Output of each head from all modalities, shape ``(snippet, num_outputs)``.
        of_segments: Outputs of heads like ``heads``, of the networks that tell best which part of a
            clip is fake.
        by_modality: P(fake) when shown one modality alone, shape ``(snippet,)`` each; NaN
            where it is not present.
    """

    scores: NDArray[np.float64]
    heads: dict[str, NDArray[np.float64]]
    of_segments: dict[str, NDArray[np.float64]]
    by_modality: dict[str, NDArray[np.float64]]

    @property
    def distances(self) -> NDArray[np.float64] | None:
        """From the middle of each cell to the start and the end of the fake segment that holds it.

        In cells, shape ``(snippet, 2)``; None without a boundary head.
        """
        return self.heads.get("regress")

    @property
    def candidates(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Scores and distances that proposals are made from; 0 where nothing is present."""
        logits = self.of_segments["classify"]
        scores = torch.from_numpy(logits[:, FAKE] - logits[:, 1 - FAKE]).sigmoid().numpy()
        return np.where(np.isnan(self.scores), 0.0, scores), self.of_segments.get("regress")


def join_predictions(parts: Sequence[tuple[Prediction, slice]]) -> Prediction:
    """Join predictions of the chunks of a clip, at least one.

    Args:
        parts: In time order, each with the snippets of it that are kept.
    """

    def join(*arrays: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([a[own] for a, (_, own) in zip(arrays, parts, strict=True)])

    return Prediction(
        **{
            field.name: tree_map(
                join, *(getattr(prediction, field.name) for prediction, _ in parts)
            )
            for field in fields(Prediction)
        }
    )


@dataclass(frozen=True, slots=True)
class Window:
    """A run of snippets that is evaluated at once, and the part of it that is kept."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def windows(num_snippets: int, *, size: int, warm_up: int) -> Iterator[Window]:
    """Yield windows whose kept parts tile ``num_snippets``.

    Args:
        num_snippets: Length of the clip.
        size: Most snippets in a window.
        warm_up: Snippets thrown away at an edge that is not an end of the clip.

    Example:
        >>> [(w.keep_start, w.keep_stop) for w in windows(10, size=6, warm_up=1)]
        [(0, 5), (5, 10)]
    """
    #   |-------window-------|
    #               |-------window-------|
    #   |=====kept=====|=====kept=====|        the rest is warm-up
    keep_start = 0
    while keep_start < num_snippets:
        start = max(0, keep_start - warm_up)
        stop = min(num_snippets, start + size)
        keep_stop = num_snippets if stop == num_snippets else stop - warm_up
        yield Window(start, stop, keep_start, keep_stop)
        keep_start = keep_stop


def windows_of(features: ClipFeatures, config: LocalizationConfig) -> Iterator[Window]:
    """Yield the windows that features are evaluated in."""
    window_cells, warm_up_cells = (
        round(features.grid.s_to_cells(np.array(length_s)).item())
        for length_s in (config.window_s, config.warm_up_s)
    )
    size = max(1, window_cells)
    warm_up = min(warm_up_cells, (size - 1) // 2)
    return windows(features.num_snippets, size=size, warm_up=warm_up)


def require_features(network: Network, features: ClipFeatures) -> None:
    """Require that features are what a network reads.

    Raises:
        FeatureError: A modality is missing, or its rows are of another length.
    """
    for modality, dim in network.dims.items():
        rows = features.rows.get(modality)
        if rows is None or rows.dim != dim:
            raise FeatureError(
                f"the network wants {dim} features of {modality}, got "
                f"{'none' if rows is None else rows.dim}; "
                "use the front-ends and stride that it was trained with"
            )


def predict(network: Network, features: ClipFeatures, config: LocalizationConfig) -> Prediction:
    """Predict along a clip with ``network``.

    A clip of at most ``config.window_s`` is seen whole, exactly as in training.

    Raises:
        FeatureError: The features do not fit the network.
    """
    require_features(network, features)
    with one_thread():
        predictions = [
            _predict_kept(network, features, window) for window in windows_of(features, config)
        ]
    scores = np.concatenate([scores for scores, _ in predictions], axis=1)
    present = {modality: features.rows[modality].present for modality in network.dims}
    return Prediction(
        scores=np.where(np.any(list(present.values()), axis=0), scores[0], np.nan),
        **tree_map(lambda *parts: np.concatenate(parts), *(heads for _, heads in predictions)),
        by_modality={
            modality: np.where(is_present, of_view, np.nan)
            for (modality, is_present), of_view in zip(present.items(), scores[1:], strict=True)
        },
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the recurrence on one thread.

    Its steps are too small to share: two threads on two idle cores win nothing, and on two
    busy ones, where each step waits for the slower, judging a clip took over six times as long.
    """
    with torch_threads.at(1):
        yield


def _predict_kept(
    network: Network, features: ClipFeatures, window: Window
) -> tuple[NDArray[np.float64], dict[str, dict[str, NDArray[np.float64]]]]:
    """Predict the snippets of a window that are kept, at no cost where nothing is present.

    Stamps can state a gap of an hour in no bytes.
    """
    span = slice(window.start, window.stop)
    if any(features.rows[modality].present[span].any() for modality in network.dims):
        return _predict_window(network, features, window)
    start, num_kept = window.start, window.keep_stop - window.keep_start
    scores, heads = _predict_window(network, features, Window(start, start + 1, start, start + 1))
    repeated = tree_map(lambda head: np.repeat(head, num_kept, axis=0), heads)
    return np.repeat(scores, num_kept, axis=1), repeated


@torch.inference_mode()
def _predict_window(
    network: Network, features: ClipFeatures, window: Window
) -> tuple[NDArray[np.float64], dict[str, dict[str, NDArray[np.float64]]]]:
    """Return scores (one row for all modalities, then one for each) and heads, as kept.

    The views are the same clip with different modalities hidden.
    """
    network.eval()
    device = network.device
    span = slice(window.start, window.stop)
    inputs, present, views = {}, {}, {}
    for index, modality in enumerate(network.dims):
        rows = features.rows[modality]
        inputs[modality] = torch.from_numpy(rows.values[span])[None].to(device)
        present[modality] = torch.from_numpy(rows.present[span])[None].to(device)
        views[modality] = torch.zeros(1 + len(network.dims), dtype=torch.bool, device=device)
        views[modality][[0, 1 + index]] = True
    output = network(inputs, present=present, views=views)
    keep = slice(window.keep_start - window.start, window.keep_stop - window.start)
    scores = output.scores[:, keep].double().cpu().numpy()
    heads = {"heads": output.heads, "of_segments": output.of_segments or output.heads}
    return scores, tree_map(lambda head: head[0, keep].double().cpu().numpy(), heads)
