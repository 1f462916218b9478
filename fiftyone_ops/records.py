"""Reads what samples hold, many at a time and no more than is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmsba_plugin.record import WHOLE_CLIP, Record

from . import labels
from .samples import Samples, batches, by_id, dataset_of, videos_of
from .tasks.metadata import lazily

#: One sample's values, by what they were asked for as; ``id``, ``filepath`` and ``metadata`` are
#: always there.
Row = Mapping[str, Any]

#: What a dataset says of a clip besides its truth, as the import wrote it.
_OF_DATASET = ("key", "split", "identity", "kind", "original")

_ALWAYS = {"id": "id", "filepath": "filepath", "metadata": "metadata"}
_BATCH_SIZE = 500


def rows(
    samples: Samples, paths: Mapping[str, str], *, batch_size: int = _BATCH_SIZE
) -> Iterator[list[Row]]:
    """Yield values of samples, a batch at a time.

    Args:
        samples: A dataset or a view.
        paths: Fields by what they shall be called; one that is not there has None throughout.
        batch_size: Samples a batch.
    """
    dataset = dataset_of(samples)
    schema = dataset.get_field_schema()
    there = {name: path for name, path in paths.items() if path.split(".")[0] in schema}
    fields = {**_ALWAYS, **there}
    absent = dict.fromkeys(paths.keys() - there.keys())
    for ids in batches(samples.values("id"), batch_size):
        columns = by_id(dataset, ids, ordered=True).values(list(fields.values()))
        yield [
            {**absent, **dict(zip(fields, row, strict=True))} for row in zip(*columns, strict=True)
        ]


def records(samples: Samples, truth_field: str) -> Iterator[Record]:
    """Yield the records of a dataset's clips, of those with a truth.

    A truth field that is empty says real; one that is not set says nothing.

    Args:
        samples: A dataset or a view of videos.
        truth_field: Field of the true segments.

    Raises:
        TargetError: There are no videos.
    """
    for batch in rows(videos_of(samples).exists(truth_field), of_truth(truth_field)):
        yield from map(record_of, batch)


def of_truth(truth_field: str) -> dict[str, str]:
    """Return the fields that :func:`record_of` reads."""
    columns = {"truth": truth_field, "located": f"{truth_field}_verdict.located"}
    return columns | {word: word for word in _OF_DATASET}


def record_of(row: Row) -> Record:
    """Build the record of a row of :func:`of_truth`; the sample's id is its key."""
    truth, audio, visual = labels.record_truth(
        row["truth"], lazily(row["filepath"], row["metadata"])
    )
    if row["located"] is False:
        truth, audio, visual = (WHOLE_CLIP,), None, None
    return Record(
        media=Path(row["filepath"]),
        truth=truth,
        audio_truth=audio,
        visual_truth=visual,
        split=row["split"],
        identity=row["identity"],
        kind=row["kind"],
        original=row["original"],
        key=row["id"],
        duration_s=getattr(row["metadata"], "duration", None),
    )


def detections(value: Any) -> Sequence[Any]:
    """Return the labels in a field's value, none where it is not set."""
    return () if value is None else value.detections
