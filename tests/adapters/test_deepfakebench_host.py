"""Our detector is registered and called in DeepfakeBench's way, with crops of successive frames."""

import sys
from importlib import import_module

import numpy as np
import pytest
import torch

from mmmsba_plugin.adapters.aligned_faces import aligned_faces
from mmmsba_plugin.adapters.deepfakebench_host import ClipDetector
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.timebase import Grid

from ..tools.markdown import saved_block

REGISTRY = """
class Registry(dict):
    def register_module(self, module_name=None):
        return lambda cls: self.setdefault(module_name or cls.__name__, cls)

DETECTOR = Registry()
"""
CONFIG = {
    "model_name": "mmmsba",
    "video_mode": True,
    "fps_hz": 25,
    "mean": [0.5, 0.4, 0.3],
    "std": [0.25, 0.5, 0.2],
}


@pytest.fixture
def config(checkpoint):
    """Settings of DeepfakeBench, with a tiny checkpoint."""
    return {**CONFIG, "checkpoint": str(checkpoint)}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder like DeepfakeBench's with the file of the page in it."""
    folder = tmp_path / "detectors"
    folder.mkdir()
    (folder / "__init__.py").write_text(REGISTRY, encoding="utf-8")
    code = saved_block(path_of("toolkit").read_text(encoding="utf-8"), "mmmsba_detector.py")
    (folder / "mmmsba_detector.py").write_text(code, encoding="utf-8")
    # What is imported, and the folder that is added, are gone after the test.
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    import_module("detectors.mmmsba_detector")
    yield sys.modules["detectors"]
    for name in ("detectors.mmmsba_detector", "detectors"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def crops(talking_clip):
    """Crops of two seconds, each frame, as DeepfakeBench aligns them."""
    faces = aligned_faces(probe(talking_clip), Grid(stride_s=0.04))
    return np.stack([crop for _, crop in faces])[:50]


def batch_of(*clips):
    """Return a batch of DeepfakeBench: normalised images, and labels."""
    images = (np.stack(clips) / 255 - CONFIG["mean"]) / CONFIG["std"]
    image = torch.from_numpy(images.astype(np.float32)).permute(0, 1, 4, 2, 3)
    return {"image": image, "label": torch.zeros(len(clips), dtype=torch.long)}


def test_clips_have_the_scores_of_their_frames(bench, config, crops):
    model = bench.DETECTOR["mmmsba"](config).eval()
    with torch.no_grad():
        answer = model(batch_of(crops, crops[::-1]), inference=True)
    detector = MmmsbaDetector.from_pretrained(config["checkpoint"])
    scores = [detector.detect_frames(iter(c), 25).score for c in (crops, crops[::-1])]
    assert None not in scores
    assert scores[0] != scores[1]
    assert answer["prob"].tolist() == pytest.approx(scores, abs=1e-6)
    assert torch.softmax(answer["cls"], dim=1)[:, 1].tolist() == pytest.approx(scores, abs=1e-6)
    assert answer["feat"].shape == (2, 1)


def test_a_clip_without_a_face_counts_as_unknown_and_is_logged(config, crops, caplog):
    answer = ClipDetector(config)(batch_of(np.zeros_like(crops[:10])), inference=True)
    assert answer["prob"].tolist() == [0.5]
    assert "a clip counts as 0.5: " in caplog.text
    assert "no face" in caplog.text


@pytest.mark.parametrize("missing", ["video_mode", "fps_hz"])
def test_single_frames_and_frames_without_a_rate_are_refused(config, missing):
    with pytest.raises(ConfigError, match="set video_mode: true, and their fps_hz"):
        ClipDetector({**config, missing: None})
