"""Embeddings and attention maps of a network, computed on the way to its scores."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import CapabilityError
from mmmsba_plugin.features.combine import ChunkFeatures, Lane
from mmmsba_plugin.model.ensemble import Ensemble, Network
from mmmsba_plugin.model.inference import Window, one_thread, require_features, windows_of
from mmmsba_plugin.run_control import check


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Embeddings and attention maps along one window of a clip, with one face.

    Attributes:
        starts_s: Start of each snippet, in seconds from the clip's zero, shape ``(snippet,)``.
        key_starts_s: The same for the snippets that were attended to, ``(key snippet,)``: the
            whole window, whose edges another one evaluates.
        scores: P(fake) of each snippet before calibration, ``(snippet,)``; NaN where nothing is
            present.
        embeddings: What the heads read of each snippet, ``(snippet, value)``; of an ensemble,
            each member's behind that of the one before.
        attention: For each pair of modalities that attend, such as ``face_from_lips``, the
            weights by which a snippet of the first sums up those of the second, ``(snippet, key
            snippet)``, the mean over the ensemble; each row sums to 1, or to 0 where the second is
            absent. With ``mmus-sa``, which attends within a snippet, one weight, ``(snippet,)``.
            Empty without attention.
        track_ids: Number of the face track in each snippet, 0 for none, ``(snippet,)``.
    """

    starts_s: NDArray[np.float64]
    key_starts_s: NDArray[np.float64]
    scores: NDArray[np.float64]
    embeddings: NDArray[np.float32]
    attention: dict[str, NDArray[np.float32]]
    track_ids: NDArray[np.int64]

    def __repr__(self) -> str:
        num, width = self.embeddings.shape
        return f"Explanation({num} snippets, {width} values, attention={list(self.attention)})"


def explain_chunk(
    network: Network, chunk: ChunkFeatures, config: LocalizationConfig
) -> Iterator[Explanation]:
    """Explain the scores of a chunk of a clip, window by window, with one face after the other.

    Args:
        network: The network; by PyTorch, since an exported one keeps this to itself.
        chunk: Features of the chunk.
        config: Settings of localization.

    Raises:
        CapabilityError: The network is an exported one.
        FeatureError: The features do not fit the network.
    """
    if not isinstance(network, Ensemble):
        raise CapabilityError(
            "an exported network tells its scores alone; load the detector with runtime='torch'",
            capability="explain",
        )
    for lane in chunk.lanes or (Lane.untracked(chunk.features),):
        require_features(network, lane.features)
        for window in windows_of(lane.features, config):
            own_span = slice(
                max(window.keep_start, chunk.own.start), min(window.keep_stop, chunk.own.stop)
            )
            if own_span.start < own_span.stop:
                check()
                yield _explain_window(network, lane, window, own_span)


@torch.inference_mode()
def _explain_window(network: Ensemble, lane: Lane, window: Window, own_span: slice) -> Explanation:
    features = lane.features
    span = slice(window.start, window.stop)
    # Each modality is a batch of one sequence.
    inputs, present = {}, {}
    for modality in network.dims:
        rows = features.rows[modality]
        inputs[modality] = torch.from_numpy(rows.values[span])[None].to(network.device)
        present[modality] = torch.from_numpy(rows.present[span])[None].to(network.device)
    network.eval()
    with one_thread():
        output = network(inputs, present=present, return_attention=True)
    own = slice(own_span.start - window.start, own_span.stop - window.start)
    starts_s = features.grid.starts_s(features.num_snippets)
    is_present = torch.stack(list(present.values())).any(dim=0)
    scores = output.scores.masked_fill(~is_present, torch.nan)

    def kept_of(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[0, own].cpu()

    return Explanation(
        starts_s=starts_s[own_span],
        key_starts_s=starts_s[span],
        scores=kept_of(scores).double().numpy(),
        embeddings=kept_of(output.fused).numpy(),
        attention={
            name: kept_of(weights).numpy() for name, weights in (output.attention or {}).items()
        },
        track_ids=lane.track_ids[own_span],
    )
