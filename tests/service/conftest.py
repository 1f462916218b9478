"""Detectors for a service: a quick one, and one that takes as long as a test wants."""

import threading
from pathlib import Path

import pytest

from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
from mmmsba_plugin.run_control import Progress, check

from ..adapters.conftest import clips, detector  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def slow():
    """A detector that does not come to an end until it is let go, or cancelled."""

    class Slow:
        started, let_go = threading.Event(), threading.Event()

        def score(self, path):
            self.started.set()
            while not self.let_go.wait(0.01):
                check(Progress("seconds", 0.4, 1.6))
            return {"face": TimedScores.of_windows([0.1, 0.9], length_s=0.4, hop_s=0.4)}

    waiting = Slow()
    waiting.detector = AdaptedDetector("slow", waiting.score, ("face",))
    yield waiting
    waiting.let_go.set()
