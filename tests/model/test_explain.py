"""Explanations: the numbers are those that the network's scores are made of."""

import numpy as np
import pytest
import torch

from mmmsba_plugin.config import LocalizationConfig, ModelConfig
from mmmsba_plugin.errors import CapabilityError, FeatureError
from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.model.attention import fused_blocks
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.explain import explain_chunk
from mmmsba_plugin.model.heads import FAKE
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

DIMS = {"face": 3, "audio": 4, "lips": 2}
UNITS = 8


@pytest.fixture(scope="module")
def network() -> Ensemble:
    torch.manual_seed(1)
    config = ModelConfig(dims=DIMS, gru_units=UNITS, dense_units=UNITS)
    return Ensemble.from_configs([config]).eval()


def chunk_of(num: int = 20, absent: slice = slice(0), start_s: float = 0.0) -> ChunkFeatures:
    """Random features, with a stretch in which the face is absent."""
    rng = np.random.default_rng(3)
    rows = {}
    for modality, dim in DIMS.items():
        present = np.ones(num, dtype=bool)
        if modality == "face":
            present[absent] = False
        values = rng.normal(size=(num, dim)).astype(np.float32) * present[:, None]
        rows[modality] = FeatureRows(values.astype(np.float32), present)
    grid = Grid(start_s=start_s, stride_s=0.1)
    features = ClipFeatures(grid, start_s + num * 0.1, rows, dict.fromkeys(DIMS, ()))
    return ChunkFeatures(features, slice(0, num))


def test_scores_are_those_of_detection(network):
    chunk, config = chunk_of(), LocalizationConfig()
    (explanation,) = explain_chunk(network, chunk, config)
    predicted = predict(network, chunk.features, config)
    np.testing.assert_allclose(explanation.scores, predicted.scores, rtol=1e-6)


def test_scores_are_what_the_head_makes_of_the_embeddings(network):
    (explanation,) = explain_chunk(network, chunk_of(), LocalizationConfig())
    (member,) = network
    head = member.get_submodule("classify")
    logits = head(torch.from_numpy(explanation.embeddings)).detach()
    np.testing.assert_allclose(explanation.scores, logits.softmax(dim=-1)[:, FAKE], rtol=1e-5)


def test_attention_is_what_the_embeddings_were_summed_up_with(network):
    (explanation,) = explain_chunk(network, chunk_of(absent=slice(5, 9)), LocalizationConfig())
    names = fused_blocks(DIMS, "mmms-ba")
    blocks = dict(zip(names, np.split(explanation.embeddings, len(names), axis=1), strict=True))
    assert set(explanation.attention) == set(names) - set(DIMS)
    for name, weights in explanation.attention.items():
        asking, _, attended = name.partition("_from_")
        np.testing.assert_allclose(
            blocks[name], (weights @ blocks[attended]) * blocks[asking], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
    assert not explanation.attention["lips_from_face"][:, 5:9].any()


def test_windows_tile_the_clip_and_say_which_snippets_they_attended_to(network):
    config = LocalizationConfig(window_s=1.0, warm_up_s=0.2)
    chunk = chunk_of(num=20, start_s=3.0)
    explanations = list(explain_chunk(network, chunk, config))
    assert len(explanations) > 2
    starts_s = np.concatenate([explanation.starts_s for explanation in explanations])
    np.testing.assert_allclose(starts_s, 3.0 + 0.1 * np.arange(20))
    scores = np.concatenate([explanation.scores for explanation in explanations])
    predicted = predict(network, chunk.features, config)
    np.testing.assert_allclose(scores, predicted.scores, rtol=1e-6)
    for explanation in explanations:
        num, num_keys = len(explanation.starts_s), len(explanation.key_starts_s)
        assert explanation.attention["face_from_lips"].shape == (num, num_keys)
        assert set(explanation.starts_s) <= set(explanation.key_starts_s)


def test_snippets_of_other_chunks_are_left_to_them(network):
    chunk = chunk_of()
    own = ChunkFeatures(chunk.features, slice(4, 15))
    (explanation,) = explain_chunk(network, own, LocalizationConfig())
    np.testing.assert_allclose(explanation.starts_s, 0.1 * np.arange(4, 15))
    assert len(explanation.key_starts_s) == 20


def test_an_exported_network_is_refused(network):
    with pytest.raises(CapabilityError, match="runtime='torch'"):
        list(explain_chunk(object(), chunk_of(), LocalizationConfig()))


def test_features_that_do_not_fit_are_refused(network):
    chunk = chunk_of()
    rows = {m: row for m, row in chunk.features.rows.items() if m != "lips"}
    features = ClipFeatures(chunk.features.grid, 2.0, rows, {})
    with pytest.raises(FeatureError, match="wants 2 features of lips, got none"):
        list(explain_chunk(network, ChunkFeatures(features, slice(0, 20)), LocalizationConfig()))
