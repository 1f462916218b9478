"""The detector as one of FiftyOne's models, for ``dataset.apply_model``.

FiftyOne decodes a video for its model, whether that looks or not, and needs ffmpeg for it; it
also writes sample by sample. :func:`fiftyone_ops.tasks.detect.annotate` needs neither, and is
faster::

    model = load_model("mmmsba", checkpoint="my-checkpoint")
    dataset.apply_model(model, label_field=model.label_field("forgeries"))
"""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import fiftyone.core.models as fom

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.frame_index import Glance

from .dataset import labels, reports
from .dataset.clock import look
from .dataset.labels import Fields
from .settings import DetectSettings
from .tasks.detect import DetectionRun, load_detector

#: Its name in the zoo.
NAME = "mmmsba"

#: Labels of a video, and attributes of :class:`~fiftyone_ops.dataset.labels.Fields`.
_KEYS = ("segments", "verdict", "opt_outs", "curves", "proposals")


def load_model(
    name: str = NAME, *, checkpoint: str | Path | None = None, detector: str = "mmms-ba"
) -> "FiftyOneModel":
    """Return the detector as a model.

    Args:
        name: ``mmmsba``.
        checkpoint: Folder of trained weights; the default ones if not given.
        detector: Which detector.

    Raises:
        ConfigError: There is no model of that name.
        CheckpointNotFoundError: There are no weights.
    """
    if name != NAME:
        raise ConfigError(f"no model is called {name!r}; there is: {NAME}")
    options = {"checkpoint": checkpoint, "detector": detector}
    settings = DetectSettings.read({k: v for k, v in options.items() if v is not None})
    return FiftyOneModel(load_detector(settings))


class FiftyOneModel(fom.SamplesMixin, fom.Model):
    """Detect fakes in a video by its file, audio and all.

    Args:
        detector: The detector.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self._detector = detector
        self._run = DetectionRun(detector)
        # Not `_fields`, which a mixin of FiftyOne sets to what it is to hand over.
        self._run_fields: Fields | None = None
        self._datasets: set[str] = set()

    def __enter__(self) -> Self:
        if shutil.which("ffprobe") is None:
            raise MissingExtraError(
                "FiftyOne's apply_model reads videos with ffmpeg, which is not installed; install "
                "it, or call fiftyone_ops.tasks.detect.annotate(dataset), which needs none"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to let go of."""

    @property
    def media_type(self) -> str:
        """Media type that it can be applied to."""
        return "video"

    def label_field(self, name: str) -> dict[str, str]:
        """Return the label field by which panels and metrics know its labels as a run's.

        The next labels are registered as a run of that name.
        """
        self._run_fields = Fields(name)
        return {key: getattr(self._run_fields, key) for key in _KEYS}

    def predict(self, arg: Any, sample: Any = None) -> dict[str, Any]:
        """Return the labels of one video by their keys; ``curves`` and ``proposals`` may lack.

        Args:
            arg: What FiftyOne decodes the video with; its path is all that is used of it.
            sample: The sample, whose path goes before.

        Raises:
            FieldTakenError: A run of the name of the label field is somebody else's.
        """
        if sample is not None:
            self._begin(sample.dataset)
        path = arg.inpath if sample is None else sample.filepath
        report = self._detector.detect(path)
        frame_index = look(path)
        clock = (
            frame_index.from_zero(report.media.zero_s)
            if isinstance(frame_index, Glance)
            else labels.lone_frame(report.duration_s)
        )
        values = {
            "segments": reports.segments_of(report, clock),
            "verdict": reports.verdict_of(report, made_by=self._run.made_by),
            "opt_outs": reports.opt_outs_of(report, clock),
            "curves": reports.curves_of(report.curves, clock),
            "proposals": reports.proposals_of(report),
        }
        return {key: value for key, value in values.items() if value is not None}

    def _begin(self, dataset: Any) -> None:
        """Register the labels of a dataset as a run, before the first of them is written."""
        if self._run_fields is None or dataset is None or dataset.name in self._datasets:
            return
        self._datasets.add(dataset.name)
        # Views of clips have a dataset of their own, which goes with them.
        if not dataset._is_generated:  # noqa: SLF001 - no public name tells
            self._run.begin(dataset, self._run_fields)
