"""The workbench's contract is kept: how it is found, loaded, and scores clips and frames."""

import sys
import tomllib
from dataclasses import make_dataclass
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from mmmsba_plugin.adapters import deepfake_workbench
from mmmsba_plugin.adapters.deepfake_workbench import WorkbenchDetector
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.errors import MediaUnreadableError

from ..tools.markdown import saved_block

ROOT = Path(__file__).resolve().parents[2]

TOOLKIT_PAGE = path_of("toolkit").read_text(encoding="utf-8")

#: Fields of the host's types, contract C4 version 1.0, in order; it is on no package index.
CONTRACT = {
    "InputSpec": "modality crop crop_scale size frames sampling color value_range mean std "
    "preferred_profile",
    "DetectorMeta": "name version contract_version input license weights_license citation source "
    "training_data",
    "DetectorOutput": "score logit frame_scores features",
}


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """The module of the host that detectors import."""
    module = ModuleType("dfwb.core.detector")
    for name, fields in CONTRACT.items():
        typed = [(field, object, None) for field in fields.split()]
        setattr(module, name, make_dataclass(name, typed))
    for name in ("dfwb", "dfwb.core"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "dfwb.core.detector", module)
    return module


def batch_of(*keys: str, frames: list[int]) -> SimpleNamespace:
    """Batch of the host, as far as it is used; crops would be in ``clips``."""
    return SimpleNamespace(
        keys=list(keys),
        dataset_ids=["bars"] * len(keys),
        compressions=[None] * len(keys),
        frame_indices=torch.tensor([frames] * len(keys)),
    )


def test_the_host_finds_the_source_through_its_entry_points():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"]["dfwb.plugins"].items()
    assert EntryPoint(name, value, "dfwb.plugins").load() is deepfake_workbench.register
    added = {}
    sources = SimpleNamespace(add=lambda key, target, *, summary: added.update({key: target}))
    deepfake_workbench.register(SimpleNamespace(detector_sources=sources))
    module, _, name = added["mmmsba"].partition(":")
    assert getattr(import_module(module), name) is WorkbenchDetector
    assert deepfake_workbench.DFWB_PLUGIN_API == ">=1.0,<2"


def test_clips_have_the_probability_of_their_video_and_frames_their_own(detector, clips):
    adapted = WorkbenchDetector(f"{clips}/{{key}}.mp4", detector)
    with torch.inference_mode():
        output = adapted.to(torch.device("cpu")).predict(
            batch_of("fake", "fake", "real", frames=[0, 10, 19, 20, 35])
        )
    scores = [detector.predict(clips / f"{name}.mp4") for name in ("fake", "fake", "real")]
    assert output.score.tolist() == pytest.approx(scores)
    curve = detector.detect(clips / "fake.mp4").curves.score
    # Frames 10 to 19 lie in the windows from 0.4 to 0.8 s; from 1.2 s on nothing was scored.
    real, fake = curve[0], curve[5]
    expected = [real, fake, fake, real, np.nan]
    assert output.frame_scores[0].tolist() == pytest.approx(expected, nan_ok=True)
    assert output.frame_scores.shape == (3, 5)


def test_a_video_is_read_once_for_all_its_clips(detector, clips, monkeypatch):
    read = []
    detect = detector.detect
    monkeypatch.setattr(detector, "detect", lambda path: read.append(path) or detect(path))
    adapted = WorkbenchDetector(f"{clips}/{{key}}.mp4", detector)
    adapted.predict(batch_of("fake", "fake", frames=[0]))
    adapted.predict(batch_of("fake", frames=[1]))
    assert read == [f"{clips}/fake.mp4"]


def test_what_cannot_be_evaluated_is_an_error_to_the_host(detector, clips):
    adapted = WorkbenchDetector(f"{clips}/{{key}}.mp4", detector)
    with pytest.raises(MediaUnreadableError, match=r"missing\.mp4"):
        adapted.predict(batch_of("missing", frames=[0]))


def test_it_says_who_it_is_and_needs_no_certain_crop(detector):
    meta = WorkbenchDetector("videos/{dataset}/{key}.mp4", detector).meta
    assert (meta.name, meta.contract_version) == ("halves", (1, 0))
    assert meta.source == "mmmsba:videos/{dataset}/{key}.mp4"
    assert (meta.input.crop, meta.input.crop_scale) == ("face", None)


def test_the_factory_of_the_page_makes_a_detector(tmp_path, monkeypatch):
    code = saved_block(TOOLKIT_PAGE, "my_workbench.py")
    (tmp_path / "my_workbench.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    detector = import_module("my_workbench").make()
    monkeypatch.delitem(sys.modules, "my_workbench")
    assert detector.meta.name == "mmms-ba"
    assert len(detector.checkpoint_sha256) == 64
