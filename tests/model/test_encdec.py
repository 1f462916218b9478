"""The paper's Enc-Dec baseline: the same network with fewer inputs, outputs, and no attention."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from torch.testing import assert_close

from mmmsba_plugin.config import PRESETS, FeaturesConfig, FitConfig, ModelConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.attention import fused_width
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.training.fit import fit

from .systems import NumpyWeights, with_random_weights

DIMS = {"face": 6, "audio": 4}
GRU_WEIGHTS = [
    f"{kind}_{of}_l0{direction}"
    for kind, of, direction in product(("weight", "bias"), ("ih", "hh"), ("", "_reverse"))
]


def make(**settings):
    torch.manual_seed(0)
    sizes = {"dims": DIMS, "gru_units": 8, "dense_units": 5}
    return MmmsBa(ModelConfig(**(PRESETS["enc-dec"] | sizes | settings))).eval()


def rows(*, batch=2, snippets=9):
    generator = torch.Generator().manual_seed(1)
    return {m: torch.randn(batch, snippets, d, generator=generator) for m, d in DIMS.items()}


def states(network, modality, values):
    """Return the states of a Bi-GRU in numpy, shape ``(snippet, 2 * units)``."""
    layers = NumpyWeights(network)
    weight = {k: layers.weights[f"encoders.{modality}.gru.{k}"] for k in GRU_WEIGHTS}
    both = []
    for direction, order in (("", 1), ("_reverse", -1)):
        state, of_snippets = np.zeros(weight["weight_hh_l0"].shape[1]), []
        for row in values[::order]:
            of_row = weight[f"weight_ih_l0{direction}"] @ row + weight[f"bias_ih_l0{direction}"]
            of_state = weight[f"weight_hh_l0{direction}"] @ state + weight[f"bias_hh_l0{direction}"]
            (reset, update, new), (r, u, n) = np.split(of_row, 3), np.split(of_state, 3)
            keep = expit(update + u)
            state = (1 - keep) * np.tanh(new + expit(reset + r) * n) + keep * state
            of_snippets.append(state)
        both.append(of_snippets[::order])
    return np.concatenate(both, axis=1)


class TestNetwork:
    def test_it_gives_the_numbers_of_its_equations(self):
        network, inputs = with_random_weights(make()), rows(batch=1)
        layers = NumpyWeights(network)
        hidden = np.concatenate(
            [states(network, m, v[0].double().numpy()) for m, v in inputs.items()], axis=1
        )
        for name in ("join.0", "join.3"):
            hidden = np.maximum(layers.linear(name, hidden), 0)
        expected = softmax(layers.linear("classify", hidden), axis=1)[:, 1]
        np.testing.assert_allclose(network(inputs).scores[0].detach(), expected, atol=1e-6)

    def test_it_has_the_parameters_that_its_layers_have(self):
        dims = {"face": 100, "audio": 73}
        network = MmmsBa(ModelConfig(dims=dims, **PRESETS["enc-dec"]))
        bi_grus = sum(1800 * dim + 543_600 for dim in dims.values())
        first, second, head = 1200 * 100 + 100, 100 * 100 + 100, 100 * 2 + 2
        assert sum(p.numel() for p in network.parameters()) == bi_grus + first + second + head

    def test_the_states_of_the_encoders_are_joined_and_there_is_no_boundary_head(self):
        output = make()(rows())
        assert output.streams["face"].shape == output.streams["audio"].shape == (2, 9, 16)
        assert output.fused.shape == (2, 9, 5)
        assert output.heads["classify"].shape == (2, 9, 2)
        assert "regress" not in output.heads

    def test_no_modality_has_a_dense_layer_of_its_own(self):
        names = {name.split(".")[2] for name in make().state_dict() if name.startswith("encoders")}
        assert names == {"mean", "std", "gru"}

    def test_the_other_presets_have_no_layer_more_than_before(self):
        for preset in ("paper", "reference"):
            network = MmmsBa(ModelConfig(dims=DIMS, **PRESETS[preset]))
            parts = {name.split(".")[0] for name in network.state_dict()}
            assert parts <= {"encoders", "classify", "regress"}
            assert "encoders.face.dense.weight" in network.state_dict()

    def test_every_weight_learns(self):
        network = make(activation="tanh").train()
        network(rows()).heads["classify"].square().sum().backward()
        still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        assert still == []

    def test_padding_never_changes_a_score(self):
        network, inputs = make(), rows()
        longer = {
            m: torch.cat([v, torch.full_like(v, torch.nan)], dim=1) for m, v in inputs.items()
        }
        mask = torch.arange(18).expand(2, 18) < 9
        # Packed and unpacked recurrences differ by a few units in the last place.
        assert_close(
            network(longer, mask).scores[:, :9], network(inputs).scores, atol=1e-6, rtol=0.0
        )

    def test_an_absent_modality_leaves_everything_finite(self):
        inputs = rows()
        del inputs["audio"]
        output = make()(inputs)
        assert torch.all(output.streams["audio"] == 0)
        assert torch.isfinite(output.heads["classify"]).all()

    def test_joint_layers_serve_attention_too(self):
        output = make(attention="mmms-ba", heads=("classify", "regress"))(rows())
        assert output.fused.shape == (2, 9, 5)
        assert output.heads["regress"].shape == (2, 9, 2)


class TestSettings:
    def test_the_preset_reads_faces_and_audio_alone(self):
        assert set(FitConfig(preset="enc-dec").features.front_ends) == {"face", "audio"}
        assert set(FitConfig().features.front_ends) == {"face", "audio", "lips"}

    def test_fewer_modalities_can_be_asked_for(self):
        config = FitConfig(preset="enc-dec", features=FeaturesConfig().only(["audio", "lips"]))
        assert list(config.features.front_ends) == ["audio"]

    def test_settings_that_were_written_are_read_again(self):
        config = FitConfig(preset="enc-dec")
        assert FitConfig.model_validate_json(config.model_dump_json()) == config

    def test_features_without_audio_and_face_are_refused(self):
        lips = FeaturesConfig().only(["lips"]).model_dump(mode="json")
        with pytest.raises(ConfigError, match="'enc-dec' reads audio and face; leave one of them"):
            FitConfig.read({"preset": "enc-dec", "features": lips})

    def test_a_preset_that_is_not_known_is_the_only_error(self):
        with pytest.raises(ConfigError, match="FitConfig: preset: Input should be 'paper'"):
            FitConfig.read({"preset": "dec-enc"})


def test_it_is_trained_saved_and_used_as_any_network(talking_head_dataset, feature_cache, tmp_path):
    config = FitConfig(
        preset="enc-dec",
        network={"gru_units": 6, "dense_units": 4},
        train=TrainConfig(batch_size=8, max_epochs=1),
    )
    records = list(read_lavdf(talking_head_dataset))
    trained = fit(records, config, tmp_path / "out", cache=feature_cache)
    detector = MmmsbaDetector.from_pretrained(trained.checkpoint, cache=feature_cache)
    assert detector.info["modalities"] == ["face", "audio"]
    report = detector.detect(records[0].media)
    assert report.status == "ok"
    assert report.proposals


def test_the_dense_layer_of_figure_2_lies_between_fusion_and_heads():
    config = ModelConfig(dims={"face": 3, "audio": 2}, gru_units=4, dense_units=5, fusion_units=7)
    network = MmmsBa(config).eval()
    inputs = {"face": torch.randn(1, 6, 3), "audio": torch.randn(1, 6, 2)}
    output = network(inputs)
    assert network.get_parameter("join.0.weight").shape == (7, fused_width(2, 5, "mmms-ba"))
    assert output.fused.shape == (1, 6, 7)
    expected = network.get_submodule("classify")(output.fused)
    assert torch.equal(output.heads["classify"], expected)
    assert output.streams["face"].shape == (1, 6, 5)
