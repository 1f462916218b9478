"""Import a dataset that any reader knows into FiftyOne, record by record.

From Python, without the App::

    from fiftyone_ops.tasks.import_dataset import import_dataset

    dataset = import_dataset("lav-df=LAV-DF", split="test").dataset

Each sample has the dataset's truth in ``ground_truth`` (see
:mod:`~fiftyone_ops.dataset.labels`), ``fake`` or ``real`` in ``ground_truth_verdict`` (with
``altered``: which modality, and ``located``: whether the dataset says where), and what else the
dataset says in ``key``, ``split``, ``identity``, ``kind`` and ``original``. The split is a tag too.
"""

import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone import ViewField as F

from mmmsba_plugin.datasets.load import open_dataset
from mmmsba_plugin.media.frame_index import Glance
from mmmsba_plugin.record import Record
from mmmsba_plugin.timebase import FrameClock

from ..dataset import labels, metadata, store
from ..dataset.clock import IndexOrError, look
from ..dataset.store import writing_to
from ..errors import TargetError
from ..settings import ImportSettings
from .base import Task
from .metadata import offer_copies

_WORDS = ("key", "split", "identity", "kind", "original")

#: Frames a second that are assumed of a video which is not there. Its seconds are exact all the
#: same.
_ASSUMED_FPS_HZ = 25


@dataclass(slots=True)
class ImportSummary:
    """Summary of an import, and its progress too.

    Attributes:
        dataset: The dataset.
        added: Samples that were added.
        skipped: Records that it had already.
        num_unplayable: How many of the files that were added no browser shows as they are.
    """

    dataset: Any
    added: int = 0
    skipped: int = 0
    num_unplayable: int = 0

    @property
    def share(self) -> None:
        """Nobody knows how many records there are."""
        return

    def __str__(self) -> str:
        offer = offer_copies(self.num_unplayable)
        return (
            f"{self.added} samples added to {self.dataset.name!r}, {self.skipped} were there{offer}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"dataset": self.dataset.name, "added": self.added, "skipped": self.skipped}


def import_dataset(
    data: str, *, on_progress: Callable[[ImportSummary], None] = lambda _: None, **settings: Any
) -> ImportSummary:
    """Import a dataset into a new dataset of FiftyOne, or go on with one.

    Records are read, and samples added, a batch at a time, so memory does not grow with the
    dataset. Files that are in the dataset already are passed over.

    Args:
        data: The dataset, as ``mmmsba train --data`` takes it.
        on_progress: Called after each batch.
        **settings: Those of :class:`~fiftyone_ops.settings.ImportSettings`.

    Raises:
        ConfigError: A setting is wrong, or several readers know the folder.
        DatasetError: Nothing in the dataset can be used.
        TargetError: There is a dataset of that name which takes no videos.
        FieldTakenError: The dataset has a field of that name that we did not make.
    """
    return ImportTask(ImportSettings.read({"data": data, **settings})).run(on_progress)


class ImportTask(Task[ImportSummary, ImportSummary]):
    """Import of a dataset.

    Args:
        settings: Dataset to import, and its name.

    Raises:
        MmmsbaError: As for :func:`import_dataset`.
    """

    def __init__(self, settings: ImportSettings) -> None:
        source = open_dataset(
            settings.data, settings.reader, split=settings.split, need_media=settings.need_media
        )
        self._settings = settings
        records = source.records()
        # Read before anything is made: a folder that holds no dataset leaves no dataset behind.
        self._records = itertools.chain(list(itertools.islice(records, 1)), records)
        dataset = _opened(settings.name or source.name)
        field = settings.truth_field
        verdict = f"{field}_verdict"
        store.require_ours(dataset, field, method=store.IMPORT, fields=(field, verdict))
        with writing_to(dataset):
            store.declare_segments(dataset, field)
            attributes = {"altered": fo.StringField, "located": fo.BooleanField}
            store.declare_document(dataset, verdict, fo.Classification, attributes)
            for word in _WORDS:
                dataset.add_sample_field(word, fo.StringField)
        store.rename_labels(dataset, verdict, labels.FORMER_LABELS)
        store.rename_labels(dataset, field, labels.FORMER_LABELS)
        origin = f"{source.reader}={source.name}"
        store.register(dataset, field, method=store.IMPORT, source=origin)
        self.summary = ImportSummary(dataset)

    def steps(self) -> Generator[ImportSummary, None, None]:
        """Add the records, a batch a step."""
        dataset = self.summary.dataset
        while batch := list(itertools.islice(self._records, self._settings.batch_size)):
            records = {str(record.media.absolute()): record for record in batch}
            existing = set(dataset.match(F("filepath").is_in(list(records))).values("filepath"))
            new = [
                self._sample(path, record)
                for path, record in records.items()
                if path not in existing
            ]
            with writing_to(dataset):
                dataset.add_samples(new)
            self.summary.added += len(new)
            self.summary.skipped += len(existing)
            yield self.summary

    def _sample(self, path: str, record: Record) -> Any:
        frame_index = look(path)
        field = self._settings.truth_field
        tags = [record.split] if record.split else []
        self.summary.num_unplayable += metadata.needs_copy(path, frame_index)
        if metadata.why_not_played(frame_index):
            tags.append(metadata.UNPLAYABLE)
        elif not isinstance(frame_index, Glance):
            tags.append(metadata.UNREADABLE)
        truth = {
            field: labels.truth_of(record, _clock(frame_index, record)),
            f"{field}_verdict": fo.Classification(
                label="fake" if record.fake else "real",
                altered=record.altered,
                located=not record.whole_clip,
            ),
        }
        return fo.Sample(
            filepath=path,
            tags=tags,
            metadata=metadata.metadata_of(path, frame_index),
            **truth,
            **{word: getattr(record, word) for word in _WORDS},
        )


def _opened(name: str) -> Any:
    if fo.dataset_exists(name):
        dataset = fo.load_dataset(name)
        if dataset.media_type not in ("video", None):
            raise TargetError(
                f"the dataset {name!r} holds samples of media type {dataset.media_type!r}, which "
                f"videos cannot be added to; choose another name, such as name='{name}-videos'"
            )
        return dataset
    dataset = fo.Dataset(name, persistent=True)
    dataset.media_type = "video"
    return dataset


def _clock(frame_index: IndexOrError, record: Record) -> FrameClock:
    if isinstance(frame_index, Glance):
        return frame_index.from_zero()
    ends_s = [segment.end_s for segment in record.truth if not record.whole_clip]
    lasts_s = record.duration_s or max(ends_s, default=1.0)
    num_frames = max(1, round(lasts_s * _ASSUMED_FPS_HZ))
    return FrameClock.steady(num_frames, fps_hz=_ASSUMED_FPS_HZ)
