"""An ONNX file is a checkpoint: what is not ours is refused politely."""

import sys

import onnx
import pytest
import torch

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import CheckpointError, CheckpointNotFoundError, MissingExtraError
from mmmsba_plugin.model.checkpoint import CheckpointConfig, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.export import export_checkpoint
from mmmsba_plugin.model.onnx_network import METADATA, OnnxNetwork


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folder of an exported network, which no test may change."""
    folder = tmp_path_factory.mktemp("exported")
    torch.manual_seed(0)
    network = Ensemble.from_configs([ModelConfig(dims={"audio": 3}, gru_units=4, dense_units=4)])
    config = CheckpointConfig(members=network.configs)
    save_checkpoint(folder / "trained", network.eval(), config, "# A model\n")
    export_checkpoint(folder / "trained", folder / "out")
    return folder / "out"


@pytest.fixture
def model(exported):
    return onnx.load(exported / "model.onnx")


def write(model, path):
    path.write_bytes(model.SerializeToString())
    return path


def test_it_predicts_as_a_network_does(exported):
    network = OnnxNetwork.load(exported).eval()
    inputs = {"audio": torch.zeros(2, 5, 3)}
    output = network(inputs, present={"audio": torch.ones(2, 5, dtype=torch.bool)})
    assert output.scores.shape == (2, 5)
    assert {name: tuple(head.shape) for name, head in output.heads.items()} == {
        "classify": (2, 5, 2),
        "regress": (2, 5, 2),
    }
    assert output.of_segments is None
    assert (network.dims, network.device.type) == ({"audio": 3}, "cpu")


def test_a_file_that_is_not_there_is_named_with_the_way_to_get_it(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="mmmsba export"):
        OnnxNetwork.load(tmp_path)
    with pytest.raises(CheckpointNotFoundError, match=r"gone\.onnx is not there"):
        OnnxNetwork.load(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x08\x09" * 50])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"odd\.onnx"):
        OnnxNetwork.load(path)


def test_a_truncated_file_is_refused(exported, tmp_path):
    content = (exported / "model.onnx").read_bytes()
    for share in (0.1, 0.5, 0.9):
        path = tmp_path / "cut.onnx"
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(CheckpointError, match=r"cut\.onnx"):
            OnnxNetwork.load(path)


def test_a_network_of_others_is_refused(model, tmp_path):
    del model.metadata_props[:]
    with pytest.raises(CheckpointError, match="not written by `mmmsba export`"):
        OnnxNetwork.load(write(model, tmp_path / "others.onnx"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not a JSON object"), ("[" * 100_000, "nested"), ('{"format_version": 99}', "99")],
)
def test_odd_metadata_are_refused(model, tmp_path, text, message):
    onnx.helper.set_model_props(model, {METADATA: text})
    with pytest.raises(CheckpointError, match=message):
        OnnxNetwork.load(write(model, tmp_path / "odd.onnx"))


def test_a_configuration_of_another_network_is_refused(model, tmp_path):
    members = [ModelConfig(dims={"audio": 3, "face": 2})]
    config = CheckpointConfig(members=members)
    onnx.helper.set_model_props(model, {METADATA: config.model_dump_json()})
    with pytest.raises(CheckpointError, match="does not take"):
        OnnxNetwork.load(write(model, tmp_path / "other.onnx"))


def test_weights_that_changed_since_the_export_are_noticed(exported, model, tmp_path):
    write(model, tmp_path / "model.onnx")
    text = (exported / "config.json").read_text().replace('"gru_units": 4', '"gru_units": 5')
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match="exported from other weights"):
        OnnxNetwork.load(tmp_path)


def test_no_other_file_is_opened(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    onnx.save_model(
        model, tmp_path / "model.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    with pytest.raises(CheckpointError, match="in other files"):
        OnnxNetwork.load(tmp_path / "model.onnx")


def test_without_the_extra_it_is_named(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin\[onnx\]'"):
        OnnxNetwork.load(exported)
