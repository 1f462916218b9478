"""An evaluation as plain values, for JSON and for a spreadsheet."""

import csv
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from mmmsba_plugin.evaluation.evaluate import Evaluation, SideBySide
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval

#: Heads of the columns of :func:`write_csv`.
COLUMNS = ("system", "group", "measure", "value", "low", "high")


def plain(found: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON can hold it: null where a figure is not defined.

    Average precision stands under ``ap`` by tIoU and average recall under ``ar`` by number of
    proposals, as the field's evaluators print them; all else under ``detection``. Intervals
    stand apart, under the figures' own names, where there are any.
    """
    numbers = found.numbers
    return {
        "system": found.system,
        "mode": found.mode,
        "ap": _localization(numbers, "ap@"),
        "ar": _localization(numbers, "ar@"),
        "detection": {name: _number(one.value) for name, one in numbers.items() if "@" not in name},
        "intervals": intervals(numbers),
        "groups": {
            name: {
                "num_fake": group.num_fake,
                "values": {n: _number(one.value) for n, one in group.numbers.items()},
                "intervals": intervals(group.numbers),
            }
            for name, group in found.groups.items()
        },
        "num_real": found.num_real,
        "num_fake": found.num_fake,
        "unjudged": list(found.unjudged),
    }


def plain_side_by_side(found: SideBySide) -> dict[str, Any]:
    """Return the first system's evaluation, and beside it the others and what they differ by."""
    first, *others = found.evaluations
    said = plain(first)
    if others:
        said["beside"] = [plain(one) for one in others]
        said["gains"] = {
            name: {
                "values": {n: _number(one.value) for n, one in gains.items()},
                "intervals": intervals(gains),
            }
            for name, gains in found.gains.items()
        }
    if found.silence_auc is not None:
        said["leading_silence_auc"] = _number(found.silence_auc.value)
        said["intervals"] |= intervals({"leading_silence_auc": found.silence_auc})
    return said


def intervals(numbers: Mapping[str, Interval]) -> dict[str, list[float]]:
    """Return both ends of each interval that has any."""
    return {name: [one.low, one.high] for name, one in numbers.items() if not math.isnan(one.low)}


def write_csv(found: Iterable[Evaluation], out: IO[str]) -> None:
    """Write one row a figure: of all clips, and of each group.

    Args:
        found: One evaluation a system.
        out: A text stream opened with ``newline=""``.
    """
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in found:
        groups = {"all": one.numbers, **{name: g.numbers for name, g in one.groups.items()}}
        for group, numbers in groups.items():
            for name, number in numbers.items():
                ends = (number.value, number.low, number.high)
                shown = ["" if math.isnan(end) else end for end in ends]
                rows.writerow([one.system, group, name, *shown])


def _localization(numbers: Mapping[str, Interval], prefix: str) -> dict[str, float | None]:
    return {
        name.removeprefix(prefix): _number(one.value)
        for name, one in numbers.items()
        if name.startswith(prefix)
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
