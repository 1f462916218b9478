"""Without FiftyOne, the commands that lead to it say how to come by it."""

import sys

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import app


def test_without_fiftyone_the_command_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    result = CliRunner().invoke(app, ["fiftyone", "install"])
    assert result.exit_code == 4
    assert "pip install 'mmmsba-plugin[fiftyone]'" in result.stderr


def test_without_fiftyone_its_datasets_name_the_extra_and_nothing_is_made(monkeypatch, tmp_path):
    pytest.importorskip("lightning")
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    # Another test may have loaded it while FiftyOne was there.
    for name in [name for name in sys.modules if name.startswith("fiftyone_ops.")]:
        monkeypatch.delitem(sys.modules, name)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["train", "--fiftyone", "reviewed", "-o", str(out)])
    assert result.exit_code == 4
    assert "pip install 'mmmsba-plugin[fiftyone]'" in result.stderr
    assert not out.exists()


def test_the_plugin_comes_by_entry_points_like_any_other():
    entry = plugins.lookup("dataset_readers", "fiftyone")
    assert entry.build.__module__ == "fiftyone_ops.dataset_reader"
    assert entry.recognise is None, "a name is no folder"
    assert " fiftyone " in CliRunner().invoke(app, ["--help"]).output
    for command in ("install", "uninstall", "path"):
        assert command in CliRunner().invoke(app, ["fiftyone", "--help"]).output
