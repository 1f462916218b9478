"""The discrepancy of both sides gives the numbers of its equations, written out in numpy."""

import numpy as np
import torch
from scipy.special import softmax

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.model.discrepancy import Alignment, Discrepancy
from mmmsba_plugin.model.sides import Side

from .systems import MODALITIES, NumpyWeights, masks, streams, with_random_weights

UNITS, WINDOW = 5, 2


def discrepancy():
    config = ModelConfig(
        dims=dict.fromkeys(MODALITIES, 3),
        attention="none",
        cross_modal="discrepancy",
        dense_units=UNITS,
        pyramid_window=WINDOW,
    )
    return with_random_weights(Discrepancy(MODALITIES, config))


class Reference(NumpyWeights):
    """The equations for one clip of which everything counts, from the weights alone."""

    def align(self, name, to, source):
        logits = self.linear(f"{name}.queries", to) @ self.linear(f"{name}.keys", source).T
        places = np.arange(len(source))
        logits[np.abs(places[:, None] - places) > WINDOW] = -np.inf
        return softmax(logits / np.sqrt(UNITS), axis=-1) @ source

    def __call__(self, of):
        audio = self.linear("sides.audio", of["audio"])
        visual = self.linear("sides.visual", np.concatenate([of["face"], of["lips"]], axis=-1))
        differences = [
            visual - self.align("align_audio", visual, audio),
            audio - self.align("align_visual", audio, visual),
        ]
        mapped = np.maximum(self.linear("map", np.concatenate(differences, axis=-1)), 0)
        return np.concatenate([audio, visual, mapped], axis=-1)


def test_it_gives_the_numbers_of_its_equations():
    network, of = discrepancy(), streams(UNITS, batch=1)
    output = network(of, masks(of))[0].detach().numpy()
    assert output.shape[-1] == network.width == 3 * UNITS
    expected = Reference(network)({name: rows[0].double().numpy() for name, rows in of.items()})
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_where_one_side_is_missing_there_is_no_discrepancy():
    network, of = discrepancy(), streams(UNITS)
    present = masks(of)
    present["audio"][:, 4] = False
    output = network(of, present)
    mapped = output[..., 2 * UNITS :]
    assert not mapped[:, 4].any()
    assert mapped[:, 3].any()


def test_a_side_that_is_late_by_less_than_the_window_can_be_aligned():
    """With keys and queries that tell snippets apart, each finds its own, one snippet later."""
    align = Alignment(3, window=1)
    with torch.no_grad():
        for layer in (align.queries, align.keys):
            layer.weight.copy_(50 * torch.eye(3))
            layer.bias.zero_()
    visual = torch.eye(3)[None]
    late = torch.roll(visual, 1, dims=1)
    mask = torch.ones(1, 3, dtype=torch.bool)
    aligned = align(Side(visual, mask), Side(late, mask))
    torch.testing.assert_close(aligned[:, :2], visual[:, :2])
