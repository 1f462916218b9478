"""Detect fakes in the videos of a dataset, and write the reports as labels.

From Python, without the App::

    from fiftyone_ops.tasks.detect import annotate

    annotate(dataset, checkpoint="my-checkpoint", label_field="forgeries")
"""

import time
from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fiftyone import ViewField as F

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.frame_index import Glance
from mmmsba_plugin.plugins import at_false_positive_rate, with_threshold
from mmmsba_plugin.schema import Media, Problem, Provenance, Report
from mmmsba_plugin.timebase import FrameClock

from .. import labels, store
from ..labels import Fields
from ..progress import Progress, Summary
from ..samples import Samples, batches, by_id, dataset_of, videos_of
from ..settings import DetectSettings
from ..store import declare, write
from . import metadata

#: How many videos that failed a summary names.
_NUM_NAMED = 10

#: How long a verdict may wait to be written, in seconds: for whoever watches, and for a machine
#: that is switched off. A write costs some 0.1 s, however few it writes.
_LONGEST_UNWRITTEN_S = 15.0


def annotate(
    samples: Samples,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> Summary:
    """Judge videos and write what is said about them; see :mod:`.labels` for the fields.

    Labels are written in batches, so whoever stops it keeps what was done, and a second call
    goes on from there. A video that cannot be evaluated is marked with the reason, and the rest
    go on.

    Args:
        samples: A dataset or a view of videos.
        on_progress: Called after each video.
        **settings: Those of :class:`~fiftyone_ops.settings.DetectSettings`.

    Raises:
        ConfigError: A setting is unknown, out of bounds or at odds with another.
        TargetError: There are no videos.
        FieldTakenError: The label field is there, and is not ours.
        CheckpointNotFoundError: There are no weights.
        WriteError: The database does not take labels.
    """
    run = Annotation(samples, DetectSettings.read(settings))
    for progress in run.steps():
        on_progress(progress)
    return run.summary


class Annotation:
    """One run over videos. All that can fail for all of them fails as it is made.

    Args:
        samples: A dataset or a view of videos.
        settings: How they are evaluated, and what is written.
        detector: Who judges them; the one that the settings name, if not given.

    Attributes:
        summary: What was done so far.

    Raises:
        MmmsbaError: As for :func:`annotate`.
    """

    def __init__(
        self, samples: Samples, settings: DetectSettings, *, detector: Detector | None = None
    ) -> None:
        videos = videos_of(samples)
        self.settings = settings
        self.fields = Fields(settings.label_field)
        self._dataset = dataset_of(videos)
        key = self.fields.segments
        store.require_ours(self._dataset, key, method=store.DETECT, fields=self.fields.predicted)
        self._detector = _with_settings(detector or load_detector(settings), settings)
        info = dict(self._detector.info)
        self._made_by = store.made_by({**info, "threshold": settings.threshold})
        declare(self._dataset, self.fields, modalities=tuple(info.get("modalities", ())))
        makers = store.makers_of(self._dataset, self.fields) | {self._made_by: info}
        store.register(
            self._dataset,
            key,
            method=store.DETECT,
            label_field=key,
            makers=makers,
            settings=settings.model_dump(mode="json"),
        )
        ids = videos.values("id")
        before = self._evaluated_before(videos)
        self._ids = [sample_id for sample_id in ids if sample_id not in before]
        self.summary = Summary(key, total=len(ids), skipped=len(ids) - len(self._ids))

    def steps(self) -> Generator[Progress, None, None]:
        """Detect in the videos, one a step; closed early, it writes what it has."""
        started_s = time.monotonic()
        num_done = 0
        for batch in batches(self._ids, self.settings.batch_size):
            labels_to_write = Batch(self._dataset, self.fields, self.settings)
            paths = metadata.paths_of(self._dataset, batch)
            labels_to_write.look_at(paths)
            try:
                for sample_id in batch:
                    if sample_id in paths:
                        self._evaluate(sample_id, paths[sample_id], labels_to_write)
                    num_done += 1
                    self.summary.took_s = time.monotonic() - started_s
                    left_s = self.summary.took_s / num_done * (len(self._ids) - num_done)
                    if time.monotonic() - labels_to_write.written_s > _LONGEST_UNWRITTEN_S:
                        labels_to_write.write()
                    yield Progress(num_done, len(self._ids), left_s)
            finally:
                # Also where whoever iterates has enough, or closes the App's tab.
                labels_to_write.write()

    def _evaluate(self, sample_id: str, path: str, into: "Batch") -> None:
        report = self._report(path)
        into.add(sample_id, report, made_by=self._made_by)
        verdict = into.verdict_of(sample_id)
        self.summary.verdicts[verdict] += 1
        if report.problem and len(self.summary.problems) < _NUM_NAMED:
            self.summary.problems[path] = report.problem.message

    def _report(self, path: str) -> Report:
        try:
            return self._detector.detect(path)
        # A stranger's detector can raise anything, and the videos behind this one must not be
        # lost for it.
        except Exception as error:  # noqa: BLE001 - see above
            return _failed(path, error)

    def _evaluated_before(self, videos: Samples) -> frozenset[str]:
        """Return the videos that are left as they are."""
        if self.settings.existing == "overwrite":
            return frozenset()
        verdict = self.fields.verdict
        with_verdict = videos.exists(verdict)
        if self.settings.existing == "resume":
            well = F(f"{verdict}.label") != "error"
            with_verdict = with_verdict.match(well & (F(f"{verdict}.made_by") == self._made_by))
        return frozenset(with_verdict.values("id"))


def load_detector(settings: DetectSettings) -> Detector:
    """Return the detector that settings name; the same one again for as long as it is the same.

    FiftyOne loads the plugin anew for each request, but not what the plugin imports.

    Raises:
        PluginNotFoundError: There is no detector of that name.
        CheckpointNotFoundError: There are no weights.
    """
    from mmmsba_plugin.detector import checkpoint_folder

    folder = settings.checkpoint
    if folder is None and settings.detector == "mmms-ba":
        folder = checkpoint_folder(None)
    return _loaded(settings.detector, folder, _changed_ns(folder))


@lru_cache(maxsize=1)
def _loaded(name: str, folder: Path | None, changed_ns: int) -> Detector:
    from mmmsba_plugin.plugins import lookup

    del changed_ns
    return lookup("detectors", name).load(folder)


def _changed_ns(folder: Path | None) -> int:
    weights = None if folder is None else folder / "model.safetensors"
    return weights.stat().st_mtime_ns if weights is not None and weights.is_file() else 0


def _with_settings(detector: Detector, settings: DetectSettings) -> Detector:
    """Return the detector with the threshold that settings ask for; segments follow it."""
    if settings.false_positive_rate is not None:
        return at_false_positive_rate(detector, settings.false_positive_rate)
    if settings.threshold is not None:
        return with_threshold(detector, settings.threshold)
    return detector


def _failed(path: str, error: Exception) -> Report:
    message = str(error) if isinstance(error, MmmsbaError) else f"{type(error).__name__}: {error}"
    return Report(
        status="error",
        media=Media(path=path),
        problem=Problem(kind=type(error).__name__, message=message),
        provenance=Provenance(
            package_version=version("mmmsba-plugin"), api_version="", formula_version=0, detector=""
        ),
    )


_UNSTEADY = (
    "frames come at a changing rate: frame numbers count stored frames, so players that "
    "count by an average rate may show labels early or late; the seconds are exact"
)


class Batch:
    """Labels of a few videos, until they are written.

    Args:
        dataset: The dataset.
        fields: Where to.
        settings: What to write.

    Attributes:
        written_s: When it was written last, or begun, on the monotonic clock, in seconds.
    """

    def __init__(self, dataset: Any, fields: Fields, settings: DetectSettings) -> None:
        self._dataset, self._fields, self._settings = dataset, fields, settings
        self._frame_indices: dict[str, metadata.IndexOrError] = {}
        self._columns: dict[str, dict[str, Any]] = {}
        self.written_s = time.monotonic()

    def look_at(self, paths: Mapping[str, str]) -> None:
        """Look at the files, and fill the metadata of those that have none."""
        self._frame_indices = {sample_id: metadata.look(path) for sample_id, path in paths.items()}
        bare = metadata.without_metadata(by_id(self._dataset, paths)).values("id")
        metadata.put(
            self._dataset, paths, {sample_id: self._frame_indices[sample_id] for sample_id in bare}
        )

    def add(self, sample_id: str, report: Report, *, made_by: str) -> None:
        """Take in what is said about a video."""
        clock = self._clock(sample_id, report)
        verdict = labels.verdict_of(report, made_by=made_by, notes=_notes(clock))
        settings, fields = self._settings, self._fields
        values = {
            fields.segments: labels.segments_of(report, clock),
            # What is not asked for goes, so that nothing of an earlier run stays beside this one.
            fields.opt_outs: labels.opt_outs_of(report, clock) if settings.opt_outs else None,
            fields.curves: labels.curves_of(report.curves) if settings.curves else None,
            fields.proposals: labels.proposals_of(report) if settings.proposals else None,
        }
        if settings.frames and report.curves is not None:
            values[f"frames.{fields.frame_score}"] = labels.frame_scores_of(report.curves, clock)
        # The verdict goes last: a video that has one has everything.
        for name, value in {**values, fields.verdict: verdict}.items():
            self._columns.setdefault(name, {})[sample_id] = value

    def verdict_of(self, sample_id: str) -> str:
        """Return in a word what was said about a video."""
        word: str = self._columns[self._fields.verdict][sample_id].label
        return word

    def write(self) -> None:
        """Write what was taken in."""
        verdicts = self._columns.pop(self._fields.verdict, {})
        columns, self._columns = self._columns, {}
        write(self._dataset, {**columns, self._fields.verdict: verdicts})
        self.written_s = time.monotonic()

    def _clock(self, sample_id: str, report: Report) -> FrameClock:
        frame_index = self._frame_indices.get(sample_id)
        if isinstance(frame_index, Glance):
            return frame_index.from_zero(report.media.zero_s)
        return labels.lone_frame(report.duration_s)


def _notes(clock: FrameClock) -> tuple[str, ...]:
    return () if clock.is_steady else (_UNSTEADY,)
