"""An exported network is the network: same scores, any batch, any length."""

import sys

import numpy as np
import onnx
import pytest
import torch

from mmmsba_plugin import weights
from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import CheckpointError, MissingExtraError, OutputError
from mmmsba_plugin.model import export
from mmmsba_plugin.model.checkpoint import CheckpointConfig, load_checkpoint, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.export import export_checkpoint, max_difference, to_onnx
from mmmsba_plugin.model.onnx_network import OnnxNetwork

DIMS = {"face": 5, "audio": 4, "lips": 3}


def ensemble(*changes):
    torch.manual_seed(0)
    sizes = {"dims": DIMS, "gru_units": 6, "dense_units": 5}
    network = Ensemble.from_configs([ModelConfig(**(sizes | change)) for change in changes]).eval()
    for member in network:
        member.set_statistics({"audio": ([1.0, 2.0, 3.0, 4.0], [0.1, 1.0, 2.0, 9.0])})
    return network


def both(network):
    """Return a network and what becomes of it."""
    config = CheckpointConfig(members=network.configs)
    return network, OnnxNetwork(to_onnx(network, config))


def features(dims, batch, num_snippets, *, absent=()):
    generator = torch.Generator().manual_seed(num_snippets)
    inputs = {m: torch.randn(batch, num_snippets, d, generator=generator) for m, d in dims.items()}
    present = {m: torch.rand(batch, num_snippets, generator=generator) < 0.8 for m in dims}
    for modality in absent:
        present[modality][:] = False
    return inputs, present


def outputs(network, inputs, present):
    with torch.inference_mode():
        output = network(inputs, present=present)
    return {"scores": output.scores, "heads": output.heads, "of_segments": output.of_segments}


@pytest.fixture(scope="module")
def bundled():
    return both(load_checkpoint(weights.HERE)[0])


