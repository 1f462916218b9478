"""Without FiftyOne, the commands that lead to it say how to come by it."""

import sys

from typer.testing import CliRunner

from mmmsba_plugin.cli import app


def test_without_fiftyone_the_command_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    said = CliRunner().invoke(app, ["fiftyone", "install"])
    assert said.exit_code == 4
    assert "pip install 'mmmsba-plugin[fiftyone]'" in said.stderr
