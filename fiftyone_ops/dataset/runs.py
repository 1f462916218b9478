"""Predictions and reviews in a dataset, known by their fields, whatever became of their runs.

FiftyOne keeps a run under the name that it was given. Whoever renames fields, or deletes a run,
leaves fields without a run of their name; attributes that nobody else writes tell them.
"""

from typing import Any, Final

from . import store
from .labels import Fields

#: Ends of the paths that only a detection, or only a review, has.
_OF_DETECTION: Final = "_verdict.made_by"
_OF_REVIEW: Final = "_review.history"


def prediction_fields(dataset: Any) -> list[str]:
    """List the label fields that hold predictions, the newest run last.

    Those without a run of their name come first.
    """
    schema = dataset.get_field_schema()
    runs = [key for key in dataset.list_runs() if store.method_of(dataset, key) == store.DETECT]
    stems = _stems(dataset, _OF_DETECTION, "")
    without_run = [stem for stem in stems if stem not in runs]
    return without_run + [run for run in runs if Fields(run).verdict in schema]


def review_stems(dataset: Any) -> list[str]:
    """List the stems of the fields of reviews, the oldest review first."""
    return _stems(dataset, _OF_REVIEW, "_reviewed")


def fields_of_run(dataset: Any, label_field: str) -> Fields:
    """Return the names of the fields of a run, and of the review of its clips.

    Decisions are about clips, so a run without a review of its own shares the oldest one.

    Args:
        dataset: The dataset.
        label_field: Field of the predictions.
    """
    stems = review_stems(dataset)
    shared = None if label_field in stems else next(iter(stems), None)
    return Fields(label_field, review_stem=shared)


def adopt(dataset: Any, fields: Fields) -> None:
    """Register the runs of fields that are ours but have no run of their name.

    Args:
        dataset: The dataset.
        fields: Fields of a run.
    """
    keys = {*dataset.list_runs(), *dataset.list_evaluations(), *dataset.list_brain_runs()}
    segments, review = fields.segments, fields.review
    if segments not in keys and segments in _stems(dataset, _OF_DETECTION, ""):
        makers = store.makers_of(dataset, fields)
        store.register(dataset, segments, method=store.DETECT, label_field=segments, makers=makers)
    if review not in keys and review.removesuffix("_review") in review_stems(dataset):
        store.register(dataset, review, method=store.REVIEW, label_field=segments)


def _stems(dataset: Any, own: str, sibling: str) -> list[str]:
    """List the stems of fields of which one ends in ``own``, and one in ``sibling``."""
    schema = dataset.get_field_schema(flat=True)
    stems = [path.removesuffix(own) for path in schema if path.endswith(own)]
    return [stem for stem in stems if f"{stem}{sibling}" in schema]
