"""Adapter for deepfake-workbench (dfwb): probabilities of clips and frames for ``dfwb score``.

The workbench hands over cropped frames, without audio or times, which say nothing of segments. So
the files themselves are read: ``--detector "mmmsba:videos/{dataset}/{key}.mp4"`` says where; there
is ``{compression}`` too. ``py:MODULE:FACTORY`` takes a function that returns a WorkbenchDetector.

Source:
    https://github.com/dfwb-research/deepfake-workbench, 0.1.0b2: contracts C1 and C4, both 1.0.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from mmmsba_plugin.adapters.frames import frame_probs
from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report

if TYPE_CHECKING:
    from dfwb.core.detector import ClipBatch, DetectorOutput
    from dfwb.core.plugins import PluginAPI

DFWB_PLUGIN_API = ">=1.0,<2"


def register(api: "PluginAPI") -> None:
    """Register the source of detectors ``mmmsba``; called by the workbench."""
    api.detector_sources.add("mmmsba", f"{__name__}:WorkbenchDetector", summary="mmms-ba on files")


class WorkbenchDetector:
    """A detector by contract C4, which gives each clip of a video the probability of the video.

    Args:
        pattern: Path of a video, with ``{dataset}``, ``{key}`` or ``{compression}`` in it.
        detector: Any detector; the default of ``mmms-ba`` if not given.
    """

    def __init__(self, pattern: str, detector: Detector | None = None) -> None:
        from dfwb.core.detector import DetectorMeta, InputSpec

        detector = detector or lookup("detectors", "mmms-ba").load(None)
        # The clips of a video come one after the other.
        self._pattern, self._detect = pattern, lru_cache(maxsize=1)(detector.detect)
        name, version = detector.info["name"], detector.info.get("package_version", "unknown")
        # Crops go unused: those of any store of faces will do, and 8 px are the least work.
        spec = InputSpec(crop="face", crop_scale=None, size=(8, 8), frames=16)
        source = f"mmmsba:{pattern}"
        self.meta = DetectorMeta(name, version, (1, 0), spec, "NOASSERTION", None, None, source)
        self.checkpoint_sha256 = detector.info.get("checkpoint_sha256")

    def to(self, _device: object) -> Self:
        """Return this detector, which stays on the device that it was loaded for."""
        return self

    def predict(self, batch: "ClipBatch") -> "DetectorOutput":
        """Return P(fake) of each clip and of its frames; NaN for a frame that has none.

        Raises:
            MediaUnreadableError: A video could not be evaluated; the workbench gives up the batch.
        """
        import torch
        from dfwb.core.detector import DetectorOutput

        reports = list(map(self._report, batch.dataset_ids, batch.keys, batch.compressions))
        frames = list(map(frame_probs, reports, batch.frame_indices.cpu().numpy()))
        return DetectorOutput(
            score=torch.tensor([report.score for report in reports]),
            frame_scores=torch.tensor(np.array(frames), dtype=torch.float32),
        )

    def _report(self, dataset: str, key: str, compression: str | None) -> Report:
        names = {"dataset": dataset, "key": key, "compression": compression or ""}
        report = self._detect(self._pattern.format_map(names))
        if report.score is None:
            raise MediaUnreadableError(report.problem.message if report.problem else key)
        return report
