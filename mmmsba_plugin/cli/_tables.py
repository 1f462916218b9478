"""Evaluations as tables in the terminal. Imported only once there is something to show."""

import math
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmmsba_plugin.cli import _console
from mmmsba_plugin.evaluation.evaluate import Evaluation, SideBySide
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.evaluation.published import Cell, Row, footnotes, reasons, sign
from mmmsba_plugin.report.text import visible

#: So many clips that were not evaluated are named; of more, how many they are.
_MAX_NAMES = 20


def show(side_by_side: SideBySide, to: Console) -> None:
    """Show systems beside each other, the groups of the first, and by how much it is ahead."""
    evaluations = side_by_side.evaluations
    first = evaluations[0]
    to.print(f"{first.num_real} real and {first.num_fake} fake clips were evaluated")
    to.print(f"localization as in {first.mode} mode; brackets hold 95 % intervals")
    table = Table(
        "measure", *(escape(visible(evaluation.system)) for evaluation in evaluations), box=None
    )
    for name in _names([evaluation.intervals for evaluation in evaluations]):
        cells = [_cell(evaluation.intervals.get(name)) for evaluation in evaluations]
        if set(cells) != {"-"}:
            table.add_row(name, *cells)
    to.print(table)
    if not any(_has_ends(number) for number in first.intervals.values()):
        to.print("no intervals: they need clips of two people or more, and --resamples above 0")
    _show_groups(first, to)
    for other, gains in side_by_side.gains.items():
        _show_gains(first.system, other, gains, to)
    if (auc := side_by_side.silence_auc) is not None:
        # So much of any metric may be owed to leading silence.
        to.print(f"looking only at how long clips are silent at first would reach AUC {_cell(auc)}")
    for key in first.not_evaluated[:_MAX_NAMES]:
        _console.failure(f"not evaluated: {key}", to)
    if (more := len(first.not_evaluated) - _MAX_NAMES) > 0:
        _console.failure(f"not evaluated: {more} more clips", to)


def show_published(tables: Mapping[str, Sequence[Row]], to: Console) -> None:
    """Show a system among published results, a table a task."""
    for title, rows in tables.items():
        if not rows:
            to.print(_console.visible_text(f"no published results of {title}"))
            continue
        footnote_numbers = reasons(rows)
        columns = [[f"{title}, %", *(visible(row.system) for row in rows)]]
        for name in rows[0].cells:
            cells = [row.cells[name] for row in rows]
            columns.append([name, *(_percent(cell, footnote_numbers) for cell in cells)])
        # Wider than most terminals: better wrapped by them than broken into columns of one letter.
        table = Table(box=None, pad_edge=False)
        for head, *texts in columns:
            table.add_column(head, no_wrap=True, min_width=max(map(len, (head, *texts))))
        for line in zip(*(texts for _, *texts in columns), strict=True):
            table.add_row(*map(escape, line))
        to.print(table)
        for footnote in footnotes(rows):
            to.print(_console.visible_text(footnote, "dim"))


def _percent(cell: Cell, footnote_numbers: Mapping[str, int]) -> str:
    """Format a published value in percent, with the sign that footnotes explain."""
    has_value = not math.isnan(cell.value)
    return f"{100 * cell.value:.1f}{sign(cell, footnote_numbers)}" if has_value else "-"


def _show_gains(first: str, second: str, gains: Mapping[str, Interval], to: Console) -> None:
    """Show by how much one system exceeds another, and where that is more than chance."""
    to.print(_console.visible_text(f"{first} less {second}, on the same draws of clips:"))
    table = Table("measure", "difference", "", box=None)
    for name, gain in gains.items():
        sure = _has_ends(gain) and (gain.low > 0 or gain.high < 0)
        table.add_row(name, _cell(gain, sign="+"), "told apart" if sure else "")
    to.print(table)


def _show_groups(evaluation: Evaluation, to: Console) -> None:
    if not evaluation.groups:
        return
    names = _names([group.intervals for group in evaluation.groups.values()])
    table = Table("fake clips, against all real", "clips", *names, box=None)
    for label, group in evaluation.groups.items():
        cells = [_cell(group.intervals.get(name)) for name in names]
        table.add_row(_console.visible_text(label), str(group.num_fake), *cells)
    to.print(table)


def _names(tables: Sequence[Mapping[str, Interval]]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table))


def _cell(number: Interval | None, sign: str = "") -> str:
    if number is None or math.isnan(number.value):
        return "-"
    ends = f" ({number.low:{sign}.3f} to {number.high:{sign}.3f})" if _has_ends(number) else ""
    return f"{number.value:{sign}.3f}{ends}"


def _has_ends(number: Interval) -> bool:
    return not math.isnan(number.low)
