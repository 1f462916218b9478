"""Runs a detector over clips with known truth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report


@dataclass(frozen=True, slots=True)
class Result:
    """A record and what was said about it."""

    record: Record
    report: Report


def run(
    detector: Detector,
    records: Iterable[Record],
    *,
    on_clip: Callable[[Result], None] = lambda _: None,
    **options: Any,
) -> list[Result]:
    """Run a detector over records, in order.

    Args:
        detector: Anyone's.
        records: Clips with their truth.
        on_clip: Called after each.
        **options: Handed to the detector with each clip, besides how long it lasts by its
            dataset.
    """
    results = []
    for record in records:
        report = detector.detect(record.media, duration_s=record.duration_s, **options)
        result = Result(record, report)
        results.append(result)
        on_clip(result)
    return results


def tables(results: Sequence[Result], *, name: str) -> tuple[Predictions, GroundTruth]:
    """Build the tables of predictions and ground truth that metrics are computed from.

    Args:
        results: Clips and what was said about them.
        name: What the system that said it shall be called.
    """
    ground_truth = GroundTruth.of(result.record for result in results)
    reports = (result.report for result in results)
    return Predictions.of_reports(name, zip(ground_truth.keys, reports, strict=True)), ground_truth
