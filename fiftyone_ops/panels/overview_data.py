"""Data of the overview panel: counts of samples, all of them from the database.

No sample is loaded, so ten thousand cost little more than ten. What is clicked is matched by
the very expression that it was counted by, so that a bar of 12 leads to 12 samples.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import fiftyone as fo
from fiftyone import ViewField

from ..labels import VERDICTS, Fields
from ..samples import Samples, flattened
from ..tasks.review import is_finished
from ..tasks.review_queue import REASONS, Reason, queue, waiting

#: Reasons to look, on a button.
_TITLES: Final[Mapping[Reason, str]] = {
    "uncertain": "Uncertain",
    "unlabelled": "Predicted, not labelled",
    "missed": "Labelled, missed",
    "disagree": "Modalities disagree",
}
#: Bars of the histogram, over scores from 0 to 1.
NUM_BARS: Final = 20
#: Field in which a dataset states which part of it a clip belongs to.
SPLIT: Final = "split"
#: Without such a field, tags tell.
_TAGS: Final = "tags"
#: A longer list is no overview.
_MAX_VALUES: Final = 12
#: Nobody looks at more before counting anew.
MAX_QUEUED: Final = 100

#: An expression over samples; FiftyOne is untyped.
Expression = Any
Values = dict[str, Any]


def overview_of(samples: Samples, fields: Fields) -> Values:
    """Compute the histogram of scores, and counts of samples by kind.

    Args:
        samples: A dataset or a view that has those fields.
        fields: Where a run wrote.
    """
    samples = flattened(samples)
    counts = samples.aggregate(
        [
            fo.Count(),
            fo.CountValues(f"{fields.verdict}.confidence", expr=_bar(ViewField())),
            fo.Bounds(f"{fields.verdict}.threshold"),
            fo.CountValues(f"{fields.verdict}.label"),
            fo.CountValues(f"{fields.segments}.detections.label"),
            fo.CountValues(split_path(samples)),
        ]
    )
    num_clips, bars, (lowest, highest), verdicts, modalities, splits = counts
    return {
        "num_clips": num_clips,
        "bars": [
            {"low": bar / NUM_BARS, "high": (bar + 1) / NUM_BARS, "count": int(bars.get(bar, 0))}
            for bar in range(NUM_BARS)
        ],
        # Several runs with several thresholds have no line in common.
        "threshold": lowest if lowest == highest else None,
        "tallies": [
            _tally("verdict", "Clips by verdict", _in_order(verdicts)),
            _tally("modality", "Fake segments by what was altered", _most_first(modalities)),
            _tally("split", "Clips by split", _most_first(splits)),
        ],
    }


def narrowed(samples: Samples, fields: Fields, *, kind: str, value: Any) -> Samples:
    """Return the samples that one bar or one count stands for.

    Args:
        samples: What was counted.
        fields: Where a run wrote.
        kind: ``score``, or the kind of a tally.
        value: The lower edge of a bar, or the value that was counted.

    Raises:
        KeyError: There is no such kind.

    Example:
        >>> narrowed(dataset, Fields("forgeries"), kind="verdict", value="forged")  # doctest: +SKIP
    """
    match, videos = _MATCHES[kind], flattened(samples)
    return videos.match(match(videos, fields, value))


def queue_of(samples: Samples, fields: Fields, *, reason: Reason, truth_field: str) -> Values:
    """Return the review queue for a reason, and the number that waits for each.

    Args:
        samples: A dataset or a view.
        fields: Where a run wrote.
        reason: Why to look.
        truth_field: Where a dataset's truth lies.
    """
    samples = flattened(samples)
    where = {"label_field": fields.segments, "truth_field": truth_field}
    first = queue(samples, reason, **where).limit(MAX_QUEUED)
    paths = ["id", "filepath", f"{fields.verdict}.confidence"]
    starts = f"{fields.segments}.detections.start_s"
    started = samples.has_field(fields.review)
    counts = waiting(samples, **where)
    return {
        "items": [
            {"sample_id": sample_id, "name": Path(path).name, "score": score, "at_s": at_s or []}
            for sample_id, path, score, at_s in zip(*first.values([*paths, starts]), strict=True)
        ],
        "reasons": [
            {"name": name, "title": title, "why": REASONS[name], "count": counts[name]}
            for name, title in _TITLES.items()
        ],
        "num_reviewed": samples.match(is_finished(fields)).count() if started else 0,
        "num_clips": samples.count(),
    }


def split_path(samples: Samples) -> str:
    """Return the field path of the split of a sample."""
    return SPLIT if samples.has_field(SPLIT) else _TAGS


def _bar(score: Expression) -> Expression:
    """Return the number of the bar that a score falls in; the last one takes in 1."""
    scaled = score * NUM_BARS
    return (scaled >= NUM_BARS).if_else(NUM_BARS - 1, scaled.floor())


def _by_score(samples: Samples, fields: Fields, low: float) -> Expression:
    del samples
    score = ViewField(f"{fields.verdict}.confidence")
    return (score.type() == "double") & (_bar(score) == round(low * NUM_BARS))


def _by_verdict(samples: Samples, fields: Fields, label: str) -> Expression:
    del samples
    return ViewField(f"{fields.verdict}.label") == label


def _by_modality(samples: Samples, fields: Fields, label: str) -> Expression:
    del samples
    segments = ViewField(f"{fields.segments}.detections")
    return segments.filter(ViewField("label") == label).length() > 0


def _by_split(samples: Samples, fields: Fields, split: str) -> Expression:
    del fields
    path = split_path(samples)
    return ViewField(path).contains(split) if path == _TAGS else ViewField(path) == split


_MATCHES: Final[Mapping[str, Callable[[Samples, Fields, Any], Expression]]] = {
    "score": _by_score,
    "verdict": _by_verdict,
    "modality": _by_modality,
    "split": _by_split,
}


def _tally(kind: str, title: str, counts: Iterator[tuple[str, int]]) -> Values:
    rows = [{"value": value, "count": count} for value, count in counts][:_MAX_VALUES]
    return {"kind": kind, "title": title, "counts": rows}


def _in_order(counts: dict[str | None, int]) -> Iterator[tuple[str, int]]:
    yield from ((verdict, counts[verdict]) for verdict in VERDICTS if verdict in counts)


def _most_first(counts: dict[str | None, int]) -> Iterator[tuple[str, int]]:
    stated = ((value, count) for value, count in counts.items() if value is not None)
    yield from sorted(stated, key=lambda item: -item[1])
