"""Export what was predicted or reviewed: reports, clips, or a dataset to train on.

From Python, without the App::

    from fiftyone_ops.tasks.export import export

    export(dataset, folder="dataset", what="lav-df", truth_field="forgeries_reviewed")
"""

import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets import lavdf_metadata
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.files import ensure_dir, writing_to
from mmmsba_plugin.media.frame_index import Glance
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.record import Record
from mmmsba_plugin.report import files
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import s_to_samples

from ..dataset import labels, reports, store
from ..dataset.clock import lazily, look
from ..dataset.labels import Fields, detections
from ..dataset.records import Row, finished, records, rows
from ..dataset.samples import Samples, dataset_of, videos_of
from ..errors import TargetError
from ..settings import ExportSettings
from .base import Counted, Task


@dataclass(slots=True)
class ExportSummary:
    """Summary of an export.

    Attributes:
        folder: Where it lies.
        num_written: Number of files, besides one that lists them.
        failed: Why there is nothing of a video, by its file.
    """

    folder: Path
    num_written: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        failed = f", nothing of {len(self.failed)} videos" if self.failed else ""
        return f"{self.num_written} files written to {self.folder}{failed}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "folder": str(self.folder),
            "written": self.num_written,
            "failed": dict(self.failed),
        }


def export(
    samples: Samples, *, on_progress: Callable[[Counted], None] = lambda _: None, **settings: Any
) -> ExportSummary:
    """Write reports, clips of segments, or a dataset in LAV-DF's layout.

    Args:
        samples: A dataset or a view of videos.
        on_progress: Called after each video.
        **settings: Those of :class:`~fiftyone_ops.settings.ExportSettings`.

    Raises:
        ConfigError: A setting is wrong.
        TargetError: There are no videos, or no labels of the kind.
        PluginNotFoundError: There is no writer of a name.
        OutputError: The folder cannot be written to.
    """
    return ExportTask(samples, ExportSettings.read(settings)).run(on_progress)


class ExportTask(Task[Counted, ExportSummary]):
    """Export of videos.

    Args:
        samples: A dataset or a view of videos.
        settings: What is written, and where to.

    Raises:
        MmmsbaError: As for :func:`export`.
    """

    def __init__(self, samples: Samples, settings: ExportSettings) -> None:
        self._settings = settings
        self._fields = Fields(settings.label_field)
        self._videos = self._labelled(videos_of(samples))
        names = [name.strip() for name in settings.formats.split(",")]
        self._writers = [lookup("writers", name) for name in names if name]
        ensure_dir(settings.folder)
        self.summary = ExportSummary(settings.folder)

    def _labelled(self, videos: Samples) -> Samples:
        """Return the videos of which there is something to write."""
        is_dataset = self._settings.what == "lav-df"
        name = self._settings.truth_field if is_dataset else self._fields.verdict
        dataset = dataset_of(videos)
        if name not in dataset.get_field_schema():
            raise TargetError(
                f"{dataset.name!r} has no field {name!r} to export from; run detect_forgeries or "
                "review first, or name another field"
            )
        labelled = (finished(videos, name) if is_dataset else videos).exists(name)
        if not labelled:
            raise TargetError(
                f"what was chosen of {dataset.name!r} has nothing in {name!r} to export; run "
                "detect_forgeries, or finish some reviews, or choose more videos"
            )
        return labelled

    def steps(self) -> Generator[Counted, None, None]:
        """Write the videos, one a step."""
        write = {"reports": self.reports, "clips": self.clips, "lav-df": self.lavdf}
        total = self._videos.count()
        with writing_to(self._settings.folder):
            for num_done, _ in enumerate(write[self._settings.what](), start=1):
                yield Counted(num_done, total)

    def reports(self) -> Iterator[None]:
        """Write the report on each video, one a step."""
        makers = store.makers_of(dataset_of(self._videos), self._fields)
        media = map(Path, self._videos.values("filepath"))
        paths = files.report_names(media, self._settings.folder)
        for batch in rows(self._videos, reports.report_paths(self._fields)):
            for row in batch:
                report = reports.report_of(row, makers.get(row["verdict"].made_by, {}))
                for writer in self._writers:
                    files.write_report(report, paths[Path(row["filepath"])], writer)
                    self.summary.num_written += 1
                yield

    def clips(self) -> Iterator[None]:
        """Write each segment of each video, one video a step."""
        for batch in rows(self._videos, {"segments": self._fields.segments}):
            for row in batch:
                try:
                    self._cut(row)
                except MmmsbaError as error:
                    self.summary.failed[row["filepath"]] = str(error)
                yield

    def _cut(self, row: Row) -> None:
        from mmmsba_plugin.media.probe import probe
        from mmmsba_plugin.media.transcode import cut

        settings = self._settings
        predicted = detections(row["segments"])
        if not predicted:
            return
        media = probe(row["filepath"], with_hash=False)
        for number, label in enumerate(predicted, start=1):
            clock = lazily(row["filepath"], row["metadata"])
            segment = labels.seconds_of(label, clock)
            end_s = min(segment.end_s + settings.padding_s, media.duration_s or segment.end_s)
            span = Segment(
                max(0.0, segment.start_s - settings.padding_s), max(segment.end_s, end_s)
            )
            name = f"{Path(row['filepath']).stem}-{row['id'][-6:]}-{number}-{label.label}.mp4"
            cut(media, span, settings.folder / name)
            self.summary.num_written += 1

    def lavdf(self) -> Iterator[None]:
        """Write the videos with a ground truth as a dataset in LAV-DF's layout, one a step."""
        folder, entries = self._settings.folder, []
        for record in records(self._videos, self._settings.truth_field):
            file = f"videos/{record.key[-6:]}-{record.media.name}"
            frame_index = look(str(record.media))
            if isinstance(frame_index, Glance):
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                if self._settings.copy_media:
                    shutil.copyfile(record.media, path)
                else:
                    path.symlink_to(record.media.absolute())
                entries.append(_entry(record, frame_index, file))
                self.summary.num_written += 1
            else:
                self.summary.failed[str(record.media)] = str(frame_index)
            yield
        lavdf_metadata.write_json(folder / lavdf_metadata.METADATA, entries)


def _entry(record: Record, frame_index: Glance, file: str) -> lavdf_metadata.Entry:
    ended = record.lasting(frame_index.duration_s)
    # What is not told apart counts as both, as it does in LAV-DF itself.
    audio = ended.truth if ended.audio_truth is None else ended.audio_truth
    visual = ended.truth if ended.visual_truth is None else ended.visual_truth
    return lavdf_metadata.entry(
        file=file,
        split=record.split,
        identity=record.identity_key,
        kind=record.kind or ("fake" if record.fake else "real"),
        duration_s=frame_index.duration_s,
        num_frames=frame_index.num_frames,
        num_audio_samples=s_to_samples(frame_index.duration_s, frame_index.sample_rate_hz or 0),
        original=record.original,
        visual=visual,
        audio=audio,
    )
