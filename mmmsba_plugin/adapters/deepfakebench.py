"""Adapter for DeepfakeBench: its detectors of single frames become detectors of segments.

Faces are found, followed and aligned here, and scores become segments, thresholds and reports, as
those of any detector do (:mod:`mmmsba_plugin.adapter`). The other way round is
:mod:`mmmsba_plugin.adapters.deepfakebench_host`.

Source:
    https://github.com/SCLBD/DeepfakeBench: ``training/test.py`` loads and calls detectors, and
    ``training/dataset/abstract_dataset.py`` prepares their images.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
from mmmsba_plugin.adapters.aligned_faces import aligned_faces
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import USUAL_FPS_HZ, Grid, frames_to_s

if TYPE_CHECKING:
    from torch import Tensor

_BATCH_SIZE = 32

Model = Callable[..., "Mapping[str, Tensor]"]


def segment_detector(
    model: Model, config: Mapping[str, Any], *, max_fps_hz: float = 5.0, device: str = "cpu"
) -> AdaptedDetector:
    """Make a detector of segments out of a detector of frames.

    Args:
        model: A detector of DeepfakeBench with its weights, in evaluation mode.
        config: Its YAML file; ``model_name``, ``resolution``, ``mean`` and ``std`` are read.
        max_fps_hz: Frames a second that are scored, at most.
        device: PyTorch's name of the device that the model is on.

    Raises:
        ConfigError: It scores clips of several frames.
    """
    if config.get("video_mode"):
        raise ConfigError(f"{config['model_name']} scores clips of frames; choose one of frames")

    def score(path: Path) -> dict[str, TimedScores]:
        media = probe(path)
        fps_hz = (media.video.fps_hz if media.video else None) or USUAL_FPS_HZ
        grid = Grid(stride_s=frames_to_s(1, min(fps_hz, max_fps_hz)))
        faces, spans, probs = aligned_faces(media, grid), list[tuple[float, float]](), list[float]()
        while batch := list(islice(faces, _BATCH_SIZE)):
            cells, crops = zip(*batch, strict=True)
            spans += map(grid.cell, cells)
            probs += score_crops(model, crops, config, device=device)
        return {"face": TimedScores(np.array(spans), np.array(probs))}

    return AdaptedDetector(config["model_name"], score, ("face",))


def score_crops(
    model: Model, crops: Sequence[Rgb], config: Mapping[str, Any], *, device: str = "cpu"
) -> list[float]:
    """Return P(fake) of crops, handed to a detector as DeepfakeBench does it."""
    import cv2
    import torch

    size_px = (config["resolution"], config["resolution"])
    resized = [cv2.resize(crop, size_px, interpolation=cv2.INTER_CUBIC) for crop in crops]
    images = (np.stack(resized) / 255 - config["mean"]) / config["std"]
    image = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2).to(device)
    # Some detectors count how often they are right, for which there must be labels.
    label = torch.zeros(len(crops), dtype=torch.long, device=device)
    data = {"image": image, "label": label, "mask": None, "landmark": None}
    with torch.no_grad():
        return list(model(data, inference=True)["prob"].flatten().tolist())
