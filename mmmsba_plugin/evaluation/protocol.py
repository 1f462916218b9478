"""Runs a detector over clips with known truth and says how well it went."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.detection import auc, eer
from mmmsba_plugin.evaluation.intervals import Interval, bootstrap, drawn
from mmmsba_plugin.evaluation.localization import Scores, average_precision, average_recall
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Spans, as_spans

Flags = NDArray[np.bool_]

#: Computes a number from the indices of the clips to use.
Metric = Callable[[Sequence[int]], float]

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
        numbers: By name, such as ``clip_auc`` and ``ap@0.5``, each with its interval; NaN
            where one is not defined, as an AUC of forged clips alone.
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

    Clips of nobody known are clustered with those that were forged from them.

    Args:
        judged: Clips and what was said about them; those without a score are set aside.
        num_resamples: How often clips are drawn anew for the intervals.
        seed: Of the draws.

    Raises:
        DatasetError: No clip could be judged.
    """
    scored = [one for one in judged if one.report.score is not None]
    if not scored:
        raise DatasetError(f"none of {len(judged)} clips could be judged{_first_reason(judged)}")
    num_forged = sum(one.record.forged for one in scored)
    clusters = [_cluster(one.record) for one in scored]
    return Evaluation(
        numbers={
            name: bootstrap(metric, clusters=clusters, num_resamples=num_resamples, seed=seed)
            for name, metric in _metrics(scored).items()
        },
        num_genuine=len(scored) - num_forged,
        num_forged=num_forged,
        unjudged=tuple(one for one in judged if one.report.score is None),
    )


def _first_reason(judged: Sequence[Judged]) -> str:
    problem = judged[0].report.problem if judged else None
    if problem is None:
        return "; check the filter or the split"
    return f"; of the first it is said: {problem.message}"


def _cluster(record: Record) -> str | None:
    """Return what a clip is alike with: who is in it, or else the genuine clip it comes from."""
    return record.identity or record.original or record.key or None


def _metrics(scored: Sequence[Judged]) -> dict[str, Metric]:
    scores = np.array([one.report.score for one in scored], dtype=np.float64)
    forged = np.array([one.record.forged for one in scored])
    # None, where a report has no threshold, becomes NaN.
    flagged = np.array([one.report.forged for one in scored], dtype=np.float64)
    keys = range(len(scored))
    predictions = {key: _proposals(scored[key].report) for key in keys}
    truths = {key: as_spans(scored[key].record.truth) for key in keys}

    def told_apart(measure: Callable[[Scores, Flags], float]) -> Metric:
        return lambda clips: measure(scores[list(clips)], forged[list(clips)])

    def flagged_of(kind: Flags) -> Metric:
        return lambda clips: _mean(flagged[[clip for clip in clips if kind[clip]]])

    def found(measure: Callable[..., float], **setting: float) -> Metric:
        return lambda clips: measure(
            drawn(predictions, keys, clips), drawn(truths, keys, clips), **setting
        )

    return {
        "clip_auc": told_apart(auc),
        "clip_eer": told_apart(eer),
        "clip_true_positive_rate": flagged_of(forged),
        "clip_false_positive_rate": flagged_of(~forged),
        **{f"ap@{tiou:g}": found(average_precision, tiou=tiou) for tiou in TIOUS},
        **{f"ar@{n}": found(average_recall, num_proposals=n) for n in NUM_PROPOSALS},
    }


def _mean(values: Scores) -> float:
    return float(values.mean()) if values.size else math.nan


def _proposals(report: Report) -> tuple[Spans, Scores]:
    spans = np.array([(p.start_s, p.end_s) for p in report.proposals], dtype=np.float64)
    return spans.reshape(-1, 2), np.array([p.score for p in report.proposals], dtype=np.float64)
