"""Fixtures for the tests of all commands."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import app

from ..clips import clip as numbered_clip

WRITER_FILE = """
from mmmsba_plugin.hookspecs import Writer, hookimpl

@hookimpl
def forensics_writers():
    summary = "Mine [bold]alone[/bold]."
    yield Writer(
        name="mine", suffix=".x", summary=summary, write=lambda report, out: out.write("x")
    )
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


@pytest.fixture
def detect(run, checkpoint):
    """Runs ``mmmsba detect`` with the tiny checkpoint, in this process, which is faster."""
    command = ("detect", "--no-isolation", "--checkpoint", checkpoint)
    return lambda *arguments: run(*command, *arguments)


@pytest.fixture
def clip(tmp_path) -> Path:
    """A clip of half a second, to be evaluated by its audio."""
    return numbered_clip(tmp_path / "clip.mp4", duration_s=0.48, click_at_s=0.24)
