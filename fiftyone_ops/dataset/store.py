"""Fields and values of a dataset: declaration, bulk writes, and the runs that own them."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField

from ..errors import FieldTakenError, WriteError
from .labels import Fields, score_attribute
from .samples import by_id, flattened

_SCALARS_OF_VERDICT = {
    "threshold": fo.FloatField,
    "false_positive_rate": fo.FloatField,
    "status": fo.StringField,
    "reason": fo.StringField,
    "duration_s": fo.FloatField,
    "made_by": fo.StringField,
    "judged_at": fo.DateTimeField,
}

#: Methods of our runs.
DETECT: Final = "mmmsba/detect"
REVIEW: Final = "mmmsba/review"
EVALUATE: Final = "mmmsba/evaluate"
IMPORT: Final = "mmmsba/import"
EMBED: Final = "mmmsba/embed"


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


def update(dataset: Any, changes: Mapping[Any, Mapping[str, Any]]) -> None:
    """Write values of many samples as the database keeps them, one operation a sample.

    That takes a fraction of the time of :func:`write`, and checks nothing.

    Args:
        dataset: The dataset.
        changes: Raw values by their paths, by the sample's id. Samples that were deleted meanwhile
            are passed over.

    Raises:
        WriteError: The database does not take them.
    """
    from pymongo import UpdateOne

    now = {"last_modified_at": datetime.now(UTC)}
    operations = [
        UpdateOne({"_id": ObjectId(sample_id)}, {"$set": {**values, **now}})
        for sample_id, values in changes.items()
    ]
    if operations:
        with writing_to(dataset):
            dataset._bulk_write(operations, ids=list(changes))  # noqa: SLF001 - no public name


def declare_document(
    dataset: Any, name: str, document_type: type[Any], attributes: Mapping[str, Any]
) -> None:
    """Add a field of documents with their attributes, unless it is there.

    Args:
        dataset: The dataset.
        name: Name of the field.
        document_type: Class of its documents.
        attributes: Class of the field of each attribute.
    """
    dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=document_type)
    for attribute, kind in attributes.items():
        dataset.add_sample_field(f"{name}.{attribute}", kind)


def declare_segments(dataset: Any, name: str, **attributes: Any) -> None:
    """Add a field of segments with exact seconds, unless it is there.

    Args:
        dataset: The dataset.
        name: Name of the field.
        **attributes: Class of the field of each further attribute of a segment.
    """
    declared = {"start_s": fo.FloatField, "end_s": fo.FloatField, **attributes}
    declare_document(
        dataset,
        name,
        fo.TemporalDetections,
        {f"detections.{attribute}": kind for attribute, kind in declared.items()},
    )


def declare(dataset: Any, fields: Fields, *, modalities: tuple[str, ...]) -> None:
    """Add the fields that detection writes, unless they are there.

    All at the start: the App then shows them before the first label is written, and processes
    that work on one dataset do not add them twice.

    Args:
        dataset: The dataset.
        fields: Their names.
        modalities: Modalities of the detector.

    Raises:
        WriteError: The database does not take them.
    """
    scores = {score_attribute(modality): fo.FloatField for modality in modalities}
    with writing_to(dataset):
        declare_segments(dataset, fields.segments, track=fo.IntField, words=fo.StringField)
        declare_segments(dataset, fields.opt_outs, reason=fo.StringField)
        declare_document(
            dataset, fields.verdict, fo.Classification, {**_SCALARS_OF_VERDICT, **scores}
        )
        dataset.add_sample_field(
            f"{fields.verdict}.warnings", fo.ListField, subfield=fo.StringField
        )
        # The curves themselves stay undeclared: over an array that is declared within a document,
        # FiftyOne 1.22.1 raises as it makes its annotation schemas, which it does whenever a
        # sample is opened, and says so across the window.
        grid = {"start_s": fo.FloatField, "stride_s": fo.FloatField}
        declare_document(dataset, fields.curves, fo.DynamicEmbeddedDocument, grid)
        dataset.add_sample_field(fields.proposals, fo.ArrayField)


def rename_labels(dataset: Any, field: str, former: Mapping[str, str]) -> None:
    """Give labels of earlier versions the words of today, in the colors that they had.

    Args:
        dataset: The dataset.
        field: Field of the labels, one or many a sample; it need not be there.
        former: Words of today by those of before.

    Raises:
        WriteError: The database does not take it.
    """
    if not dataset.has_field(field):
        return
    with writing_to(dataset):
        is_former = ViewField("label").is_in([*former])
        videos = flattened(dataset).match_labels(fields=field, filter=is_former)
        videos.map_labels(field, former).save(field)
        _rename_colors(dataset, field, former)


def _rename_colors(dataset: Any, field: str, former: Mapping[str, str]) -> None:
    """Let the App's colors of a field name the words of today."""
    scheme = dataset.app_config.color_scheme
    of_fields = [] if scheme is None else copy.deepcopy(list(scheme.fields or []))
    ours = (of_field for of_field in of_fields if of_field["path"] == field)
    colors = (color for of_field in ours for color in of_field.get("valueColors") or [])
    renamed = [color for color in colors if color["value"] in former]
    for color in renamed:
        color["value"] = former[color["value"]]
    if renamed:
        scheme.fields = of_fields
        dataset.save()


