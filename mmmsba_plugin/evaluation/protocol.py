"""Runs a detector over clips with known truth and says how well it went."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.detection import auc
from mmmsba_plugin.evaluation.intervals import Interval, bootstrap, drawn
from mmmsba_plugin.evaluation.localization import Scores, average_precision, average_recall
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Spans, as_spans

#: What is measured of localization: AP at these tIoU, AR with these many proposals.
TIOUS = (0.5, 0.75, 0.95)
NUM_PROPOSALS = (100, 50, 20, 10)


@dataclass(frozen=True, slots=True)
class Judged:
    """A record and what was said about it."""

    record: Record
    report: Report


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well it went.

    Attributes:
        numbers: By name, such as ``clip_auc`` and ``ap@0.5``, each with its interval.
        num_genuine: Genuine clips that could be judged.
        num_forged: Forged clips that could be judged.
        unjudged: Those that could not; they count in no number.
    """

    numbers: Mapping[str, Interval]
    num_genuine: int
    num_forged: int
    unjudged: tuple[Judged, ...]


def run(
    detector: Detector,
    records: Iterable[Record],
    *,
    on_clip: Callable[[Judged], None] = lambda _: None,
) -> list[Judged]:
    """Return what a detector says about each record, in order.

    Args:
        detector: Anyone's.
        records: Clips with their truth.
        on_clip: Called after each.
    """
    judged = []
    for record in records:
        one = Judged(record, detector.detect(record.media))
        judged.append(one)
        on_clip(one)
    return judged


def measure(judged: Sequence[Judged], *, num_resamples: int = 1000, seed: int = 0) -> Evaluation:
    """Return detection and localization figures with intervals clustered by identity.

    Args:
        judged: Clips and what was said about them; those without a score are set aside.
        num_resamples: How often clips are drawn anew for the intervals.
        seed: Of the draws.

    Raises:
        DatasetError: No clip could be judged.
    """
    scored = [one for one in judged if one.report.score is not None]
    if not scored:
        raise DatasetError("none of the clips could be judged; see their reports for why")
    forged = np.array([one.record.forged for one in scored])
    clusters = [one.record.identity or one.record.original for one in scored]
    return Evaluation(
        numbers={
            name: bootstrap(metric, clusters=clusters, num_resamples=num_resamples, seed=seed)
            for name, metric in _metrics(scored, forged).items()
        },
        num_genuine=int((~forged).sum()),
        num_forged=int(forged.sum()),
        unjudged=tuple(one for one in judged if one.report.score is None),
    )


Metric = Callable[[Sequence[int]], float]


def _metrics(
    scored: Sequence[Judged], forged: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> dict[str, Metric]:
    scores = np.array([one.report.score for one in scored], dtype=np.float64)
    keys = list(range(len(scored)))
    predictions = {key: _proposals(scored[key].report) for key in keys}
    truths = {key: as_spans(scored[key].record.truth) for key in keys}
    metrics: dict[str, Metric] = {
        "clip_auc": lambda clips: auc(scores[list(clips)], forged[list(clips)])
    }
    for tiou in TIOUS:
        metrics[f"ap@{tiou:g}"] = lambda clips, tiou=tiou: average_precision(  # type: ignore[misc]
            drawn(predictions, keys, clips), drawn(truths, keys, clips), tiou=tiou
        )
    for number in NUM_PROPOSALS:
        metrics[f"ar@{number}"] = lambda clips, number=number: average_recall(  # type: ignore[misc]
            drawn(predictions, keys, clips), drawn(truths, keys, clips), num_proposals=number
        )
    return metrics


def _proposals(report: Report) -> tuple[Spans, Scores]:
    spans = np.array([(p.start_s, p.end_s) for p in report.proposals], dtype=np.float64)
    return spans.reshape(-1, 2), np.array([p.score for p in report.proposals], dtype=np.float64)
