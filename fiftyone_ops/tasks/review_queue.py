"""Review queue: views of the samples, the most telling ones on top."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from fiftyone import ViewExpression
from fiftyone import ViewField as F

from ..labels import MODALITIES, Fields
from ..samples import Samples, dataset_of, flattened
from .review import is_finished

Reason = Literal["uncertain", "unlabelled", "missed", "disagree"]

#: Why a sample stands in a queue, in words.
REASONS: Mapping[Reason, str] = {
    "uncertain": "The score lies close to the line",
    "unlabelled": "Forgeries are predicted where no truth says so",
    "missed": "The truth has a forgery that was not predicted",
    "disagree": "Audio and video say different things",
}

#: The line that a score is held against where its verdict states none.
_USUAL_LINE = 0.5
#: Scores of two modalities that lie this far apart disagree.
_FAR_APART = 0.5


def queue(
    samples: Samples,
    reason: Reason = "uncertain",
    *,
    label_field: str = "forgeries",
    truth_field: str = "ground_truth",
) -> Any:
    """Return the samples to look at for a reason, the most telling first, as a view.

    Those whose review is finished are left out, and so are those that could not be evaluated.

    Args:
        samples: A dataset or a view.
        reason: Why; see :data:`REASONS`.
        label_field: Field of the predictions.
        truth_field: Field of the truth, for ``unlabelled`` and ``missed``.
    """
    fields = Fields(label_field)
    schema = dataset_of(samples).get_field_schema()
    with_verdict = flattened(samples).exists(f"{fields.verdict}.confidence")
    if fields.review in schema:
        with_verdict = with_verdict.match(~is_finished(fields))
    truth = truth_field if truth_field in schema else None
    return _QUEUES[reason](with_verdict, fields, truth)


def waiting(
    samples: Samples, *, label_field: str = "forgeries", truth_field: str = "ground_truth"
) -> dict[str, int]:
    """Count the samples that wait for each reason."""
    options = {"label_field": label_field, "truth_field": truth_field}
    return {reason: queue(samples, reason, **options).count() for reason in REASONS}


def _uncertain(samples: Any, fields: Fields, truth: str | None) -> Any:
    del truth
    verdict = fields.verdict
    line = F(f"{verdict}.threshold").if_else(F(f"{verdict}.threshold"), _USUAL_LINE)
    return samples.sort_by((F(f"{verdict}.confidence") - line).abs())


def _unlabelled(samples: Any, fields: Fields, truth: str | None) -> Any:
    matches = samples.match(_any(fields.segments))
    if truth is not None:
        matches = matches.match(~_any(truth))
    return matches.sort_by(f"{fields.verdict}.confidence", reverse=True)


def _missed(samples: Any, fields: Fields, truth: str | None) -> Any:
    if truth is None:
        return samples.limit(0)
    missed = samples.match(_any(truth) & ~_any(fields.segments))
    return missed.sort_by(f"{fields.verdict}.confidence")


def _disagree(samples: Any, fields: Fields, truth: str | None) -> Any:
    del truth
    schema = dataset_of(samples).get_field_schema(flat=True)
    paths = [f"{fields.verdict}.score_{modality}" for modality in MODALITIES]
    present = [path for path in paths if path in schema]
    apart = _apart(present)
    if apart is None:
        return samples.limit(0)
    return samples.match(apart >= _FAR_APART).sort_by(apart, reverse=True)


def _apart(paths: list[str]) -> Any:
    """Compute the largest difference between modalities' scores; None for fewer than two."""
    if len(paths) < 2:  # noqa: PLR2004 - two can disagree
        return None
    # Of a list, the database passes over what is absent.
    scores = [f"${path}" for path in paths]
    return ViewExpression({"$subtract": [{"$max": scores}, {"$min": scores}]})


def _any(field: str) -> Any:
    return F(f"{field}.detections").length() > 0


_QUEUES: Mapping[str, Callable[[Any, Fields, str | None], Any]] = {
    "uncertain": _uncertain,
    "unlabelled": _unlabelled,
    "missed": _missed,
    "disagree": _disagree,
}
