"""A network runs on what was chosen, and leaves the process as it was."""

import os
import shutil
from contextlib import suppress

import cv2
import pytest
import torch

from mmmsba_plugin.config import ModelConfig, RuntimeConfig
from mmmsba_plugin.errors import CheckpointNotFoundError, ConfigError
from mmmsba_plugin.model.checkpoint import CheckpointConfig, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.export import export_checkpoint
from mmmsba_plugin.model.onnx_network import OnnxNetwork
from mmmsba_plugin.model.runtime import load_network, thread_limit


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders with weights alone, with an export alone, and with both; no test may change them."""
    root = tmp_path_factory.mktemp("folders")
    network = Ensemble.from_configs([ModelConfig(dims={"audio": 3}, gru_units=4, dense_units=4)])
    config = CheckpointConfig(members=network.configs)
    save_checkpoint(root / "weights", network.eval(), config, "# A model\n")
    export_checkpoint(root / "weights", root / "export")
    shutil.copytree(root / "weights", root / "both")
    export_checkpoint(root / "both", root / "both")
    return root


@pytest.mark.parametrize(
    ("name", "runtime", "kind"),
    [
        ("weights", "auto", Ensemble),
        ("weights", "torch", Ensemble),
        ("both", "auto", Ensemble),
        ("both", "onnx", OnnxNetwork),
        ("export", "auto", OnnxNetwork),
        ("export/model.onnx", "auto", OnnxNetwork),
    ],
)
def test_the_runtime_is_the_one_that_was_chosen_or_that_there_is(folders, name, runtime, kind):
    network, config = load_network(folders / name, RuntimeConfig(runtime=runtime))
    assert isinstance(network, kind)
    assert network.dims == {"audio": 3}
    assert config.weights_sha256


def test_weights_that_were_not_exported_are_named_with_the_way_to_do_it(folders):
    with pytest.raises(CheckpointNotFoundError, match="mmmsba export"):
        load_network(folders / "weights", RuntimeConfig(runtime="onnx"))


@pytest.mark.parametrize("device", ["nowhere", "cuda:99", "meta:x"])
def test_a_device_that_is_not_there_is_a_wrong_setting(folders, device):
    with pytest.raises(ConfigError, match=f"device {device}"):
        load_network(folders / "weights", RuntimeConfig(device=device))


def test_an_export_runs_on_the_processor_alone(folders):
    with pytest.raises(ConfigError, match="cpu alone"):
        load_network(folders / "export", RuntimeConfig(device="cuda"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_predicts_too(folders):
    network, _ = load_network(folders / "export", RuntimeConfig())
    inputs = {"audio": torch.zeros(2, 400, 3)}
    present = {"audio": torch.ones(2, 400, dtype=torch.bool)}
    network(inputs, present=present)
    child = os.fork()
    if not child:
        torch.set_num_threads(1)
        with thread_limit(2):
            network(inputs, present=present)
            os._exit(torch.get_num_threads())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_threads_are_put_back_even_behind_an_error():
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        torch.set_num_threads(3)
        cv2.setNumThreads(3)
        with suppress(ZeroDivisionError), thread_limit(2):
            assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)
            raise ZeroDivisionError
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)
        with thread_limit(None):
            assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
