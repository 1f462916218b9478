"""Writes many values at once, and says in words where the database does not take them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fiftyone as fo

from .errors import WriteError
from .labels import Fields
from .targets import by_id

_LABELS = {"embedded_doc_type": fo.TemporalDetections}
_SPAN = {"start_s": fo.FloatField, "end_s": fo.FloatField}
_OF_VERDICTS = {
    "threshold": fo.FloatField,
    "false_positive_rate": fo.FloatField,
    "status": fo.StringField,
    "reason": fo.StringField,
    "duration_s": fo.FloatField,
    "made_by": fo.StringField,
    "judged_at": fo.DateTimeField,
}
#: Ends the name of the field whose attributes are declared as they come: a stranger's detector
#: looks at modalities of its own. Elsewhere what is not declared stays so: over a list or an array
#: that is declared within a document, FiftyOne 1.22.1 raises as it makes its annotation schemas,
#: which it does whenever a sample is opened, and says so across the window.
_DYNAMIC = Fields("").verdict


@contextmanager
def writing_to(dataset: Any) -> Iterator[None]:
    """Say of whatever keeps this block from writing what to do about it.

    Raises:
        WriteError: The database cannot be reached, or lets nobody write.
    """
    from pymongo.errors import PyMongoError

    try:
        yield
    # FiftyOne turns some of the database's errors into these.
    except (PyMongoError, ValueError) as error:
        if not isinstance(error, PyMongoError) and not isinstance(error.__cause__, PyMongoError):
            raise
        raise WriteError(
            f"the database does not let {dataset.name!r} be written to: {error}; what was written "
            "before stays. Ask whoever runs it for the right to write, or clone the data set, and "
            "run the same again"
        ) from error


def write(dataset: Any, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Write values of many samples, one field after the other.

    Args:
        dataset: The data set.
        columns: Values by field and by the sample's id, in the order of writing. Samples that
            were deleted meanwhile are passed over.

    Raises:
        WriteError: The database does not take them.
    """
    ids = sorted({one for values in columns.values() for one in values})
    with writing_to(dataset):
        # By selection and not by key: a key is looked up among all samples of the data set.
        there = by_id(dataset, ids).values("id")
        for path, values in columns.items():
            told = [one for one in there if one in values]
            if told:
                by_id(dataset, told).set_values(path, [values[one] for one in told])


def declare_segments(dataset: Any, name: str) -> None:
    """Add a field of stretches with exact seconds, unless it is there."""
    dataset.add_sample_field(name, fo.EmbeddedDocumentField, **_LABELS)
    for attribute, kind in _SPAN.items():
        dataset.add_sample_field(f"{name}.detections.{attribute}", kind)


def declare(dataset: Any, fields: Fields, *, modalities: tuple[str, ...]) -> None:
    """Add the fields that detection writes, unless they are there.

    All at the start: the App then shows them before the first label is written, and processes
    that work on one data set do not add them twice.

    Args:
        dataset: The data set.
        fields: What they are called.
        modalities: What the detector looks at.

    Raises:
        WriteError: The database does not take them.
    """
    with writing_to(dataset):
        declare_segments(dataset, fields.segments)
        dataset.add_sample_field(f"{fields.segments}.detections.track", fo.IntField)
        declare_segments(dataset, fields.opt_outs)
        dataset.add_sample_field(f"{fields.opt_outs}.detections.reason", fo.StringField)
        _declare_verdict(dataset, fields, modalities)
        _declare_curves(dataset, fields)
        dataset.add_sample_field(fields.proposals, fo.ArrayField)


def _declare_verdict(dataset: Any, fields: Fields, modalities: tuple[str, ...]) -> None:
    verdict = fields.verdict
    dataset.add_sample_field(verdict, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    scores = {f"score_{modality}": fo.FloatField for modality in modalities}
    for attribute, kind in {**_OF_VERDICTS, **scores}.items():
        dataset.add_sample_field(f"{verdict}.{attribute}", kind)
    dataset.add_sample_field(f"{verdict}.warnings", fo.ListField, subfield=fo.StringField)


def _declare_curves(dataset: Any, fields: Fields) -> None:
    curves = fields.curves
    dataset.add_sample_field(
        curves, fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument
    )
    for attribute in ("start_s", "stride_s"):
        dataset.add_sample_field(f"{curves}.{attribute}", fo.FloatField)