def made_by(info: Mapping[str, Any]) -> str:
    """Return a short name for a detector with its weights and settings.

    Args:
        info: Its ``info``, as plain values.
    """
    text = json.dumps(info, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def require_ours(dataset: Any, run_key: str, *, method: str, fields: tuple[str, ...]) -> None:
    """Check that a run may write to its fields.

    Args:
        dataset: The dataset.
        run_key: Key of the run.
        method: Method of our run of that key.
        fields: Those it writes to.

    Raises:
        FieldTakenError: A run of that name is something else, or a field is there that no run
            of ours made, or one is read-only.
    """
    schema = dataset.get_field_schema()
    present = [name for name in fields if name in schema]
    if method_of(dataset, run_key) == method:
        if locked := [name for name in present if schema[name].read_only]:
            raise FieldTakenError(
                f"the field {locked[0]!r} of {dataset.name!r} is read-only; choose another field, "
                f"or make it writable with dataset.get_field({locked[0]!r}).read_only = False and "
                "save()"
            )
    elif run_key in {
        *dataset.list_runs(),
        *dataset.list_evaluations(),
        *dataset.list_brain_runs(),
    }:
        raise FieldTakenError(
            f"{dataset.name!r} has a run called {run_key!r} that is none of ours; choose another "
            f"field, such as {run_key}_2"
        )
    elif present:
        raise FieldTakenError(
            f"{dataset.name!r} has a field {present[0]!r} that no run of ours made, and what is in "
            f"it would be lost; choose another field, such as {run_key}_2"
        )


def method_of(dataset: Any, run_key: str) -> str | None:
    """Return the method of a run; None where there is no such run."""
    method = value_of(dataset, run_key, "method")
    return method if isinstance(method, str) else None


def value_of(dataset: Any, run_key: str, name: str) -> Any:
    """Return a value that a run keeps; None where there is no such run or value."""
    if run_key not in dataset.list_runs():
        return None
    return getattr(dataset.get_run_info(run_key).config, name, None)


def register(dataset: Any, run_key: str, *, method: str, **values: Any) -> None:
    """Register a run, or update the values of one.

    Args:
        dataset: The dataset.
        run_key: Key of the run.
        method: Its method.
        **values: Further values to keep, as plain values; each replaces an earlier one.
    """
    if method_of(dataset, run_key) is None:
        dataset.register_run(run_key, fo.RunConfig(method=method, **values))
        return
    config = dataset.get_run_info(run_key).config
    for name, value in values.items():
        setattr(config, name, value)
    dataset.update_run_config(run_key, config)


def makers_of(dataset: Any, fields: Fields) -> dict[str, Any]:
    """List the detectors that wrote to fields, by their names in verdicts.

    Fields whose run has another name, since they were renamed, or was deleted, may be of any run.
    """
    runs = [key for key in dataset.list_runs() if method_of(dataset, key) == DETECT]
    if fields.segments in runs:
        runs = [fields.segments]
    configs = [dataset.get_run_info(run).config for run in runs]
    return {
        name: info
        for config in configs
        for name, info in (getattr(config, "makers", None) or {}).items()
    }
