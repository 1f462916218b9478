"""Writes many values at once, and says in words where the database does not take them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import fiftyone as fo

from .errors import FieldTakenError, WriteError
from .labels import Fields
from .samples import by_id

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
    """Turn a failure to write into an error that ends in the next step.

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
            "before stays. Ask whoever runs it for the right to write, or clone the dataset, and "
            "run the same again"
        ) from error


def write(dataset: Any, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Write values of many samples, one field after the other.

    Args:
        dataset: The dataset.
        columns: Values by field and by the sample's id, in the order of writing. Samples that
            were deleted meanwhile are passed over.

    Raises:
        WriteError: The database does not take them.
    """
    ids = sorted({sample_id for values in columns.values() for sample_id in values})
    with writing_to(dataset):
        # By selection and not by key: a key is looked up among all samples of the dataset.
        there = by_id(dataset, ids).values("id")
        for path, values in columns.items():
            present = [sample_id for sample_id in there if sample_id in values]
            if present:
                by_id(dataset, present).set_values(
                    path, [values[sample_id] for sample_id in present]
                )


def declare_segments(dataset: Any, name: str) -> None:
    """Add a field of segments with exact seconds, unless it is there."""
    dataset.add_sample_field(name, fo.EmbeddedDocumentField, **_LABELS)
    for attribute, kind in _SPAN.items():
        dataset.add_sample_field(f"{name}.detections.{attribute}", kind)


def declare(dataset: Any, fields: Fields, *, modalities: tuple[str, ...]) -> None:
    """Add the fields that detection writes, unless they are there.

    All at the start: the App then shows them before the first label is written, and processes
    that work on one dataset do not add them twice.

    Args:
        dataset: The dataset.
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


#: What our runs say that they are.
DETECT: Final = "mmmsba/detect"
REVIEW: Final = "mmmsba/review"
EVALUATE: Final = "mmmsba/evaluate"
IMPORT: Final = "mmmsba/import"


def made_by(info: Mapping[str, Any]) -> str:
    """Return a short name for a detector with its weights and settings.

    Args:
        info: What it says of itself, as plain values.
    """
    text = json.dumps(info, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def require_ours(dataset: Any, run_key: str, *, method: str, fields: tuple[str, ...]) -> None:
    """Check that a run may write to its fields.

    Args:
        dataset: The dataset.
        run_key: What the run is called.
        method: What our run of that name says that it is.
        fields: Those it writes to.

    Raises:
        FieldTakenError: A run of that name is something else, or a field is there that no run
            of ours made, or one is read-only.
    """
    if method_of(dataset, run_key) == method:
        _require_writable(dataset, fields)
        return
    if _is_taken(dataset, run_key):
        raise FieldTakenError(
            f"{dataset.name!r} has a run called {run_key!r} that is none of ours; choose another "
            f"field, such as {run_key}_2"
        )
    schema = dataset.get_field_schema()
    if there := [name for name in fields if name in schema]:
        raise FieldTakenError(
            f"{dataset.name!r} has a field {there[0]!r} that no run of ours made, and what is in "
            f"it would be lost; choose another field, such as {run_key}_2"
        )


def method_of(dataset: Any, run_key: str) -> str | None:
    """Return the method of a run; None where there is no such run."""
    if run_key not in dataset.list_runs():
        return None
    method = dataset.get_run_info(run_key).config.method
    return method if isinstance(method, str) else None


def register(dataset: Any, run_key: str, *, method: str, **values: Any) -> None:
    """Note a run, or what is new about one.

    Args:
        dataset: The dataset.
        run_key: What the run is called.
        method: What it is.
        **values: What else to keep, as plain values; what it is told again is replaced.
    """
    if method_of(dataset, run_key) is None:
        dataset.register_run(run_key, fo.RunConfig(method=method, **values))
        return
    config = dataset.get_run_info(run_key).config
    for name, value in values.items():
        setattr(config, name, value)
    dataset.update_run_config(run_key, config)


def makers_of(dataset: Any, fields: Fields) -> dict[str, Any]:
    """List the detectors that wrote to fields, by their names in verdicts."""
    if method_of(dataset, fields.segments) != DETECT:
        return {}
    config = dataset.get_run_info(fields.segments).config
    return dict(getattr(config, "makers", None) or {})


def _is_taken(dataset: Any, key: str) -> bool:
    return key in {*dataset.list_runs(), *dataset.list_evaluations(), *dataset.list_brain_runs()}


def _require_writable(dataset: Any, fields: tuple[str, ...]) -> None:
    schema = dataset.get_field_schema()
    locked = [name for name in fields if name in schema and schema[name].read_only]
    if locked:
        raise FieldTakenError(
            f"the field {locked[0]!r} of {dataset.name!r} is read-only; choose another field, or "
            f"make it writable with dataset.get_field({locked[0]!r}).read_only = False and save()"
        )
