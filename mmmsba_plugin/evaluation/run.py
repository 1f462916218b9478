"""Runs a detector over clips with known truth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report


@dataclass(frozen=True, slots=True)
class Judged:
    """A record and what was said about it."""

    record: Record
    report: Report


def run(
    detector: Detector,
    records: Iterable[Record],
    *,
    on_clip: Callable[[Judged], None] = lambda _: None,
    **options: Any,
) -> list[Judged]:
    """Run a detector over records, in order.

    Args:
        detector: Anyone's.
        records: Clips with their truth.
        on_clip: Called after each.
        **options: Handed to the detector with each clip, besides how long it lasts by its
            dataset.
    """
    judged = []
    for record in records:
        report = detector.detect(record.media, duration_s=record.duration_s, **options)
        one = Judged(record, report)
        judged.append(one)
        on_clip(one)
    return judged


def tables(judged: Sequence[Judged], *, name: str) -> tuple[Predictions, GroundTruth]:
    """Build the tables of predictions and ground truth that metrics are computed from.

    Args:
        judged: Clips and what was said about them.
        name: What the system that said it shall be called.
    """
    ground_truth = GroundTruth.of(one.record for one in judged)
    reports = (one.report for one in judged)
    return Predictions.of_reports(name, zip(ground_truth.keys, reports, strict=True)), ground_truth
