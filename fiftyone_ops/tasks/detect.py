"""Detect fakes in the videos of a dataset, and write the reports as labels.

From Python, without the App::

    from fiftyone_ops.tasks.detect import annotate

    annotate(dataset, checkpoint="my-checkpoint", label_field="forgeries")
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fiftyone import ViewField as F

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.frame_index import Glance
from mmmsba_plugin.plugins import announce, at_false_positive_rate, with_threshold
from mmmsba_plugin.schema import Media, Problem, Provenance, Report

from ..dataset import labels, metadata, reports, runs, store
from ..dataset.appearance import set_appearance
from ..dataset.clock import IndexOrError, look
from ..dataset.labels import VERDICTS, Fields
from ..dataset.samples import Samples, batches, by_id, dataset_of, paths_of, videos_of
from ..settings import DetectSettings
from .base import Counted, Task
from .metadata import offer_copies
from .review.decide import keep_decisions

#: How many videos that failed a summary names.
_NUM_NAMED = 10

#: How long a verdict may wait to be written, in seconds: for whoever watches, and for a machine
#: that is switched off. A write costs some 0.1 s, however few it writes.
_LONGEST_UNWRITTEN_S = 15.0

_CHANGING_RATE = (
    "frames come at a changing rate: frame numbers count stored frames, so players that "
    "count by an average rate may show labels early or late; the seconds are exact"
)


@dataclass(frozen=True, slots=True)
class Progress(Counted):
    """Progress of detection.

    Attributes:
        left_s: How long the rest may take, in seconds.
    """

    left_s: float

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.left_s), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            left = f"{hours} h {minutes} min"
        else:
            left = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        return f"{self.num_done} of {self.total} videos evaluated, {left} left"


@dataclass(slots=True)
class DetectSummary:
    """Summary of detection.

    Attributes:
        label_field: The label field; also the key of the run.
        total: Videos that were chosen.
        skipped: Videos that were left as they were, since they had been evaluated before.
        verdicts: How many videos got each verdict.
        problems: Why the first of those that failed did, by file.
        took_s: How long it took, in seconds.
        num_unplayable: How many of the evaluated files no browser shows as they are.
    """

    label_field: str
    total: int
    skipped: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0
    num_unplayable: int = 0

    def __str__(self) -> str:
        counts = [f"{n} {word}" for word in VERDICTS if (n := self.verdicts[word])]
        skipped = [f"{self.skipped} evaluated before"] if self.skipped else []
        words = ", ".join([*counts, *skipped]) or "nothing to evaluate"
        return f"{words} of {self.total} videos{offer_copies(self.num_unplayable)}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "verdicts": {word: self.verdicts[word] for word in VERDICTS}}


def annotate(
    samples: Samples,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> DetectSummary:
    """Detect fakes in videos, and write the reports as labels.

    The fields are those of :mod:`~fiftyone_ops.dataset.labels`.

    Labels are written in batches, so whoever stops it keeps what was done, and a second call
    goes on from there. A video that cannot be evaluated is marked with the reason, and the rest
    go on.

    Args:
        samples: A dataset or a view of videos.
        on_progress: Called after each video.
        **settings: Those of :class:`~fiftyone_ops.settings.DetectSettings`.

    Raises:
        ConfigError: A setting is unknown, out of bounds or at odds with another.
        CapabilityError: The detector cannot do what a setting asks for.
        TargetError: There are no videos.
        FieldTakenError: The label field is there, and is not ours.
        CheckpointNotFoundError: There are no weights.
        WriteError: The database does not take labels.
    """
    return DetectTask(samples, DetectSettings.read(settings)).run(on_progress)


class DetectionRun:
    """Detector as a run of a dataset: its name in verdicts, and the fields that it needs.

    Args:
        detector: The detector.
        threshold: Threshold that was asked for; the checkpoint's if not given.

    Attributes:
        made_by: Short name of the detector with its weights and settings.
    """

    def __init__(self, detector: Detector, threshold: float | None = None) -> None:
        self._info: dict[str, Any] = dict(detector.info)
        self.made_by = store.made_by({**self._info, "threshold": threshold})

    def begin(self, dataset: Any, fields: Fields, **values: Any) -> None:
        """Declare the fields, and register the run.

        Args:
            dataset: The dataset.
            fields: Fields of the run.
            **values: Further values to keep with the run.

        Raises:
            FieldTakenError: A run of that name is something else.
            WriteError: The database does not take it.
        """
        key = fields.segments
        store.require_ours(dataset, key, method=store.DETECT, fields=())
        store.declare(dataset, fields, modalities=tuple(self._info.get("modalities", ())))
        keep_decisions(dataset, key)
        store.rename_labels(dataset, fields.verdict, labels.FORMER_VERDICTS)
        store.rename_labels(dataset, fields.review, labels.FORMER_LABELS)
        set_appearance(dataset, fields)
        makers = store.makers_of(dataset, fields) | {self.made_by: self._info}
        store.register(dataset, key, method=store.DETECT, label_field=key, makers=makers, **values)


class DetectTask(Task[Progress, DetectSummary]):
    """Detection in videos.

    Args:
        samples: A dataset or a view of videos.
        settings: Detector, threshold, and what is written.
        detector: The detector; the one that the settings name, if not given.

    Raises:
        MmmsbaError: As for :func:`annotate`.
    """

    def __init__(
        self, samples: Samples, settings: DetectSettings, detector: Detector | None = None
    ) -> None:
        videos = videos_of(samples)
        self.settings = settings
        self.fields = Fields(settings.label_field)
        self._dataset = dataset_of(videos)
        key = self.fields.segments
        runs.adopt(self._dataset, self.fields)
        store.require_ours(self._dataset, key, method=store.DETECT, fields=self.fields.predicted)
        detector = detector or load_detector(settings)
        # Segments follow the threshold: a clip is fake exactly if it has one.
        if settings.false_positive_rate is not None:
            detector = at_false_positive_rate(detector, settings.false_positive_rate)
        elif settings.threshold is not None:
            detector = with_threshold(detector, settings.threshold)
        self._detector = detector
        run = DetectionRun(detector, settings.threshold)
        self._made_by = run.made_by
        run.begin(self._dataset, self.fields, settings=settings.model_dump(mode="json"))
        ids, before = videos.values("id"), self._evaluated_before(videos)
        self._ids = [sample_id for sample_id in ids if sample_id not in before]
        self.summary = DetectSummary(key, total=len(ids), skipped=len(ids) - len(self._ids))

    def _evaluated_before(self, videos: Samples) -> frozenset[str]:
        """Return the ids of the videos that are left as they are."""
        if self.settings.existing == "overwrite":
            return frozenset()
        verdict = self.fields.verdict
        with_verdict = videos.exists(verdict)
        if self.settings.existing == "resume":
            succeeded = F(f"{verdict}.label") != "error"
            same_maker = F(f"{verdict}.made_by") == self._made_by
            with_verdict = with_verdict.match(succeeded & same_maker)
        return frozenset(with_verdict.values("id"))

    def steps(self) -> Generator[Progress, None, None]:
        """Detect in the videos, one a step; closed early, it writes what it has."""
        started_s = time.monotonic()
        num_done = 0
        for batch in batches(self._ids, self.settings.batch_size):
            labels_to_write = Batch(self._dataset, self.fields, self.settings)
            paths = paths_of(self._dataset, batch)
            self.summary.num_unplayable += labels_to_write.read_frame_indices(paths)
            try:
                for sample_id in batch:
                    if sample_id in paths:
                        report = self._report(paths[sample_id])
                        labels_to_write.add(sample_id, report, made_by=self._made_by)
                    num_done += 1
                    self.summary.took_s = time.monotonic() - started_s
                    left_s = self.summary.took_s / num_done * (len(self._ids) - num_done)
                    if time.monotonic() - labels_to_write.written_s > _LONGEST_UNWRITTEN_S:
                        labels_to_write.write()
                    yield Progress(num_done, len(self._ids), left_s)
            finally:
                # Also where whoever iterates has enough, or closes the App's tab.
                labels_to_write.write()

    def _report(self, path: str) -> Report:
        """Return the report on a video, whatever its detector raises, and count it."""
        try:
            report = self._detector.detect(path)
        # A third-party detector can raise anything, and the videos behind this one must not be
        # lost for it.
        except Exception as error:  # noqa: BLE001 - see above
            kind = type(error).__name__
            message = str(error) if isinstance(error, MmmsbaError) else f"{kind}: {error}"
            provenance = Provenance(
                package_version=version("mmmsba-plugin"),
                api_version="",
                formula_version=0,
                detector="",
            )
            problem = Problem(kind=kind, message=message)
            media = Media(path=path)
            report = announce(
                Report(status="error", media=media, problem=problem, provenance=provenance)
            )
        self.summary.verdicts[reports.verdict_label(report)] += 1
        if report.problem and len(self.summary.problems) < _NUM_NAMED:
            self.summary.problems[path] = report.problem.message
        return report


def load_detector(settings: DetectSettings) -> Detector:
    """Return the detector that settings name; the same one again for as long as it is the same.

    FiftyOne loads the plugin anew for each request, but not what the plugin imports.

    Raises:
        PluginNotFoundError: There is no detector of that name.
        CheckpointNotFoundError: There are no weights.
    """
    from mmmsba_plugin.weights import checkpoint_folder

    folder = settings.checkpoint
    if settings.detector == "mmms-ba":
        folder = checkpoint_folder(folder)
    weights = None if folder is None else folder / "model.safetensors"
    changed_ns = weights.stat().st_mtime_ns if weights and weights.is_file() else 0
    return _loaded(settings.detector, folder, changed_ns)


@lru_cache(maxsize=1)
def _loaded(name: str, folder: Path | None, changed_ns: int) -> Detector:
    from mmmsba_plugin.plugins import lookup

    del changed_ns
    return lookup("detectors", name).load(folder)


class Batch:
    """Labels of a few videos, until they are written.

    Args:
        dataset: The dataset.
        fields: Where to.
        settings: What to write.

    Attributes:
        written_s: Time of the last write, or of its making, on the monotonic clock, in seconds.
    """

    def __init__(self, dataset: Any, fields: Fields, settings: DetectSettings) -> None:
        self._dataset, self._fields, self._settings = dataset, fields, settings
        self._frame_indices: dict[str, IndexOrError] = {}
        self._columns: dict[str, dict[str, Any]] = {}
        self.written_s = time.monotonic()

    def read_frame_indices(self, paths: Mapping[str, str]) -> int:
        """Read the files' frame indices, and fill the metadata of samples that have none.

        Args:
            paths: The samples' files, by id.

        Returns:
            Number of files that no browser shows as they are.
        """
        self._frame_indices = {sample_id: look(path) for sample_id, path in paths.items()}
        bare = metadata.without_metadata(by_id(self._dataset, paths)).values("id")
        metadata.put(
            self._dataset, paths, {sample_id: self._frame_indices[sample_id] for sample_id in bare}
        )
        metadata.tag(self._dataset, self._frame_indices)
        return sum(metadata.needs_copy(paths[i], index) for i, index in self._frame_indices.items())

    def add(self, sample_id: str, report: Report, *, made_by: str) -> None:
        """Add the labels of a report on a video.

        Args:
            sample_id: The sample.
            report: The report.
            made_by: As for :func:`~fiftyone_ops.dataset.reports.verdict_of`.
        """
        frame_index = self._frame_indices.get(sample_id)
        if isinstance(frame_index, Glance):
            clock = frame_index.from_zero(report.media.zero_s)
        else:
            clock = labels.lone_frame(report.duration_s)
        settings, fields = self._settings, self._fields
        values = {
            fields.segments: reports.segments_of(report, clock),
            # What is not asked for goes, so that nothing of an earlier run stays beside this one.
            fields.opt_outs: reports.opt_outs_of(report, clock) if settings.opt_outs else None,
            fields.curves: reports.curves_of(report.curves, clock) if settings.curves else None,
            fields.proposals: reports.proposals_of(report) if settings.proposals else None,
        }
        if settings.frames and report.curves is not None:
            frame_scores = reports.frame_scores_of(report.curves, clock)
            values[f"frames.{fields.frame_score}"] = frame_scores
        notes = () if clock.is_steady else (_CHANGING_RATE,)
        # The verdict goes last: a video that has one has everything.
        values[fields.verdict] = reports.verdict_of(report, made_by=made_by, notes=notes)
        for name, value in values.items():
            self._columns.setdefault(name, {})[sample_id] = value

    def write(self) -> None:
        """Write the labels that were added."""
        verdicts = self._columns.pop(self._fields.verdict, {})
        columns, self._columns = self._columns, {}
        store.write(self._dataset, {**columns, self._fields.verdict: verdicts})
        self.written_s = time.monotonic()
