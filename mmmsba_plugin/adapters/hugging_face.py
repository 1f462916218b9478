"""Adapter in the shape of a Hugging Face ``pipeline`` that classifies videos.

A path yields a list of labels, best first; a list of paths, a list of such lists; and any other
iterable, such lists one by one. Transformers itself is not needed.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report

#: Label of a clip that has no probability; its ``reason`` says why.
NOT_EVALUATED = "not evaluated"

Labels = list[dict[str, Any]]


class FakePipeline:
    """A detector that is called as a pipeline.

    Args:
        detector: Any detector; the default of ``mmms-ba`` if not given.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        self._detector = detector or lookup("detectors", "mmms-ba").load(None)

    def __call__(
        self, inputs: str | Path | Iterable[str | Path]
    ) -> Labels | list[Labels] | Iterator[Labels]:
        """Return the labels ``fake`` and ``real`` of a clip, or of several, best first.

        ``score`` is a calibrated probability. The label ``fake`` also holds the fake ``segments``
        and, by modality, the ``opt_outs`` that could not be evaluated, in seconds. A clip without
        a probability has the one label ``not evaluated``, whose ``score`` is None, so that it
        stops no others.
        """
        if isinstance(inputs, str | Path):
            return labels_of(self._detector.detect(inputs))
        labels = map(labels_of, self._detector.detect_many(inputs))
        return list(labels) if isinstance(inputs, list) else labels


def labels_of(report: Report) -> Labels:
    """Convert a report to labels."""
    if report.score is None:
        reason = report.problem.message if report.problem else None
        return [{"label": NOT_EVALUATED, "score": None, "reason": reason}]
    fake: dict[str, Any] = {
        "label": "fake",
        "score": report.score,
        "segments": [segment.model_dump() for segment in report.segments],
        "opt_outs": {
            modality: [span.model_dump() for span in prediction.opt_outs]
            for modality, prediction in report.modalities.items()
        },
    }
    real: dict[str, Any] = {"label": "real", "score": 1.0 - report.score}
    return [fake, real] if report.score >= 1 / 2 else [real, fake]
