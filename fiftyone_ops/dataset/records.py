"""Rows and records of samples, read many at a time and no more than is asked for."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import fiftyone as fo
from fiftyone import ViewExpression
from fiftyone import ViewField as F

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import WHOLE_CLIP, Record

from . import labels
from .clock import lazily
from .labels import Fields
from .samples import Samples, batches, by_id, dataset_of, flattened, videos_of

#: One sample's values, by what they were asked for as; ``id``, ``filepath`` and ``metadata`` are
#: always there.
Row = Mapping[str, Any]

#: What a dataset says of a clip besides its truth, as the import wrote it.
_OF_DATASET = ("key", "split", "identity", "kind", "original")

_ALWAYS = {"id": "id", "filepath": "filepath", "metadata": "metadata"}
_BATCH_SIZE = 500

_ENDS: Final = ("start_s", "end_s")


def rows(samples: Samples, paths: Mapping[str, str], *, raw: bool = False) -> Iterator[list[Row]]:
    """Yield values of samples, a batch at a time.

    Args:
        samples: A dataset or a view.
        paths: Fields by their names in the rows; one that is not there has None throughout.
        raw: Whether they are left as the database keeps them; FiftyOne takes most of the time to
            build its documents.
    """
    dataset = dataset_of(samples)
    schema = dataset.get_field_schema()
    there = {name: path for name, path in paths.items() if path.split(".")[0] in schema}
    fields = {**_ALWAYS, **there}
    absent = dict.fromkeys(paths.keys() - there.keys())
    for ids in batches(samples.values("id"), _BATCH_SIZE):
        columns = by_id(dataset, ids, ordered=True).values(list(fields.values()), _raw=raw)
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


#: Labels of a review that is finished, by whether the clip is fake.
FINISHED: Final[Mapping[bool, str]] = {True: "fake", False: "real"}
#: These, and what they were called before.
_FINISHED: Final = [*FINISHED.values(), *labels.FORMER_LABELS]

#: Labels of a review that ended without a ground truth, by the decision that ended it.
WITHOUT_TRUTH: Final[Mapping[str, str]] = {
    "cannot_tell": "cannot tell",
    "unreadable": "unreadable",
}


def review_label(review: Any) -> str:
    """Return the label of a review, one of an earlier version in the words of today."""
    return labels.FORMER_LABELS.get(review.label, review.label)


def is_finished(fields: Fields) -> Any:
    """Build the view expression of samples whose review is finished, with a ground truth."""
    return F(f"{fields.review}.label").is_in(_FINISHED)


def is_closed(fields: Fields) -> Any:
    """Build the view expression of samples whose review was ended, with a ground truth or not."""
    return F(f"{fields.review}.label").is_in([*_FINISHED, *WITHOUT_TRUTH.values()])


def prediction_snapshot(verdict: Any, segments: Any) -> list[Any]:
    """Return a snapshot of predictions, which tells whether they changed: verdict and segments.

    Segments are kept to 10 ms.

    Args:
        verdict: A ``fo.Classification``, or None.
        segments: ``fo.TemporalDetections``, or None.
    """
    snapshot: list[Any] = [verdict and verdict.label]
    for label in labels.detections(segments):
        ends_s = [getattr(label, end, None) for end in _ENDS]
        centiseconds = [None if end_s is None else math.floor(end_s * 100) for end_s in ends_s]
        snapshot.append([label.label, *centiseconds])
    return snapshot


def is_outdated(fields: Fields) -> Any:
    """Build the view expression of samples whose predictions changed since their review ended.

    Reviews of earlier versions did not keep what was seen; of those that say what is true it is
    known which predictions were decided, by their ids.
    """
    segments = {"$ifNull": [f"${fields.segments}.detections", []]}
    ends = [{"$floor": {"$multiply": [f"$$label.{end}", 100]}} for end in _ENDS]
    spans = {"$map": {"input": segments, "as": "label", "in": ["$$label.label", *ends]}}
    ids = {"$map": {"input": segments, "as": "label", "in": {"$toString": "$$label._id"}}}
    decided = {"$objectToArray": {"$ifNull": [f"${fields.review}.decided", {}]}}
    decided_ids = {"$map": {"input": decided, "as": "decision", "in": "$$decision.k"}}
    snapshots = F(f"{fields.review}.snapshots")
    is_new = ~ViewExpression(
        {
            "$in": [
                {"$concatArrays": [[f"${fields.verdict}.label"], spans]},
                f"${fields.review}.snapshots",
            ]
        }
    )
    is_undecided = ~ViewExpression({"$setIsSubset": [ids, decided_ids]}) & is_finished(fields)
    was_evaluated = F(f"{fields.verdict}.label").type() == "string"
    return is_closed(fields) & was_evaluated & snapshots.is_array().if_else(is_new, is_undecided)


def finished(samples: Samples, field: str) -> Samples:
    """Return the samples whose truth can be learned from.

    Args:
        samples: A dataset or a view.
        field: A field of segments. That of a review counts where the review is finished.
    """
    samples = flattened(samples)
    fields = Fields(field.removesuffix("_reviewed"))
    if field != fields.reviewed or fields.review not in samples.get_field_schema():
        return samples.exists(field)
    return samples.match(is_finished(fields))


def learnable(argument: str) -> tuple[str, Iterator[Record]]:
    """Return the name of a dataset, and the records of its clips with ground truth.

    Args:
        argument: ``DATASET`` or ``DATASET:FIELD``. The field that a review wrote, ``FIELD``
            ending in ``_reviewed``, counts where the review is finished; any other one where it
            is set.

    Raises:
        DatasetError: There is no such dataset or field, or nothing in it was reviewed.
    """
    name, _, field = argument.partition(":")
    field = field or Fields("forgeries").reviewed
    if not fo.dataset_exists(name):
        names = ", ".join(fo.list_datasets()) or "none"
        raise DatasetError(f"FiftyOne has no dataset {name!r}; there are: {names}")
    dataset = fo.load_dataset(name)
    if field not in dataset.get_field_schema():
        raise DatasetError(
            f"the dataset {name!r} has no field {field!r} to learn from; review predictions in "
            f"the App first, or name a field of true segments as {name}:ground_truth"
        )
    samples = finished(dataset, field)
    if not samples:
        raise DatasetError(
            f"no sample of {name!r} has a finished review in {field!r}; finish some in the App"
        )
    return name, records(samples, field)
