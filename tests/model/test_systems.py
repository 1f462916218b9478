"""Other systems are trained, kept, exported and evaluated as any network of ours."""

import pytest
import torch
from torch.testing import assert_close

from mmmsba_plugin.config import PRESETS, FitConfig, ModelConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features.words import NUM_TIMES
from mmmsba_plugin.model.checkpoint import CheckpointConfig
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.export import MAX_DIFFERENCE, max_difference, to_onnx
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.onnx_network import OnnxNetwork
from mmmsba_plugin.model.widen import widen
from mmmsba_plugin.training.fit import fit

SYSTEMS = ("correlation", "dimodif", "wafl")
SIZES = {"gru_units": 4, "dense_units": 8}


def config_of(system):
    dims = {"face": 4, "audio": 3, "lips": 2, "text": NUM_TIMES}
    if system != "wafl":
        del dims["text"]
    return ModelConfig(**PRESETS[system] | {"dims": dims} | SIZES)


def network_of(system):
    torch.manual_seed(0)
    return MmmsBa(config_of(system)).eval()


def rows_of(network, snippets=9):
    generator = torch.Generator().manual_seed(1)
    dims = network.config.dims
    return {m: torch.randn(2, snippets, dim, generator=generator) for m, dim in dims.items()}


@pytest.mark.parametrize("system", SYSTEMS)
class TestNetwork:
    def test_every_weight_learns(self, system):
        network = network_of(system).train()
        output = network(rows_of(network, snippets=40))
        sum(head.square().sum() for head in output.heads.values()).backward()
        still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        assert still == []

    def test_padding_changes_nothing(self, system):
        network = network_of(system)
        inputs = rows_of(network)
        expected = network(inputs).heads
        longer = {m: torch.cat([rows, rows[:, :4] * 7], dim=1) for m, rows in inputs.items()}
        mask = (torch.arange(13) < 9).expand(2, -1)
        heads = network(longer, mask).heads
        for name, head in heads.items():
            assert_close(head[:, :9], expected[name], atol=1e-5, rtol=0.0)

    @pytest.mark.parametrize("missing", ["audio", "face"])
    def test_a_missing_modality_leaves_everything_finite(self, system, missing):
        network = network_of(system)
        inputs = rows_of(network)
        del inputs[missing]
        assert all(head.isfinite().all() for head in network(inputs).heads.values())

    def test_an_exported_network_gives_the_same_scores(self, system):
        ensemble = Ensemble.from_configs([config_of(system)]).eval()
        config = CheckpointConfig(members=ensemble.configs)
        exported = OnnxNetwork(to_onnx(ensemble, config), config)
        assert max_difference(ensemble, exported) <= MAX_DIFFERENCE


def test_a_module_between_modalities_takes_the_place_of_attention():
    with pytest.raises(ConfigError, match="set attention to none beside it"):
        ModelConfig.read({"dims": {"audio": 1, "face": 1}, "cross_modal": "discrepancy"})


@pytest.mark.parametrize(
    "changes", [{"cross_modal": None}, {"pool_words": True}, {"joint_layers": 1}]
)
def test_a_head_that_reads_a_similarity_needs_it(changes):
    settings = {**PRESETS["correlation"], "dims": {"audio": 1, "face": 1}}
    with pytest.raises(ConfigError, match="correlate reads what cross_modal correlation returns"):
        ModelConfig.read({**settings, **changes})


def test_a_module_between_modalities_cannot_be_widened():
    with pytest.raises(ConfigError, match="'correlation' cannot be widened; train one anew"):
        widen(network_of("correlation"), {"text": 3})


@pytest.mark.story
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_is_trained_saved_and_evaluated_as_any_network(
    system, talking_head_dataset, feature_cache, tmp_path
):
    train = {**TrainConfig(batch_size=8, max_epochs=1).model_dump(exclude={"loss"})}
    config = FitConfig.read({"preset": system, "network": SIZES, "train": train})
    records = list(read_lavdf(talking_head_dataset))
    trained = fit(records, config, tmp_path / "out", cache=feature_cache)
    detector = MmmsbaDetector.from_pretrained(trained.checkpoint, cache=feature_cache)
    report = detector.detect(records[0].media)
    assert report.status == "ok"
    assert report.proposals
