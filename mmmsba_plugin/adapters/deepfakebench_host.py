"""Adapter for DeepfakeBench: a detector of clips for its registry, which is handed crops.

Ours looks for changes along time, so it takes clips of successive frames (``video_mode``), and
their rate, which DeepfakeBench does not say. It has no audio there, and is not trained there.

Source:
    https://github.com/SCLBD/DeepfakeBench: ``training/test.py`` makes and calls detectors, and
    ``training/dataset/abstract_dataset.py`` prepares their images.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.structures import Rgb

#: P(fake) of a clip that cannot be evaluated; each is logged.
_UNKNOWN = 0.5

_log = logging.getLogger(__name__)


class ClipDetector(nn.Module):
    """A detector of clips, as DeepfakeBench calls one.

    Args:
        config: Settings of DeepfakeBench, of which ``mean`` and ``std`` are read, with two of ours:
            ``fps_hz``, the frames a second of a clip, and ``checkpoint``, if not the bundled one.

    Raises:
        ConfigError: ``video_mode`` is off, or the rate is missing.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        if not (config.get("video_mode") and config.get("fps_hz")):
            raise ConfigError("it scores successive frames; set video_mode: true, and their fps_hz")
        self._config = config
        self._detector = MmmsbaDetector.from_pretrained(config.get("checkpoint"))

    def forward(
        self,
        data_dict: Mapping[str, Tensor],
        inference: bool = True,  # noqa: FBT001, FBT002 - as there
    ) -> dict[str, Tensor]:
        """Score a batch of clips.

        Args:
            data_dict: ``image``, normalised crops of shape ``(clip, frame, 3, height, width)``.
            inference: Whether it is for evaluation, which makes no difference.

        Returns:
            ``prob``, P(fake) of each clip, shape ``(clip,)``; ``cls``, its log-odds, shape
            ``(clip, 2)``; ``feat``, shape ``(clip, 1)``.
        """
        image = data_dict["image"]
        probs = [self._prob(self._frames(clip)) for clip in image]
        prob = torch.tensor(probs, dtype=torch.float32, device=image.device)
        logit = torch.logit(prob)
        return {"cls": torch.stack([-logit, logit], dim=1) / 2, "prob": prob, "feat": prob[:, None]}

    def _frames(self, clip: Tensor) -> Rgb:
        images = clip.permute(0, 2, 3, 1).cpu().numpy()
        pixels = (images * self._config["std"] + self._config["mean"]) * 255
        frames: Rgb = pixels.round().clip(0, 255).astype(np.uint8)
        return frames

    def _prob(self, frames: Rgb) -> float:
        report = self._detector.detect_frames(iter(frames), self._config["fps_hz"])
        if report.score is not None:
            return report.score
        reasons = {opt_out.reason for m in report.modalities.values() for opt_out in m.opt_outs}
        _log.warning("a clip counts as %s: %s", _UNKNOWN, "; ".join(sorted(reasons)))
        return _UNKNOWN