@pytest.mark.parametrize("absent", [(), ("face", "lips"), ("audio",), ("face", "audio", "lips")])
@pytest.mark.parametrize(("batch", "num_snippets"), [(1, 1), (2, 3), (4, 250), (1, 751)])
def test_the_bundled_networks_give_the_same_scores(bundled, batch, num_snippets, absent):
    network, exported = bundled
    inputs = features(network.dims, batch, num_snippets, absent=absent)
    torch.testing.assert_close(
        outputs(exported, *inputs), outputs(network, *inputs), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(
    "changes",
    [
        [{}],
        [{"learns_from": "all"}, {"learns_from": "segments", "input_units": 2, "smoothing": 1.5}],
        [{}, {"learns_from": "segments", "modalities": ("audio",)}],
        [{"attention": "mmus-sa"}],
        [{"attention": "none", "pyramid_levels": 3, "pyramid_window": 2}],
        [{"gate": False, "residual": False}, {"recurrent": False}, {"dense": False}],
        [{"attention": "ms-sa", "activation": "tanh"}],
        [{"attention": "none", "joint_layers": 2}],
        [{"heads": ("classify",)}, {}],
    ],
)
def test_networks_of_every_kind_give_the_same_scores(changes):
    network, exported = both(ensemble(*changes))
    for shape in ((1, 1), (3, 40)):
        inputs = features(DIMS, *shape)
        torch.testing.assert_close(
            outputs(exported, *inputs), outputs(network, *inputs), atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("takes_views", [True, False])
def test_views_of_a_sequence_get_the_same_scores_by_files_of_today_and_before(takes_views):
    network = ensemble({}, {"learns_from": "segments"})
    config = CheckpointConfig(members=network.configs)
    model = onnx.load_from_string(to_onnx(network, config))
    if not takes_views:
        for node in [node for node in model.graph.input if node.name.endswith("_views")]:
            model.graph.input.remove(node)
    exported = OnnxNetwork(model.SerializeToString(), config)
    inputs, present = features(DIMS, 1, 6)
    views = {m: torch.tensor([True, m == "audio", m != "audio"]) for m in DIMS}
    with torch.inference_mode():
        expected, actual = (
            each(inputs, present=present, views=views) for each in (network, exported)
        )
    assert actual.scores.shape == (3, 6)
    torch.testing.assert_close(actual.heads, expected.heads, atol=1e-5, rtol=1e-5)


def test_what_is_absent_may_hold_anything():
    network, exported = both(ensemble({}))
    inputs, present = features(DIMS, 1, 6, absent=["lips"])
    expected = outputs(network, inputs, present)
    inputs["lips"] = torch.full_like(inputs["lips"], torch.nan)
    torch.testing.assert_close(outputs(exported, inputs, present), expected)


def test_the_file_says_what_goes_in_and_what_comes_out():
    network = ensemble({"learns_from": "all"}, {"learns_from": "segments"})
    model = onnx.load_from_string(to_onnx(network, CheckpointConfig(members=network.configs)))
    onnx.checker.check_model(model, full_check=True)

    def shapes(nodes):
        return {
            node.name: [d.dim_param or d.dim_value for d in node.type.tensor_type.shape.dim]
            for node in nodes
        }

    rows, heads = ["batch", "snippet"], ["classify", "regress"]
    assert shapes(model.graph.input) == {
        **{m: [*rows, dim] for m, dim in DIMS.items()},
        **{f"{m}_present": rows for m in DIMS},
        **{f"{m}_views": ["view"] for m in DIMS},
    }
    # These have values of their own, so that they may be left out.
    assert {value.name for value in model.graph.initializer} >= {f"{m}_views" for m in DIMS}
    assert shapes(model.graph.output) == {
        "scores": rows,
        **{head: [*rows, 2] for head in heads},
        **{f"of_segments.{head}": [*rows, 2] for head in heads},
    }


@pytest.fixture
def folder(tmp_path):
    network = ensemble({})
    config = CheckpointConfig(members=network.configs, trained_on="noise")
    save_checkpoint(tmp_path / "trained", network, config, "# A model\n")
    return tmp_path / "trained"


def test_a_folder_gets_configuration_and_card_too(folder, tmp_path):
    out = tmp_path / "out"
    file, difference = export_checkpoint(folder, out)
    assert file == out / "model.onnx"
    assert difference < 1e-5
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "config.json",
        "model.onnx",
    ]
    assert OnnxNetwork.load(out).config.trained_on == "noise"


def test_a_file_is_complete_by_itself(folder, tmp_path):
    export_checkpoint(folder, tmp_path / "alone.onnx")
    assert OnnxNetwork.load(tmp_path / "alone.onnx").config == load_checkpoint(folder)[1]


def test_the_checkpoints_own_folder_keeps_its_files(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    export_checkpoint(folder, folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(after) - set(before) == {"model.onnx"}
    assert before.items() <= after.items()
    load_checkpoint(folder)


def test_where_nothing_can_be_written_that_is_said(folder, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        export_checkpoint(folder, tmp_path / "file" / "out.onnx")


def test_an_export_that_differs_is_not_written(folder, tmp_path, monkeypatch):
    other = ensemble({"attention": "none"})
    monkeypatch.setattr(export, "OnnxNetwork", lambda *_: OnnxNetwork(to_onnx(*_config(other))))
    with pytest.raises(CheckpointError, match="scores that differ by"):
        export_checkpoint(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _config(network):
    return network, CheckpointConfig(members=network.configs)


def test_the_difference_is_that_of_scores():
    network, exported = both(ensemble({}))
    assert 0 <= max_difference(network, exported) < 1e-6
    other = ensemble({"attention": "none"})
    assert np.isfinite(max_difference(other, exported))
    assert max_difference(other, exported) > 1e-3


def test_without_the_extra_it_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin\[onnx\]'"):
        export_checkpoint(folder, tmp_path)
