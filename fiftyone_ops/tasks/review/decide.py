"""Decisions of people about predictions, kept with author and time.

Decisions never touch the predictions, and outlive them: they are about stretches of a clip, and
whatever predicts these anew, in whichever field, meets what was decided (see
:mod:`.matching`). All runs of a dataset share them, in two fields beside ``forgeries``,
or whichever label field was reviewed first:

``forgeries_reviewed``
    ``fo.TemporalDetections``: what the person stands by, as labels are everywhere (see
    :mod:`~fiftyone_ops.dataset.labels`), and with ``source``: the id of the prediction it came from
    (None for one that was missed), ``source_label``, ``source_start_s`` and ``source_end_s``: what
    that was like, ``by`` and ``at``.
``forgeries_review``
    ``fo.Classification``, one a sample that somebody looked at. ``label``: ``open`` for as long as
    a prediction is undecided, then ``fake`` or ``real``, or ``cannot tell`` or ``unreadable``;
    ``by`` and ``at``: whoever decided last; ``rejected``: predictions that were, as label, ends,
    source, who and when; ``notes``: the same of segments that somebody wrote about, with the
    ``text``; ``decided``: ``accepted`` or ``rejected`` by the id of each prediction
    that was there at the last decision; ``snapshots``: the predictions that the review was ended
    about, so that it waits again once they change; ``history``: every decision, with who, when,
    and what was there before it.

A sample is learned from once its label is ``fake`` or ``real``. One that has no score, since
its detector abstained or failed, is never ``real`` for want of segments.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import fiftyone as fo

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.review.document import whoami

from ...dataset import runs, store
from ...dataset.appearance import set_appearance
from ...dataset.labels import Fields
from ...dataset.records import is_outdated
from ...dataset.samples import batches, by_id, dataset_of, flattened, require_video
from ...errors import TargetError
from .decision import Decision, ReviewState
from .decisions import SampleReview

_T = TypeVar("_T")

_TRIES: Final = 5
_PAUSE_S: Final = 0.1
_BATCH_SIZE: Final = 500


def start_review(dataset: Any, label_field: str = "forgeries") -> None:
    """Add the fields of a review, unless they are there.

    Args:
        dataset: The dataset.
        label_field: Field of the predictions.

    Raises:
        TargetError: There are no predictions of ours in that field.
        FieldTakenError: The fields are there, and no review made them.
        WriteError: The database does not take them.
    """
    retry(dataset, lambda: _start(dataset, runs.fields_of_run(dataset, label_field)))


def decide(
    samples: Any,
    sample_id: str,
    *,
    label_field: str = "forgeries",
    by: str | None = None,
    **decision: Any,
) -> ReviewState:
    """Take a decision about a sample, and keep its author and time.

    Args:
        samples: The dataset, or a view of it.
        sample_id: The sample.
        label_field: Field of the predictions.
        by: Who decides; whoever is logged in if not given.
        **decision: The fields of :class:`~fiftyone_ops.tasks.decision.Decision`.

    Raises:
        ConfigError: The decision makes no sense.
        TargetError: There is no such sample or segment, or nothing to undo.
        SegmentError: The segment would end before it starts.
        FieldTakenError: The fields of the review are there, and no review made them.
        WriteError: The database does not take it.
    """
    parsed = Decision.read(decision)
    dataset = dataset_of(samples)
    fields = runs.fields_of_run(dataset, label_field)

    def open_review() -> SampleReview:
        _start(dataset, fields)
        try:
            sample = dataset[sample_id]
        except KeyError as error:
            raise TargetError(
                f"{dataset.name!r} has no sample {sample_id!r}; it may have been deleted, so reload"
            ) from error
        require_video(sample)
        return SampleReview(sample, fields, by or whoami())

    review = retry(dataset, open_review)
    review.take(parsed)
    columns = {name: {sample_id: value} for name, value in review.columns(fields).items()}
    retry(dataset, lambda: store.write(dataset, columns))
    return review.state()


def keep_decisions(dataset: Any, label_field: str) -> None:
    """Keep what decisions of earlier versions were about, before predictions are replaced.

    Args:
        dataset: The dataset.
        label_field: Field of the predictions.

    Raises:
        WriteError: The database does not take it.
    """
    fields = runs.fields_of_run(dataset, label_field)
    schema = dataset.get_field_schema(flat=True)
    if f"{fields.review}.history" not in schema or f"{fields.verdict}.label" not in schema:
        return
    declare_review(dataset, fields)
    reviewed = flattened(dataset).exists(fields.review)
    former = reviewed.exists(f"{fields.review}.rejected", bool=False).match(~is_outdated(fields))
    for ids in batches(former.values("id"), _BATCH_SIZE):
        columns: dict[str, dict[str, Any]] = {}
        for sample in by_id(dataset, ids):
            for name, value in SampleReview(sample, fields).columns(fields).items():
                columns.setdefault(name, {})[sample.id] = value
        store.write(dataset, columns)


def _start(dataset: Any, fields: Fields) -> None:
    label_field, schema = fields.segments, dataset.get_field_schema(flat=True)
    is_started = f"{fields.review}.history" in schema
    if label_field not in schema and not is_started:
        raise TargetError(
            f"{dataset.name!r} has no predictions in {label_field!r} to review; run "
            "detect_forgeries first, or name its label field"
        )
    runs.adopt(dataset, fields)
    store.require_ours(
        dataset, fields.review, method=store.REVIEW, fields=(fields.reviewed, fields.review)
    )
    if f"{fields.review}.notes" in schema:
        return
    # First, so that fields of a review that was cut short here are still known as a review's.
    store.register(dataset, fields.review, method=store.REVIEW, label_field=label_field)
    declare_review(dataset, fields)
    set_appearance(dataset, fields)


def declare_review(dataset: Any, fields: Fields) -> None:
    """Add the fields of a review, or those of its attributes that are not there yet.

    Args:
        dataset: The dataset.
        fields: Names of the fields.

    Raises:
        WriteError: The database does not take them.
    """
    origin = {"by": fo.StringField, "at": fo.DateTimeField}
    lists = dict.fromkeys(("history", "rejected", "notes", "snapshots"), fo.ListField)
    with store.writing_to(dataset):
        store.declare_segments(dataset, fields.reviewed, source=fo.StringField, **origin)
        store.declare_document(
            dataset, fields.review, fo.Classification, {**origin, "decided": fo.DictField, **lists}
        )


def retry(dataset: Any, act: Callable[[], _T]) -> _T:
    """Retry a change of a dataset while other requests reload it, and return its result.

    All requests of the App's server share one object for a dataset. Another one that reads it
    anew at the wrong moment takes a field away that was added a moment ago.

    Args:
        dataset: The dataset.
        act: What to do.
    """
    for _ in range(_TRIES):
        try:
            return act()
        except MmmsbaError:
            raise
        except (AttributeError, KeyError, ReferenceError, ValueError):
            time.sleep(_PAUSE_S)
            dataset.reload()
    return act()
