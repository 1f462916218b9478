"""Deepsafe-bench loads the file of its adapter, and scores clips with it."""

import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmmsba_plugin.adapters import deepsafe
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.errors import MediaUnreadableError

from ..tools.markdown import saved_block

TOOLKIT_PAGE = path_of("toolkit").read_text(encoding="utf-8")

#: Fails instead of skipping where this names ``deepsafe``, as in its tox environment.
REQUIRED = "deepsafe" in os.environ.get("MMMSBA_REQUIRE", "").split(",")


@pytest.fixture
def host():
    """Deepsafe-bench itself, whose licence is for noncommercial use only."""
    if not REQUIRED and find_spec("deepsafe") is None:
        pytest.skip("deepsafe-bench is not installed; tox -e toolkits installs it")
    import deepsafe.detectors
    import deepsafe.evaluate

    return deepsafe


@pytest.fixture
def default(monkeypatch, detector):
    """The quick detector in the place of the default one."""
    deepsafe._default.cache_clear()
    entry = SimpleNamespace(load=lambda checkpoint: detector)
    monkeypatch.setattr(deepsafe, "lookup", lambda kind, name: entry)
    yield detector
    deepsafe._default.cache_clear()


def test_a_clip_has_one_probability_by_class_and_by_function(detector, default, clips):
    in_class = deepsafe.Detector().predict(clips / "fake.mp4")
    assert in_class == deepsafe.predict(clips / "fake.mp4") == detector.predict(clips / "fake.mp4")


def test_what_cannot_be_evaluated_raises(default, clips):
    with pytest.raises(MediaUnreadableError):
        deepsafe.predict(clips / "dark.mp4")


def test_the_host_finds_the_function_in_our_file(host):
    predict = host.detectors.load_detector(Path(deepsafe.__file__))
    assert predict.__name__ == "predict"


def test_the_host_loads_the_file_of_the_page(host, tmp_path):
    path = tmp_path / "whole_clip.py"
    path.write_text(saved_block(TOOLKIT_PAGE, path.name), encoding="utf-8")
    assert host.detectors.load_detector(path) is deepsafe.predict


def test_the_host_measures_a_detector_and_counts_what_it_cannot_evaluate(
    host, tmp_path, detector, clips
):
    adapted = deepsafe.Detector(detector)
    assert isinstance(adapted, host.detectors.Detector)
    folder, rows = tmp_path / "master_eval_small", []
    folder.mkdir()
    for name in ("fake", "real", "dark"):
        shutil.copy(clips / f"{name}.mp4", folder)
        label = "fake" if name == "fake" else "real"
        rows.append(
            {"path": f"{name}.mp4", "label": label, "generator": "bars", "modality": "video"}
        )
    (folder / "metadata.json").write_text(json.dumps(rows), encoding="utf-8")

    card = host.evaluate.evaluate_detector(
        adapted.predict, name="mine", tier="small", root=tmp_path
    )
    assert (card.n_samples, card.auc, card.recall, card.fpr) == (3, 1.0, 1.0, 0.0)
    assert card.detector == "mine (1 sample(s) raised, counted as misses)"
