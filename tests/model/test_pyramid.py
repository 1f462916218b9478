"""The feature pyramid gives the numbers of its equations, written out in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import erf, softmax
from torch.testing import assert_close

from mmmsba_plugin.config import PRESETS, FitConfig, ModelConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.pyramid import Pyramid
from mmmsba_plugin.training.fit import fit

from .systems import NumpyWeights

DIMS = {"face": 4, "audio": 3}
WIDTH, UNITS, WINDOW, LEVELS = 6, 5, 2, 3
SAME = {"atol": 1e-5, "rtol": 0.0}


def pyramid(**settings):
    torch.manual_seed(0)
    sizes = {"dense_units": UNITS, "pyramid_levels": LEVELS, "pyramid_window": WINDOW}
    network = Pyramid(WIDTH, ModelConfig(dims={"audio": 1}, **sizes | settings)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def fused(batch=2, snippets=11):
    return torch.randn(batch, snippets, WIDTH, generator=torch.Generator().manual_seed(1))


def counts_everywhere(rows):
    return torch.ones(rows.shape[:2], dtype=torch.bool)


class Reference(NumpyWeights):
    """The equations for one clip of which everything counts, from the weights alone."""

    def block(self, name, rows):
        stacked = self.linear(f"{name}.queries_keys_values", self.norm(f"{name}.norm", rows))
        queries, keys, values = np.split(stacked, 3, axis=-1)
        logits = queries @ keys.T / np.sqrt(UNITS)
        places = np.arange(len(rows))
        logits[np.abs(places[:, None] - places) > WINDOW] = -np.inf
        rows = rows + self.linear(f"{name}.project", softmax(logits, axis=-1) @ values)
        hidden = self.linear(f"{name}.expand", self.norm(f"{name}.norm_hidden", rows))
        hidden = 0.5 * hidden * (1 + erf(hidden / np.sqrt(2)))
        return rows + self.linear(f"{name}.contract", hidden)

    def halve(self, name, rows):
        kernel, bias = self.weights[f"{name}.weight"][:, 0], self.weights[f"{name}.bias"]
        padded = np.pad(rows, ((1, 1), (0, 0)))
        centres = range(0, len(rows), 2)
        return np.stack([(padded[c : c + 3] * kernel.T).sum(axis=0) + bias for c in centres])

    def __call__(self, rows):
        levels = [self.block("blocks.0", self.linear("embed", rows))]
        for level in range(1, LEVELS):
            halved = self.halve(f"halve.{level - 1}", levels[-1])
            levels.append(self.block(f"blocks.{level}", halved))
        result = levels.pop()
        while levels:
            finer = levels.pop()
            result = finer + np.repeat(result, 2, axis=0)[: len(finer)]
        return result


class TestPyramid:
    @pytest.mark.parametrize("snippets", [1, 2, 8, 11])
    def test_it_gives_the_numbers_of_its_equations(self, snippets):
        network, rows = pyramid(), fused(batch=1, snippets=snippets)
        output = network(rows, counts_everywhere(rows))[0].detach().numpy()
        np.testing.assert_allclose(output, Reference(network)(rows[0].double().numpy()), atol=1e-5)

    def test_each_level_has_half_the_rate_of_the_one_before(self):
        rows = fused(snippets=11)
        levels = pyramid().levels(rows, counts_everywhere(rows))
        assert [tuple(level.shape) for level in levels] == [(2, 11, 5), (2, 6, 5), (2, 3, 5)]

    def test_padding_changes_nothing(self):
        for snippets in (8, 11):
            network, rows = pyramid(), fused(snippets=snippets)
            longer = torch.cat([rows, torch.full((2, 5, WIDTH), 7.0)], dim=1)
            mask = (torch.arange(snippets + 5) < snippets).expand(2, -1)
            output = network(longer, mask)
            assert_close(output[:, :snippets], network(rows, counts_everywhere(rows)), **SAME)
            assert not output[:, snippets:].any()

    def test_one_level_sees_no_further_than_its_window(self):
        network, rows = pyramid(pyramid_levels=1), fused(snippets=11)
        changed = rows.clone()
        changed[:, 5] += 1.0
        mask = counts_everywhere(rows)
        difference = (network(changed, mask) - network(rows, mask)).abs().sum(dim=-1)[0]
        assert torch.nonzero(difference > 1e-6).flatten().tolist() == [3, 4, 5, 6, 7]

    def test_a_clip_of_which_nothing_counts_stays_finite(self):
        rows = fused()
        assert not pyramid()(rows, ~counts_everywhere(rows)).any()


class TestPreset:
    def network(self, **settings):
        torch.manual_seed(0)
        sizes = {"dims": DIMS, "dense_units": UNITS}
        return MmmsBa(ModelConfig(**PRESETS["fpn-transformer"] | sizes | settings)).eval()

    def rows(self, snippets=9):
        generator = torch.Generator().manual_seed(1)
        return {m: torch.randn(2, snippets, dim, generator=generator) for m, dim in DIMS.items()}

    def test_it_has_neither_bi_gru_nor_attention_between_modalities(self):
        parts = {name.split(".")[0] for name in self.network().state_dict()}
        assert parts == {"encoders", "pyramid", "classify", "regress"}
        assert not [name for name in self.network().state_dict() if "gru" in name]

    def test_heads_read_the_pyramid_snippet_by_snippet(self):
        output = self.network()(self.rows())
        assert output.fused.shape == (2, 9, UNITS)
        assert output.heads["classify"].shape == output.heads["regress"].shape == (2, 9, 2)

    def test_every_weight_learns(self):
        network = self.network(activation="tanh").train()
        output = network(self.rows(snippets=40))
        sum(head.square().sum() for head in output.heads.values()).backward()
        still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        assert still == []

    def test_a_missing_modality_leaves_everything_finite(self):
        inputs = self.rows()
        del inputs["audio"]
        output = self.network()(inputs)
        assert output.heads["classify"].isfinite().all()
        assert output.fused.any()


@pytest.mark.story
def test_it_is_trained_saved_and_evaluated_as_any_network(
    talking_head_dataset, feature_cache, tmp_path
):
    config = FitConfig(
        preset="fpn-transformer",
        network={"dense_units": 4},
        train=TrainConfig(batch_size=8, max_epochs=1),
    )
    records = list(read_lavdf(talking_head_dataset))
    trained = fit(records, config, tmp_path / "out", cache=feature_cache)
    detector = MmmsbaDetector.from_pretrained(trained.checkpoint, cache=feature_cache)
    report = detector.detect(records[0].media)
    assert report.status == "ok"
    assert report.proposals
