"""The network as a whole: parity with the authors' Keras network, and what must never change."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmmsba_plugin.config import PRESETS, ModelConfig
from mmmsba_plugin.errors import CheckpointError, ConfigError, FeatureError
from mmmsba_plugin.model.encoder import Encoder
from mmmsba_plugin.model.keras_weights import from_keras_arrays
from mmmsba_plugin.model.mmmsba import MmmsBa

GOLDEN = Path(__file__).parents[1] / "golden" / "core_small.npz"
ATTENTIONS = ["mmms-ba", "mmus-sa", "ms-sa", "none"]
DIMS = {"face": 6, "audio": 4, "lips": 3, "text": 5}

# Two float32 sums of the same numbers in another order (packed and unpacked GRU, masked and
# unmasked softmax) differ by a few units in the last place of values around 1.
SAME = {"atol": 1e-6, "rtol": 0.0}


def make(*, modalities=("face", "audio", "lips"), seed=0, **settings):
    torch.manual_seed(seed)
    dims = {name: DIMS[name] for name in modalities}
    config = ModelConfig(**({"dims": dims, "gru_units": 8, "dense_units": 5} | settings))
    return MmmsBa(config).eval()


def rows(*, batch=2, snippets=9, modalities=("face", "audio", "lips"), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {m: torch.randn(batch, snippets, DIMS[m], generator=generator) for m in modalities}


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def reference_output(golden):
    inputs = {
        ours: torch.from_numpy(golden[f"input.{theirs}"])
        for ours, theirs in {"audio": "audio", "face": "face", "lips": "lip"}.items()
    }
    with torch.no_grad():
        return from_keras_arrays(golden)(inputs, return_attention=True)


# 1e-5: both sides are float32, and theirs went through another GRU implementation.


@pytest.mark.parametrize(
    ("ours", "theirs"), [("face", "face"), ("audio", "audio"), ("lips", "lip")]
)
def test_each_encoder_agrees_with_the_keras_network(golden, reference_output, ours, theirs):
    stream = reference_output.streams[ours].numpy()
    np.testing.assert_allclose(stream, golden[f"dense.{theirs}"], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name",
    [
        *("face_from_lip", "lip_from_face", "audio_from_face"),
        *("face_from_audio", "lip_from_audio", "audio_from_lip"),
    ],
)
def test_each_attention_map_agrees_with_the_keras_network(golden, reference_output, name):
    attention_map = reference_output.attention[name.replace("lip", "lips")].numpy()
    np.testing.assert_allclose(attention_map, golden[f"attention.{name}"], atol=1e-5, rtol=0)


def test_fusion_and_scores_agree_with_the_keras_network(golden, reference_output):
    np.testing.assert_allclose(reference_output.fused.numpy(), golden["merged"], atol=1e-5, rtol=0)
    probs = golden["output.probs"]
    our_probs = reference_output.heads["classify"].softmax(dim=-1).numpy()
    np.testing.assert_allclose(our_probs, probs, atol=1e-5, rtol=0)
    np.testing.assert_allclose(reference_output.scores.numpy(), probs[..., 1], atol=1e-5, rtol=0)


def test_a_missing_keras_weight_is_named(golden):
    arrays = {k: v for k, v in golden.items() if k != "gru.lip.backward.bias"}
    with pytest.raises(CheckpointError, match=r"1 Keras weights are missing.*gru\.lip\.backward"):
        from_keras_arrays(arrays)


def test_keras_weights_of_two_networks_do_not_fit(golden):
    arrays = golden | {"dense_weight.head.kernel": np.zeros((70, 2), np.float32)}
    with pytest.raises(CheckpointError, match=r"do not fit each other.*classify\.weight"):
        from_keras_arrays(arrays)


@pytest.mark.parametrize(
    ("attention", "expected"),
    [("mmms-ba", 2_304_302), ("mmus-sa", 2_303_702), ("ms-sa", 2_303_702), ("none", 2_303_102)],
)
def test_the_network_is_as_large_as_the_parents(attention, expected):
    dims = {"video": 100, "audio": 73, "text": 100}
    network = MmmsBa(ModelConfig(dims=dims, attention=attention, **PRESETS["reference"]))
    assert sum(p.numel() for p in network.parameters()) == expected


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(
    "modalities", [("audio",), ("face", "audio"), ("face", "audio", "lips"), tuple(DIMS)]
)
def test_any_attention_takes_any_set_of_modalities(attention, modalities):
    network = make(attention=attention, modalities=modalities)
    output = network(rows(modalities=modalities), return_attention=True)
    assert output.heads["classify"].shape == (2, 9, 2)
    assert output.heads["regress"].shape == (2, 9, 2)
    assert list(output.streams) == list(network.modalities)
    assert torch.isfinite(output.heads["classify"]).all()


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padding_never_changes_a_score(attention):
    network, inputs = make(attention=attention), rows(batch=1)
    alone = network(inputs)
    # What lies in padding is nobody's business, not even if it is not a number.
    padded = {
        m: torch.cat([v, torch.full((1, 4, v.shape[-1]), torch.nan)], dim=1)
        for m, v in inputs.items()
    }
    beside_longer = {m: torch.cat([v, rows(batch=1, snippets=13)[m]]) for m, v in padded.items()}
    mask = torch.arange(13) < torch.tensor([[9], [13]])
    batched = network(beside_longer, mask)
    assert_close(batched.scores[:1, :9], alone.scores, **SAME)
    assert_close(batched.heads["regress"][:1, :9], alone.heads["regress"], **SAME)
    assert torch.isfinite(batched.heads["classify"]).all()


def test_a_row_of_padding_alone_disturbs_nothing():
    network, inputs = make(), rows()
    mask = torch.tensor([[True] * 9, [False] * 9])
    output = network(inputs, mask)
    alone = network({m: v[:1] for m, v in inputs.items()})
    assert_close(output.scores[:1], alone.scores, **SAME)
    assert torch.isfinite(output.heads["classify"]).all()


def test_without_masked_attention_padding_takes_part_as_in_the_authors_code():
    network, inputs = make(mask_attention=False), rows(batch=1)
    mask = torch.arange(9)[None] < 6
    alone = network({m: v[:, :6] for m, v in inputs.items()})
    padded = network(inputs, mask)
    # The recurrence still stops where padding begins ...
    assert_close(padded.streams["face"][:, :6], alone.streams["face"], **SAME)
    # ... but attention goes on, so the length of the padding changes scores.
    assert (padded.scores[:, :6] - alone.scores).abs().max() > 1e-4


def test_the_recurrence_gives_zeros_for_padding_as_under_keras():
    encoder = make(mask_attention=False).encoders["audio"]
    states = encoder.recur(encoder.gru, rows(batch=1)["audio"], torch.arange(9)[None] < 6)
    assert torch.all(states[:, 6:] == 0)
    assert torch.all(states[:, :6] != 0)


def test_a_missing_modality_leaves_the_width_and_everything_finite():
    network, inputs = make(), rows()
    del inputs["lips"]
    output = network(inputs, return_attention=True)
    assert output.fused.shape == (2, 9, 9 * 5)
    assert torch.all(output.streams["lips"] == 0)
    assert torch.all(output.attention["face_from_lips"] == 0)
    assert torch.isfinite(output.heads["classify"]).all()


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_leaving_a_modality_out_is_marking_it_absent_everywhere(attention):
    network, inputs = make(attention=attention), rows()
    absent = network(inputs, present={"lips": torch.zeros(2, 9, dtype=torch.bool)})
    left_out = network({m: v for m, v in inputs.items() if m != "lips"})
    assert_close(absent.heads["classify"], left_out.heads["classify"], **SAME)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_what_an_absent_modality_holds_does_not_matter(attention):
    network, inputs = make(attention=attention), rows()
    present = {"audio": torch.arange(9)[None].expand(2, 9) > 4}
    before = network(inputs, present=present)
    inputs["audio"][:, :5] = 1e6
    assert torch.equal(network(inputs, present=present).heads["classify"], before.heads["classify"])


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_views_of_a_sequence_are_a_batch_of_it_with_modalities_hidden(attention):
    network, inputs = make(attention=attention), {m: v[:1] for m, v in rows().items()}
    is_present = torch.arange(9)[None] > 4
    views = {m: torch.tensor([True, m == "audio", m == "face"]) for m in inputs}
    together = network(inputs, present={"audio": is_present}, views=views)
    alone = network(
        {m: v.expand(3, *v.shape[1:]) for m, v in inputs.items()},
        present={
            m: (is_present if m == "audio" else True) & views[m][:, None].expand(3, 9)
            for m in inputs
        },
    )
    assert_close(together.heads["classify"], alone.heads["classify"], **SAME)
    assert torch.equal(together.present, alone.present)


def test_an_absent_snippet_gets_no_weight_from_any_other():
    present = {"audio": torch.arange(9)[None].expand(2, 9) > 4}
    maps = make()(rows(), present=present, return_attention=True).attention
    assert torch.all(maps["face_from_audio"][..., :5] == 0)
    assert_close(maps["face_from_audio"].sum(dim=-1), torch.ones(2, 9), **SAME)


def test_attention_is_only_returned_when_asked_for():
    assert make()(rows()).attention is None


def test_without_regression_there_are_no_distances():
    assert "regress" not in make(heads=("classify",))(rows()).heads


def test_distances_start_at_about_one_cell_and_are_never_negative():
    network = make()
    assert network.regress.bias.tolist() == [1.0, 1.0]
    assert torch.all(network(rows(batch=8)).heads["regress"] >= 0)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_weight_learns(attention):
    network = make(attention=attention, activation="tanh").train()
    output = network(rows(), torch.arange(9)[None].expand(2, 9) < 7)
    (output.heads["classify"].square().sum() + output.heads["regress"].sum()).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_gradients_stay_finite_where_a_modality_is_absent_everywhere():
    network = make().train()
    network(rows(), present={"audio": torch.zeros(2, 9, dtype=torch.bool)}).heads[
        "classify"
    ].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_the_same_modalities_in_another_order_make_the_same_network():
    shuffled, usual = make(modalities=("lips", "face", "audio")), make()
    assert shuffled.modalities == usual.modalities == ("face", "audio", "lips")


def test_statistics_standardise_what_comes_in():
    network, inputs = make(), rows()
    logits = network(inputs).heads["classify"]
    mean, std = np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.0])
    network.set_statistics({"audio": (mean, std)})
    spread = inputs | {"audio": inputs["audio"] * torch.tensor(std) + torch.tensor(mean)}
    assert_close(
        network({k: v.float() for k, v in spread.items()}).heads["classify"], logits, **SAME
    )
    assert "encoders.audio.mean" in network.state_dict()


def test_a_feature_that_never_varied_is_left_unscaled():
    encoder = Encoder(2, ModelConfig(dims={"audio": 2}))
    encoder.set_statistics([0.0, 1.0], [0.0, 2.0])
    assert encoder.std.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("std", [[1.0, 1.0, 1.0], [1.0, float("nan")]])
def test_statistics_that_do_not_fit_are_refused(std):
    encoder = Encoder(2, ModelConfig(dims={"audio": 2}))
    with pytest.raises(FeatureError, match="std must be 2 finite numbers, one a feature"):
        encoder.set_statistics([0.0, 0.0], std)


def test_weights_start_as_keras_starts_them():
    gru = make(gru_units=32).encoders["face"].gru
    recurrent = gru.weight_hh_l0
    # Orthogonal up to float32 rounding of a QR decomposition.
    assert_close(recurrent.T @ recurrent, torch.eye(32), atol=1e-5, rtol=0.0)
    assert gru.weight_ih_l0.abs().max() <= (6 / (6 + 96)) ** 0.5
    assert torch.all(gru.bias_hh_l0 == 0)


def test_the_paper_preset_is_the_default():
    config = ModelConfig(dims={"audio": 1}, **PRESETS["paper"])
    assert (config.gru_units, config.dense_units, config.activation) == (300, 100, "relu")
    assert {config.dropout_input, config.dropout_gru, config.dropout_dense} == {0.3}


def test_an_unknown_modality_is_refused_by_name():
    with pytest.raises(FeatureError, match="no modality text; it was made for face, audio, lips"):
        make()(rows(modalities=tuple(DIMS)))


def test_features_of_another_width_are_refused():
    inputs = rows() | {"audio": torch.zeros(2, 9, 7)}
    with pytest.raises(FeatureError, match=r"audio: expected .* snippet, 4\).*got \(2, 9, 7\)"):
        make()(inputs)


def test_modalities_of_unequal_length_are_refused():
    inputs = rows() | {"lips": torch.zeros(2, 8, 3)}
    with pytest.raises(FeatureError, match="the same batch and snippets for every modality"):
        make()(inputs)


def test_nothing_at_all_is_refused():
    with pytest.raises(FeatureError, match="give at least one of face, audio, lips"):
        make()({})


def test_a_mask_of_another_shape_or_kind_is_refused():
    with pytest.raises(FeatureError, match=r"mask: .* bool of shape \(2, 9\).*\(2, 8\)"):
        make()(rows(), torch.ones(2, 8, dtype=torch.bool))
    with pytest.raises(FeatureError, match=r"audio: .*torch\.float32"):
        make()(rows(), present={"audio": torch.ones(2, 9)})


def test_padding_in_the_middle_is_refused():
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 4] = False
    with pytest.raises(FeatureError, match="snippet behind padding; put padding last"):
        make()(rows(), mask)


def test_a_modality_without_features_is_refused():
    with pytest.raises(ConfigError, match=r"dims\.audio.*greater than or equal to 1"):
        ModelConfig.read({"dims": {"audio": 0}})


#: One setting for each component that can be left out.
INCOMPLETE = [{"recurrent": False}, {"dense": False}, {"gate": False}, {"residual": False}]


@pytest.mark.parametrize("settings", INCOMPLETE)
@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa"])
def test_a_network_without_a_component_learns_and_is_not_changed_by_padding(settings, attention):
    network = make(attention=attention, **settings)
    inputs = rows()
    padded = {m: torch.cat([values, values[:, :3]], dim=1) for m, values in inputs.items()}
    mask = (torch.arange(12) < 9).expand(2, 12)
    assert_close(network(padded, mask).scores[:, :9], network(inputs).scores, **SAME)
    network(inputs).heads["classify"].sum().backward()
    encoder_weights = [p.grad for p in network.encoders.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in encoder_weights)


def test_without_attention_and_bi_gru_each_snippet_is_scored_by_itself():
    network = make(attention="none", recurrent=False)
    inputs = rows()
    alone = {modality: values[:, 4:5] for modality, values in inputs.items()}
    assert_close(network(inputs).scores[:, 4:5], network(alone).scores, **SAME)


def test_one_modality_without_the_residual_leaves_nothing_to_read():
    with pytest.raises(ConfigError, match="switch residual on"):
        make(modalities=("audio",), residual=False)
