"""Adapter in the shape of a scikit-learn classifier, whose samples are paths of clips.

Needs scikit-learn, which nothing else here does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Detector

Paths = Sequence[str | Path]


class ClipClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # it is untyped
    """A detector as a classifier that is trained already: 0 is real, 1 is fake.

    The classes are numbers, since scikit-learn takes the last word in order of the alphabet for
    the positive class, which would be "real".

    Args:
        detector: Name of a detector.
        checkpoint: Folder that it is loaded from; its default if not given.
    """

    classes_: ClassVar[NDArray[np.int64]] = np.array([0, 1])

    def __init__(self, detector: str = "mmms-ba", checkpoint: str | Path | None = None) -> None:
        self.detector = detector
        self.checkpoint = checkpoint

    def fit(self, paths: object = None, labels: object = None) -> Self:
        """Load the detector; nothing is learned from what is given."""
        del paths, labels
        folder = None if self.checkpoint is None else Path(self.checkpoint)
        self.detector_: Detector = lookup("detectors", self.detector).load(folder)
        self._loaded = self.get_params()
        return self

    def predict_proba(self, paths: Paths) -> NDArray[np.float64]:
        """Return P(real) and P(fake) of each clip, shape ``(clip, 2)``; NaN if not evaluated."""
        scores = [report.score for report in self._reports(paths)]
        fake = np.array(scores, dtype=np.float64)  # None becomes NaN
        return np.stack([1.0 - fake, fake], axis=1)

    def predict(self, paths: Paths) -> NDArray[np.int64]:
        """Return 1 for each clip whose probability reaches the detector's threshold, else 0.

        Raises:
            MediaUnreadableError: A clip could not be evaluated, or the detector has no threshold.
        """
        return np.array([_label(report) for report in self._reports(paths)], dtype=np.int64)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _reports(self, paths: Paths) -> list[Report]:
        if getattr(self, "_loaded", None) != self.get_params():
            self.fit()
        return list(self.detector_.detect_many(paths))


def _label(report: Report) -> int:
    if report.fake is None:
        reason = report.problem.message if report.problem else "the detector has no threshold"
        raise MediaUnreadableError(
            f"no label for {report.media.path}: {reason}; leave it out (predict_proba gives NaN)"
        )
    return int(report.fake)
