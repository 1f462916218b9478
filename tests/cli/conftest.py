"""Fixtures for the tests of all commands."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import app

WRITER_FILE = """
from mmmsba_plugin.hookspecs import Writer, hookimpl

@hookimpl
def forensics_writers():
    yield Writer("mine", ".x", "Mine [bold]alone[/bold].", lambda report, out: out.write("x"))
"""


@pytest.fixture(autouse=True)
def _fresh_plugins():
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def wide(monkeypatch):
    """A terminal that breaks no line."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def cached_features(monkeypatch, feature_cache):
    """The cache of features that the tests share, for the commands as well."""
    monkeypatch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))


@pytest.fixture
def run():
    """Runs a command line."""
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def plugin_file(tmp_path) -> Path:
    """A plug-in with a writer."""
    path = tmp_path / "mine.py"
    path.write_text(WRITER_FILE)
    return path
