"""Measure detection beside a plain per-frame detector, on the same clips in one run.

    python tests/benchmarks/side_by_side.py [CLIP ...]

The plain detector is what most published ones are at inference: each frame is decoded by
OpenCV, the largest face is detected in it, and a ResNet-50 scores the face at 224 x 224; the
clip's score is the mean. Its network is untrained, which costs as much as a trained one, and its
face detector is ours, which is faster than the RetinaFace or MTCNN that such detectors use. It
names no segments and hears nothing.

Both run in this process on one thread, each once more than is counted, so that neither pays for
loading. Without clips, a portrait that talks for a minute at 640 x 360 is drawn.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from stages import MINUTE_S, make_clip
from transformers import ResNetConfig, ResNetForImageClassification

from mmmsba_plugin import Detector
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.tracks.detect import FaceDetector

_BATCH = 16
_FACE_PX = 224


class PlainDetector:
    """A face detector and a ResNet-50 over every frame."""

    def __init__(self) -> None:
        self._find = FaceDetector()
        self._network = ResNetForImageClassification(ResNetConfig(num_labels=2)).eval()

    def detect(self, clip: Path) -> float:
        """Return the mean score of a clip's faces."""
        scores: list[float] = []
        faces: list[np.ndarray] = []
        capture = cv2.VideoCapture(str(clip))
        while (frame := capture.read())[0]:
            rgb = cv2.cvtColor(frame[1], cv2.COLOR_BGR2RGB)
            for face in self._find(rgb)[:1]:
                left, top, right, bottom = face.box_xyxy_px.clip(0).astype(int)
                crop = rgb[top : bottom + 1, left : right + 1]
                faces.append(cv2.resize(crop, (_FACE_PX, _FACE_PX)))
            if len(faces) == _BATCH:
                scores += self._scores(faces)
        return float(np.mean(scores + self._scores(faces)))

    @torch.inference_mode()
    def _scores(self, faces: list[np.ndarray]) -> list[float]:
        if not faces:
            return []
        images = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2) / 255
        faces.clear()
        scores: list[float] = self._network(images).logits.softmax(dim=1)[:, 1].tolist()
        return scores


def cost_s(detect: Callable[[Path], object], clips: list[Path]) -> float:
    """Measure the processor time that a minute of the clips takes, in seconds."""
    minutes = sum(probe(clip, with_hash=False).duration_s or 0.0 for clip in clips) / MINUTE_S
    detect(clips[0])
    began_s = time.process_time()
    for clip in clips:
        detect(clip)
    return (time.process_time() - began_s) / minutes


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="*", help="Clips instead of the drawn portrait.")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        clips = parser.parse_args().clips or [make_clip(Path(folder) / "clip.mp4", fps_hz=25)]
        plain_s = cost_s(PlainDetector().detect, clips)
        ours_s = cost_s(Detector.from_pretrained().detect, clips)
    table = Table("detector", "CPU-s a minute", "ratio")
    table.add_row("ResNet-50 on each frame's face", f"{plain_s:.1f}", "1.00")
    table.add_row("bundled weights", f"{ours_s:.1f}", f"{ours_s / plain_s:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
