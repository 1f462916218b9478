"""The command ``export``."""

import sys

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.model.onnx_network import OnnxNetwork


def test_a_checkpoint_is_exported_and_what_it_lost_is_said(run, checkpoint, tmp_path, wide):
    result = run("export", checkpoint, "-o", tmp_path / "out", "--format", "onnx")
    assert result.exit_code == _exit_codes.OK
    assert "differ from those of the weights by at most" in result.stdout
    assert str(tmp_path / "out" / "model.onnx") in result.stdout
    assert OnnxNetwork.load(tmp_path / "out").config.trained_on == "a talking head"


def test_the_bundled_weights_are_the_default(run, bundled, tmp_path):
    assert run("export", "-o", tmp_path / "it.onnx").exit_code == _exit_codes.OK
    assert OnnxNetwork.load(tmp_path / "it.onnx").config.trained_on == "a talking head"


def test_without_the_extra_nothing_is_written(run, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = run("export", checkpoint, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.STOPPED
    assert "mmmsba-plugin[onnx]" in result.stderr
    assert not (tmp_path / "out").exists()
