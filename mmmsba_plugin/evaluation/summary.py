"""An evaluation as plain values, for JSON and for a spreadsheet."""

import csv
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from mmmsba_plugin.evaluation.evaluate import Evaluation, SideBySide
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval

#: Heads of the columns of :func:`write_csv`.
COLUMNS = ("system", "group", "measure", "value", "low", "high")


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON can hold it: null where a figure is not defined.

    Average precision stands under ``ap`` by tIoU and average recall under ``ar`` by number of
    proposals, as the field's evaluators print them; all else under ``detection``. Intervals
    stand apart, under the figures' own names, where there are any.
    """
    metrics = evaluation.intervals
    return {
        "system": evaluation.system,
        "mode": evaluation.mode,
        "ap": _localization(metrics, "ap@"),
        "ar": _localization(metrics, "ar@"),
        "detection": {
            name: _number(interval.value) for name, interval in metrics.items() if "@" not in name
        },
        "intervals": intervals(metrics),
        "groups": {
            name: {
                "num_fake": group.num_fake,
                "values": {n: _number(interval.value) for n, interval in group.intervals.items()},
                "intervals": intervals(group.intervals),
            }
            for name, group in evaluation.groups.items()
        },
        "num_real": evaluation.num_real,
        "num_fake": evaluation.num_fake,
        "unjudged": list(evaluation.not_evaluated),
    }


def side_by_side_to_dict(comparison: SideBySide) -> dict[str, Any]:
    """Return the first system's evaluation, and beside it the others and what they differ by."""
    first, *others = comparison.evaluations
    summary = to_dict(first)
    if others:
        summary["beside"] = [to_dict(other) for other in others]
        summary["gains"] = {
            name: {
                "values": {n: _number(other.value) for n, other in gains.items()},
                "intervals": intervals(gains),
            }
            for name, gains in comparison.gains.items()
        }
    if comparison.silence_auc is not None:
        summary["leading_silence_auc"] = _number(comparison.silence_auc.value)
        summary["intervals"] |= intervals({"leading_silence_auc": comparison.silence_auc})
    return summary


def intervals(metrics: Mapping[str, Interval]) -> dict[str, list[float]]:
    """Return both ends of each interval that has any."""
    return {
        name: [interval.low, interval.high]
        for name, interval in metrics.items()
        if not math.isnan(interval.low)
    }


def write_csv(evaluations: Iterable[Evaluation], out: IO[str]) -> None:
    """Write one row a figure: of all clips, and of each group.

    Args:
        evaluations: One evaluation a system.
        out: A text stream opened with ``newline=""``.
    """
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for evaluation in evaluations:
        groups = {
            "all": evaluation.intervals,
            **{name: g.intervals for name, g in evaluation.groups.items()},
        }
        for group, metrics in groups.items():
            for name, number in metrics.items():
                ends = (number.value, number.low, number.high)
                bounds = ["" if math.isnan(end) else end for end in ends]
                rows.writerow([evaluation.system, group, name, *bounds])


def _localization(metrics: Mapping[str, Interval], prefix: str) -> dict[str, float | None]:
    return {
        name.removeprefix(prefix): _number(interval.value)
        for name, interval in metrics.items()
        if name.startswith(prefix)
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
