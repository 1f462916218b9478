"""Explicit correlation learning gives the numbers of its equations, written out in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch.testing import assert_close

from mmmsba_plugin.config import LossConfig, ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.correlation import NUM_HEADS, Correlation
from mmmsba_plugin.model.heads import head_class
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid

from .systems import MODALITIES, NumpyWeights, masks, streams, with_random_weights

UNITS = 8


def correlation():
    config = ModelConfig(
        dims=dict.fromkeys(MODALITIES, 3),
        attention="none",
        cross_modal="correlation",
        dense_units=UNITS,
    )
    return with_random_weights(Correlation(MODALITIES, config))


class Reference(NumpyWeights):
    """The equations for one clip of which everything counts, from the weights alone."""

    def layer(self, name, source, queries):
        keys, values = np.split(self.linear(f"{name}.keys_values", source), 2, axis=-1)
        queries_of_all = self.linear(f"{name}.queries", queries)
        width = source.shape[-1] // NUM_HEADS
        by_head = []
        for head in range(NUM_HEADS):
            own = slice(head * width, (head + 1) * width)
            weights = softmax(queries_of_all[:, own] @ keys[:, own].T / np.sqrt(width), axis=-1)
            by_head.append(weights @ values[:, own])
        attended = self.linear(f"{name}.project", np.concatenate(by_head, axis=-1))
        rows = self.norm(f"{name}.norm", source + attended)
        hidden = np.maximum(self.linear(f"{name}.expand", rows), 0)
        return self.norm(f"{name}.norm_hidden", rows + self.linear(f"{name}.contract", hidden))

    def __call__(self, of):
        audio = self.linear("sides.audio", of["audio"])
        visual = self.linear("sides.visual", np.concatenate([of["face"], of["lips"]], axis=-1))
        audio, visual = self.layer("audio", audio, visual), self.layer("visual", visual, audio)
        norms = np.linalg.norm(audio, axis=-1) * np.linalg.norm(visual, axis=-1)
        similarity = (1 + (audio * visual).sum(axis=-1) / norms) / 2
        both = np.concatenate([audio, visual], axis=-1)
        return np.concatenate([self.layer("joint", both, both), similarity[:, None]], axis=-1)


def test_it_gives_the_numbers_of_its_equations():
    network, of = correlation(), streams(UNITS, batch=1)
    output = network(of, masks(of))[0].detach().numpy()
    assert output.shape[-1] == network.width == 2 * UNITS + 1
    expected = Reference(network)({name: rows[0].double().numpy() for name, rows in of.items()})
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_without_one_side_nothing_is_known_of_their_similarity():
    network, of = correlation(), streams(UNITS)
    present = masks(of)
    present["audio"] = torch.zeros_like(present["audio"])
    output = network({**of, "audio": torch.zeros_like(of["audio"])}, present)
    assert output.isfinite().all()
    assert_close(output[..., -1], torch.full_like(output[..., -1], 0.5))


def test_what_is_compared_must_be_there():
    config = {"dims": {"face": 3, "lips": 3}, "attention": "none", "cross_modal": "correlation"}
    with pytest.raises(ConfigError, match="give the network audio and another modality, got face"):
        Correlation(("face", "lips"), ModelConfig(**config, dense_units=UNITS))
    with pytest.raises(ConfigError, match="dense_units that 8 divides, got 12"):
        Correlation(("face", "audio"), ModelConfig(**config, dense_units=12))


def test_the_head_learns_that_real_snippets_are_alike_and_fake_ones_are_not():
    head = head_class("correlate")(3)
    fused = torch.tensor([[[9.0, 9.0, 0.9], [9.0, 9.0, 0.2], [9.0, 9.0, 0.7]]])
    output = head(fused)
    assert_close(output, fused[..., 2:])
    targets = head.targets([Segment(0.1, 0.2)], Grid(stride_s=0.1), 3, is_bounded=True)
    assert targets["alike"].ravel().tolist() == [1, 0, 1]
    target = {"alike": torch.from_numpy(targets["alike"])[None]}
    mask = torch.tensor([[True, True, False]])
    loss = head.loss(output, target, mask, LossConfig())
    assert float(loss) == pytest.approx(-np.log(0.9) - np.log(1 - 0.2), rel=1e-5)
