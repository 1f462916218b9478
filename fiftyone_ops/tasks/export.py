"""Brings out of a dataset what was found or decided: reports, clips, or a dataset to train on.

From Python, without the App::

    from fiftyone_ops.tasks.export import export

    export(dataset, folder="dataset", what="lav-df", truth_field="forgeries_reviewed")
"""

import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets import lavdf_metadata
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.files import ensure_dir, writing_to
from mmmsba_plugin.hookspecs import Writer
from mmmsba_plugin.media.frame_index import Glance
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.record import Record
from mmmsba_plugin.report import files
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import s_to_samples

from .. import labels, store
from ..errors import TargetError
from ..labels import Fields
from ..progress import Counted
from ..records import Row, detections, records, rows
from ..samples import Samples, dataset_of, videos_of
from ..settings import ExportSettings
from . import metadata
from .metadata import lazily
from .review import finished


@dataclass(slots=True)
class Exported:
    """Summary of an export.

    Attributes:
        folder: Where it lies.
        num_written: How many files, besides one that lists them.
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
) -> Exported:
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
    run = Export(samples, ExportSettings.read(settings))
    for progress in run.steps():
        on_progress(progress)
    return run.summary


class Export:
    """One run over videos. All that can fail for all of them fails as it is made.

    Args:
        samples: A dataset or a view of videos.
        settings: What is written, and where to.

    Attributes:
        summary: What was done so far.

    Raises:
        MmmsbaError: As for :func:`export`.
    """

    def __init__(self, samples: Samples, settings: ExportSettings) -> None:
        self._settings = settings
        self._videos = _labelled_samples(videos_of(samples), settings)
        _writers_of(settings)
        ensure_dir(settings.folder)
        self.summary = Exported(settings.folder)

    def steps(self) -> Generator[Counted, None, None]:
        """Write what there is of the videos, one a step."""
        videos, settings = self._videos, self._settings
        total = videos.count()
        with writing_to(settings.folder):
            for num_done, _ in enumerate(
                _EXPORTS[settings.what](videos, settings, self.summary), start=1
            ):
                yield Counted(num_done, total)


def _labelled_samples(videos: Samples, settings: ExportSettings) -> Samples:
    """Return the videos of which there is something to write."""
    name = (
        settings.truth_field if settings.what == "lav-df" else Fields(settings.label_field).verdict
    )
    dataset = dataset_of(videos)
    if name not in dataset.get_field_schema():
        raise TargetError(
            f"{dataset.name!r} has no field {name!r} to export from; run detect_forgeries or "
            "review first, or name another field"
        )
    labelled = (
        finished(videos, name).exists(name) if settings.what == "lav-df" else videos.exists(name)
    )
    if not labelled:
        raise TargetError(
            f"what was chosen of {dataset.name!r} has nothing in {name!r} to export; run "
            "detect_forgeries, or finish some reviews, or choose more videos"
        )
    return labelled


def _writers_of(settings: ExportSettings) -> list[Writer]:
    names = [name.strip() for name in settings.formats.split(",")]
    return [lookup("writers", name) for name in names if name]


def _reports(videos: Samples, settings: ExportSettings, exported: Exported) -> Iterator[None]:
    """Write what was said of each video, one a step."""
    writers, fields = _writers_of(settings), Fields(settings.label_field)
    makers = store.makers_of(dataset_of(videos), fields)
    paths = files.report_names(map(Path, videos.values("filepath")), settings.folder)
    for batch in rows(videos, _of_reports(fields)):
        for row in batch:
            report = labels.report_of(row, makers.get(row["verdict"].made_by, {}))
            for writer in writers:
                files.write_report(report, paths[Path(row["filepath"])], writer)
                exported.num_written += 1
            yield


def _clips(videos: Samples, settings: ExportSettings, exported: Exported) -> Iterator[None]:
    """Write each segment of each video, one video a step."""
    for batch in rows(videos, {"segments": settings.label_field}):
        for row in batch:
            try:
                _cut(row, settings, exported)
            except MmmsbaError as error:
                exported.failed[row["filepath"]] = str(error)
            yield


def _cut(row: Row, settings: ExportSettings, exported: Exported) -> None:
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.media.transcode import cut

    predicted = detections(row["segments"])
    if not predicted:
        return
    media = probe(row["filepath"], with_hash=False)
    for number, label in enumerate(predicted, start=1):
        segment = labels.seconds_of(label, lazily(row["filepath"], row["metadata"]))
        end_s = min(segment.end_s + settings.padding_s, media.duration_s or segment.end_s)
        within = Segment(max(0.0, segment.start_s - settings.padding_s), max(segment.end_s, end_s))
        name = f"{Path(row['filepath']).stem}-{row['id'][-6:]}-{number}-{label.label}.mp4"
        cut(media, within, settings.folder / name)
        exported.num_written += 1


def _lavdf(videos: Samples, settings: ExportSettings, exported: Exported) -> Iterator[None]:
    """Write the videos with a truth as a dataset, one a step."""
    entries = []
    for record in records(videos, settings.truth_field):
        file = f"videos/{record.key[-6:]}-{record.media.name}"
        frame_index = metadata.look(str(record.media))
        if isinstance(frame_index, Glance):
            _place(record.media, settings.folder / file, copy=settings.copy_media)
            entries.append(_entry(record, frame_index, file))
            exported.num_written += 1
        else:
            exported.failed[str(record.media)] = str(frame_index)
        yield
    lavdf_metadata.write_json(settings.folder / lavdf_metadata.METADATA, entries)


def _entry(record: Record, frame_index: Glance, file: str) -> lavdf_metadata.Entry:
    ended = record.lasting(frame_index.duration_s)
    # What is not told apart counts as both, as it does in LAV-DF itself.
    audio = ended.truth if ended.audio_truth is None else ended.audio_truth
    visual = ended.truth if ended.visual_truth is None else ended.visual_truth
    return lavdf_metadata.entry(
        file=file,
        split=record.split,
        identity=record.identity_key,
        kind=record.kind or ("forged" if record.fake else "real"),
        duration_s=frame_index.duration_s,
        num_frames=frame_index.num_frames,
        num_audio_samples=s_to_samples(frame_index.duration_s, frame_index.sample_rate_hz or 0),
        original=record.original,
        visual=visual,
        audio=audio,
    )


def _place(source: Path, path: Path, *, copy: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if copy:
        shutil.copyfile(source, path)
    else:
        path.symlink_to(source.absolute())


def _of_reports(fields: Fields) -> dict[str, str]:
    return {
        "segments": fields.segments,
        "verdict": fields.verdict,
        "opt_outs": fields.opt_outs,
        "curves": fields.curves,
        "proposals": fields.proposals,
    }


_EXPORTS: Mapping[str, Callable[[Samples, ExportSettings, Exported], Iterator[None]]] = {
    "reports": _reports,
    "clips": _clips,
    "lav-df": _lavdf,
}
