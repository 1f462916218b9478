"""Data of the overview panel: counts of samples, all of them from the database.

No sample is loaded, so ten thousand cost little more than ten. What is clicked is matched by
the very expression that it was counted by, so that a bar of 12 leads to 12 samples.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import fiftyone as fo
from fiftyone import ViewField

from .. import responses
from ..dataset.labels import FORMER_VERDICTS, VERDICTS, Fields, verdict_words
from ..dataset.records import is_closed, is_outdated
from ..dataset.samples import Samples, flattened
from ..responses import Bar, ClipWarning, Count, Overview, Queue, QueueItem, Tally
from ..tasks.review.queue import REASONS, Reason, queue, waiting
from .statistics_data import in_group

#: Reasons to look, on a button.
_TITLES: Final[Mapping[Reason, str]] = {
    "uncertain": "Uncertain",
    "unlabelled": "Predicted, not labelled",
    "missed": "Labelled, missed",
    "disagree": "Modalities disagree",
    "not_evaluated": "Not evaluated",
    "changed": "Changed since reviewed",
}
#: Bars of the histogram, over scores from 0 to 1.
NUM_BARS: Final = 20
#: Field in which a dataset states which part of it a clip belongs to.
SPLIT: Final = "split"
#: Without such a field, tags tell.
_TAGS: Final = "tags"
#: A longer list is no overview.
_MAX_VALUES: Final = 12
#: Warnings that are shown, the most frequent ones.
_MAX_WARNINGS: Final = 3
#: The count of clips that no run has seen.
NEVER: Final = "never evaluated"
#: Nobody looks at more before counting anew.
MAX_QUEUED: Final = 100

#: An expression over samples; FiftyOne is untyped.
Expression = Any


def overview_of(samples: Samples, fields: Fields) -> Overview:
    """Compute the histogram of scores, and counts of samples by kind.

    Args:
        samples: A dataset or a view that has those fields.
        fields: Fields of a run.
    """
    samples = flattened(samples)
    warnings = f"{fields.verdict}.warnings"
    counts = samples.aggregate(
        [
            fo.Count(),
            fo.Count(f"{fields.verdict}.confidence"),
            fo.CountValues(f"{fields.verdict}.confidence", expr=_bar(ViewField())),
            fo.Bounds(f"{fields.verdict}.threshold"),
            fo.CountValues(f"{fields.verdict}.label"),
            fo.CountValues(f"{fields.segments}.detections.label"),
            fo.CountValues(split_path(samples)),
            *([fo.CountValues(warnings)] if samples.has_field(warnings) else []),
        ]
    )
    num_clips, num_evaluated, bars, (lowest, highest), verdicts, modalities, splits, *rest = counts
    warned = _frequent_first(rest[0]) if rest else {}
    by_verdict = {
        word: sum(verdicts.get(label, 0) for label in verdict_words(word)) for word in VERDICTS
    }
    by_verdict[NEVER] = num_clips - sum(by_verdict.values())
    return Overview(
        num_clips=num_clips,
        num_evaluated=num_evaluated,
        warnings=tuple(
            ClipWarning(text=text, count=count)
            for text, count in list(warned.items())[:_MAX_WARNINGS]
        ),
        bars=tuple(
            Bar(low=bar / NUM_BARS, high=(bar + 1) / NUM_BARS, count=int(bars.get(bar, 0)))
            for bar in range(NUM_BARS)
        ),
        # Several runs with several thresholds have none in common.
        threshold=lowest if lowest == highest else None,
        tallies=(
            _tally("verdict", "Clips by verdict", by_verdict),
            _tally(
                "modality",
                "Fake segments by manipulated modality",
                _frequent_first(modalities),
            ),
            _tally("split", "Clips by split", _frequent_first(splits)),
        ),
    )


def narrowed(
    samples: Samples, fields: Fields, *, kind: str, value: Any, by: str = _TAGS
) -> Samples:
    """Return the samples that one bar or one count stands for.

    Args:
        samples: What was counted.
        fields: Fields of a run.
        kind: ``score``, the kind of a tally, or ``group`` of the statistics.
        value: The lower edge of a bar, or the value that was counted.
        by: Field of a group.

    Raises:
        KeyError: There is no such kind.

    Example:
        >>> narrowed(dataset, Fields("forgeries"), kind="verdict", value="fake")  # doctest: +SKIP
    """
    videos = flattened(samples)
    match kind:
        case "score":
            score = ViewField(f"{fields.verdict}.confidence")
            expression = (score.type() == "double") & (_bar(score) == round(value * NUM_BARS))
        case "verdict" if value == NEVER:
            return videos.exists(fields.verdict, bool=False)
        case "verdict":
            expression = ViewField(f"{fields.verdict}.label").is_in(verdict_words(value))
        case "modality":
            segments = ViewField(f"{fields.segments}.detections")
            expression = segments.filter(ViewField("label") == value).length() > 0
        case "split":
            return in_group(videos, split_path(videos), value)
        case "group":
            return in_group(videos, by, value)
        case _:
            raise KeyError(kind)
    return videos.match(expression)


def queue_of(samples: Samples, fields: Fields, *, reason: Reason, truth_field: str) -> Queue:
    """Return the review queue for a reason, and the number that waits for each.

    Args:
        samples: A dataset or a view.
        fields: Fields of a run.
        reason: Reason to look.
        truth_field: Field of the ground truth.
    """
    samples = flattened(samples)
    where = {"label_field": fields.segments, "truth_field": truth_field}
    first = queue(samples, reason, **where).limit(MAX_QUEUED)
    paths = ["id", "filepath"]
    attributes = ("label", "confidence", "reason", "threshold", "duration_s")
    paths += [f"{fields.verdict}.{name}" for name in attributes]
    starts = f"{fields.segments}.detections.start_s"
    started = samples.has_field(fields.review)
    counts = waiting(samples, **where)
    return Queue(
        items=tuple(
            QueueItem(
                sample_id=sample_id,
                name=Path(path).name,
                verdict=FORMER_VERDICTS.get(verdict, verdict),
                score=score,
                reason=reason,
                threshold=threshold,
                duration_s=duration_s,
                starts_s=starts_s or (),
            )
            for sample_id, path, verdict, score, reason, threshold, duration_s, starts_s in zip(
                *first.values([*paths, starts]), strict=True
            )
        ),
        reasons=tuple(
            responses.Reason(name=name, title=title, description=REASONS[name], count=counts[name])
            for name, title in _TITLES.items()
        ),
        num_reviewed=samples.match(is_closed(fields) & ~is_outdated(fields)).count()
        if started
        else 0,
        num_clips=samples.count(),
    )


def split_path(samples: Samples) -> str:
    """Return the field path of the split of a sample."""
    return SPLIT if samples.has_field(SPLIT) else _TAGS


def _bar(score: Expression) -> Expression:
    """Return the number of the bar that a score falls in; the last one takes in 1."""
    scaled = score * NUM_BARS
    return (scaled >= NUM_BARS).if_else(NUM_BARS - 1, scaled.floor())


def _frequent_first(counts: Mapping[str | None, int]) -> dict[str, int]:
    stated = [(value, count) for value, count in counts.items() if value is not None]
    return dict(sorted(stated, key=lambda item: -item[1]))


def _tally(kind: str, title: str, counts: Mapping[str, int]) -> Tally:
    rows = [Count(value=value, count=count) for value, count in counts.items() if count]
    return Tally(kind=kind, title=title, counts=tuple(rows[:_MAX_VALUES]))
