"""Queues of a review: views of the samples, the most telling ones on top."""

from collections.abc import Mapping
from typing import Any, Literal

from fiftyone import ViewExpression
from fiftyone import ViewField as F

from ...dataset.labels import WITHOUT_SCORE, modality_scores_expression
from ...dataset.records import is_closed, is_outdated
from ...dataset.runs import fields_of_run, review_stems
from ...dataset.samples import Samples, dataset_of, flattened

Reason = Literal["uncertain", "unlabelled", "missed", "disagree", "not_evaluated", "changed"]

#: Why a sample stands in a queue, in words.
REASONS: Mapping[Reason, str] = {
    "uncertain": "The score lies close to the threshold, within 0.25",
    "unlabelled": "Segments are predicted where the ground truth has none",
    "missed": "The ground truth has a segment where none is predicted",
    "disagree": "The scores of two modalities lie far apart",
    "not_evaluated": "The detector abstained or failed, and says why",
    "changed": "The predictions changed since the review was ended",
}

#: The threshold of a score whose verdict states none.
_USUAL_THRESHOLD = 0.5
#: A score that lies this close to the threshold is uncertain; without a bound all would be.
_CLOSE = 0.25
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

    Those whose review was ended are left out, unless their predictions changed since. So are those
    that could not be evaluated but for the reasons ``not_evaluated`` and ``changed``.

    Args:
        samples: A dataset or a view.
        reason: Why; see :data:`REASONS`.
        label_field: Field of the predictions.
        truth_field: Field of the truth, for ``unlabelled`` and ``missed``.
    """
    videos, key, is_descending = _selection(samples, reason, label_field, truth_field)
    return videos.sort_by(key, reverse=is_descending)


def waiting(
    samples: Samples, *, label_field: str = "forgeries", truth_field: str = "ground_truth"
) -> dict[str, int]:
    """Count the samples that wait for each reason."""
    return {
        # Without an order: samples would be sorted whole, curves and all, to be counted.
        reason: _selection(samples, reason, label_field, truth_field)[0].count()
        for reason in REASONS
    }


def _selection(
    samples: Samples, reason: Reason, label_field: str, truth_field: str
) -> tuple[Samples, Any, bool]:
    """Return the samples to look at for a reason, their order, and whether it is descending."""
    dataset = dataset_of(samples)
    fields, schema = fields_of_run(dataset, label_field), dataset.get_field_schema()
    videos = undecided = flattened(samples)
    is_started = bool(review_stems(dataset))
    if is_started:
        undecided = videos.match(~is_closed(fields) | is_outdated(fields))
    with_verdict = undecided.exists(f"{fields.verdict}.confidence")
    confidence = f"{fields.verdict}.confidence"
    is_predicted = F(f"{fields.segments}.detections").length() > 0
    has_truth = truth_field in schema
    is_true = F(f"{truth_field}.detections").length() > 0
    match reason:
        case "uncertain":
            threshold = F(f"{fields.verdict}.threshold")
            distance = (F(confidence) - threshold.if_else(threshold, _USUAL_THRESHOLD)).abs()
            return with_verdict.match(distance <= _CLOSE), distance, False
        case "unlabelled":
            unlabelled = is_predicted & ~is_true if has_truth else is_predicted
            return with_verdict.match(unlabelled), confidence, True
        case "missed":
            missed = with_verdict.match(is_true & ~is_predicted) if has_truth else videos.limit(0)
            return missed, confidence, False
        case "disagree":
            # Of a list, the database passes over what is absent.
            scores = modality_scores_expression(fields)
            apart = ViewExpression({"$subtract": [{"$max": scores}, {"$min": scores}]})
            return with_verdict.match(apart >= _FAR_APART), apart, True
        case "not_evaluated":
            verdict = f"{fields.verdict}.label"
            # Those that failed come first, since what failed can be mended.
            return undecided.match(F(verdict).is_in(WITHOUT_SCORE)), verdict, True
        case "changed":
            changed = videos.match(is_outdated(fields)) if is_started else videos.limit(0)
            return changed, confidence, True
    raise KeyError(reason)
