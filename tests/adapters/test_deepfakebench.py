"""A detector of DeepfakeBench is called as there, and its scores become segments."""

import sys
from importlib import import_module
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform

from mmmsba_plugin.adapters.aligned_faces import align, aligned_faces
from mmmsba_plugin.adapters.deepfakebench import score_crops, segment_detector
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import apply_affine

from ..clips import clip
from ..tools.markdown import saved_block

#: What of the host is used: a registry that is asked by name, classes that take their settings,
#: load weights, and take a batch by ``data_dict`` and ``inference``. This one finds reddish faces.
HOST = """
import torch

class Registry(dict):
    def register_module(self, module_name=None):
        return lambda cls: self.setdefault(module_name or cls.__name__, cls)

DETECTOR = Registry()

@DETECTOR.register_module(module_name="red")
class RedDetector(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(()))

    def forward(self, data_dict, inference=False):
        assert inference and not self.training
        assert len(data_dict["label"]) == len(data_dict["image"])
        red, green, _ = data_dict["image"].mean(dim=(2, 3)).T
        score = self.gain * (red - green - 0.7)
        cls = torch.stack([-score, score], dim=1)
        return {"cls": cls, "prob": torch.softmax(cls, dim=1)[:, 1], "feat": data_dict["image"]}
"""
CONFIG = {"model_name": "red", "resolution": 224, "mean": [0.5] * 3, "std": [0.25] * 3}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder like DeepfakeBench's, with a detector, its settings and its weights."""
    (tmp_path / "training/detectors").mkdir(parents=True)
    (tmp_path / "training/detectors/__init__.py").write_text(HOST, encoding="utf-8")
    configs = tmp_path / "training/config/detector"
    configs.mkdir(parents=True)
    (configs / "xception.yaml").write_text(str(CONFIG), encoding="utf-8")
    torch.save({"gain": torch.tensor(20.0)}, tmp_path / "xception_best.pth")
    code = saved_block(path_of("toolkit").read_text(encoding="utf-8"), "bench.py")
    (tmp_path / "bench.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    # What is imported, and the folders that it adds, are gone after the test.
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in ("bench", "detectors"):
        sys.modules.pop(name, None)


def reddened(frames):
    for frame in frames:
        rgb = frame.rgb.copy()
        if 1.0 <= frame.pts_s < 2.0:
            rgb[..., 1:] //= 2
        yield Frame(frame.pts_s, rgb)


@pytest.fixture
def red_clip(talking_clip, tmp_path):
    """The talking clip, whose face is red from 1 s to 2 s."""
    path = tmp_path / "red.mp4"
    write_clip(path, reddened(FrameReader(probe(talking_clip))), fps_hz=25)
    return path


def test_the_plug_in_of_the_page_finds_where_a_frame_detector_scores_high(bench, red_clip):
    ((entry,),) = [list(import_module("bench").forensics_detectors())]
    report = entry.load(None).with_threshold(0.9).detect(red_clip)
    assert report.provenance.detector == "red"
    (segment,) = report.segments
    assert (segment.start_s, segment.end_s) == pytest.approx((1.0, 2.0), abs=0.1)
    assert segment.modality == "visual"


def test_a_clip_without_a_face_is_not_scored(tmp_path):
    def model(data, *, inference):
        raise AssertionError("there is nothing to score")

    report = segment_detector(model, CONFIG).detect(clip(tmp_path / "bars.mp4"))
    assert report.status == "abstained"


def test_frames_are_scored_at_the_rate_that_was_asked_for(talking_clip):
    batches = []

    def model(data, *, inference):
        batches.append(len(data["image"]))
        return {"prob": torch.full((batches[-1], 1), 0.5)}

    report = segment_detector(model, CONFIG, max_fps_hz=12.5).detect(talking_clip)
    assert sum(batches) == 38
    assert max(batches) <= 32
    assert set(report.curves.score) == {0.5}


def test_crops_are_resized_scaled_and_normalised_with_the_detectors_settings():
    crop = np.zeros((256, 256, 3), np.uint8)
    crop[..., 0] = 255
    batch = SimpleNamespace()

    def model(data, *, inference):
        batch.__dict__.update(data, inference=inference)
        return {"prob": torch.tensor([0.25, 0.75])}

    assert score_crops(model, [crop, crop], CONFIG) == [0.25, 0.75]
    assert batch.inference
    assert batch.image.shape == (2, 3, 224, 224)
    assert batch.image.dtype == torch.float32
    assert batch.image[0].amax(dim=(1, 2)).tolist() == [2.0, -2.0, -2.0]
    assert batch.label.tolist() == [0, 0]
    assert batch.mask is batch.landmark is None


def test_a_detector_of_clips_of_frames_is_refused():
    with pytest.raises(ConfigError, match="red scores clips of frames"):
        segment_detector(print, {**CONFIG, "video_mode": True, "clip_size": 8})


def test_faces_are_aligned_as_the_host_aligns_them(talking_clip):
    observation = next(follow_main_face(FrameReader(probe(talking_clip))))
    five = observation.face.points[[160, 387, 1, 39, 321]]
    points_px = apply_affine(cv2.invertAffineTransform(observation.face.to_face), five)
    # The host's own arithmetic: five places in 112 px, wider by 1.3.
    places_px = np.array(
        [
            [30.2946, 51.6963],
            [65.5318, 51.5014],
            [48.0252, 71.7366],
            [33.5493, 92.3655],
            [62.7299, 92.2041],
        ]
    )
    places_px[:, 0] += 8
    places_px *= 256 / 112
    places_px = (places_px + 256 * 0.15) * 256 / (256 + 2 * 256 * 0.15)
    fitted = SimilarityTransform.from_estimate(points_px, places_px)
    expected = cv2.warpAffine(observation.frame.rgb, fitted.params[:2], (256, 256))
    difference = np.abs(align(observation.frame.rgb, observation.face).astype(int) - expected)
    assert difference.max() <= 2
    assert np.abs(fitted(points_px) - places_px).max() < 256 / 20


def test_one_crop_is_taken_of_each_cell_of_time(talking_clip):
    cells = [cell for cell, _ in aligned_faces(probe(talking_clip), Grid(stride_s=0.5))]
    assert cells == list(range(6))
