"""Metrics of trainings, with intervals over people, and how tables write them."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmmsba_plugin.evaluation.collect import collect_metrics
from mmmsba_plugin.evaluation.evaluate import NUM_PROPOSALS
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, Metric, bootstrap
from mmmsba_plugin.evaluation.metrics.localization import TIOUS
from mmmsba_plugin.evaluation.run import Result, tables
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report

METRICS = ("auc", "snippet_auc", "ap@0.5", "ar@20")
NUM_RESAMPLES = 500


def metrics_of(
    name: str, records: Sequence[Record], reports: Sequence[Report]
) -> dict[str, Metric]:
    """Collect the metrics of a training."""
    predictions, ground_truth = tables(
        [Result(record, report) for record, report in zip(records, reports, strict=True)], name=name
    )
    metrics = collect_metrics(
        predictions, ground_truth, mode="official", tious=TIOUS, num_proposals=NUM_PROPOSALS
    ).metrics
    return {name: metrics[name] for name in METRICS}


def mean(metrics: Sequence[Metric]) -> Metric:
    """Return the mean of metrics as one metric."""
    return lambda draw: float(np.mean([metric(draw) for metric in metrics]))


def less(first: Metric, second: Metric) -> Metric:
    """Return the difference of two metrics, on the same clips."""

    def difference(draw: Draw) -> float:
        return first(draw) - second(draw)

    return difference


def bootstrapped(
    metrics: Mapping[tuple[str, str], Metric], records: Sequence[Record], *, num_resamples: int
) -> dict[tuple[str, str], Interval]:
    """Compute intervals over people, by name and metric."""
    names = {f"{name}/{metric}": (name, metric) for name, metric in metrics}
    intervals = bootstrap(
        {label: metrics[key] for label, key in names.items()},
        clusters=[record.identity for record in records],
        num_resamples=num_resamples,
    )
    return {key: intervals[label] for label, key in names.items()}


def passes(epochs: int | None) -> str:
    """Say how many passes there were, where that is not what the preset has."""
    return f", with {epochs} passes" if epochs is not None else ""


def cells(number: Interval) -> str:
    """Write an interval as two cells."""
    return f"{number.value:.3f} | {number.low:.3f} to {number.high:.3f}"
