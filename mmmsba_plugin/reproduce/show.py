"""Writes a table down: for the terminal, as Markdown, CSV and JSON.

Ours and the paper's stand one above the other in every row. A figure of the paper that
contradicts another is marked, and the reason stands below the table.
"""

import csv
import io
import json
import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.files import atomic_write
from mmmsba_plugin.report.text import visible
from mmmsba_plugin.reproduce.result import Cell, MeasuredRow, MeasuredTable

if TYPE_CHECKING:
    from rich.table import Table

#: Beside a figure that cannot be right as printed.
WRONG = "✗"
_STAND_IN = "stand-in"
#: So long are lines of words in the terminal, in letters; figures are never folded.
_WIDE = 24
#: Blanks between two columns there.
_BETWEEN = 2

_HEADINGS = {
    "auc": "AUC",
    "partial_auc": "pAUC",
    "eer": "EER",
    "accuracy": "ACC",
    "true_positive_rate": "TPR",
    "false_positive_rate": "FPR",
    "balanced_accuracy": "balanced ACC",
}


def write(table: MeasuredTable, folder: Path) -> list[Path]:
    """Write a table as ``NAME.json``, ``NAME.csv`` and ``NAME.md``; return their paths.

    Whoever reads one never sees half of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {".json": as_json(table), ".csv": as_csv(table), ".md": as_markdown(table)}
    paths = []
    for suffix, text in texts.items():
        path = folder / f"{table.name}{suffix}"
        with atomic_write(path, newline="") as file:
            file.write(text)
        paths.append(path)
    return paths


def as_json(table: MeasuredTable) -> str:
    """Return everything that is known, figures as they are and null where none is defined."""
    document = {
        **asdict(table),
        "rows": [
            {
                **asdict(row),
                "cells": [_cell(cell) for cell in row.cells],
                "silence": row.silence
                and {"auc": _interval(row.silence.auc), "num_clips": row.silence.num_clips},
            }
            for row in table.rows
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(table: MeasuredTable) -> str:
    """Return one line a cell; the interval is that of the first seed."""
    stream = io.StringIO()
    rows = csv.DictWriter(stream, fieldnames=_COLUMNS, lineterminator="\n")
    rows.writeheader()
    for row in table.rows:
        rows.writerows(_flat(table, row, cell) for cell in row.cells)
    return stream.getvalue()


def as_markdown(table: MeasuredTable) -> str:
    """Return a page: the table, the reasons of its marks, notes and how ours was made."""
    heads = [*_HEADS, *map(heading, table.metrics)]
    lines = [f"# {table.name}: {table.title}", "", _piped(heads), _piped(["---"] * len(heads))]
    lines += [_piped(line) for line in _lines(table, newline="<br>")]
    lines += ["", *(f"- {footnote}" for footnote in footnotes(table)), "", setup_line(table), ""]
    return "\n".join(lines)


def as_rich(table: MeasuredTable) -> "Table":
    """Return the table for a terminal; notes are for the caller to print below.

    Nothing in it is ever cut short: a terminal that is narrower wraps it.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    heads = [*_HEADS, *map(heading, table.metrics)]
    words = len(_HEADS)

    def fold(cell: str) -> str:
        lines = textwrap.wrap(visible(cell), _WIDE, break_long_words=False, break_on_hyphens=False)
        return "\n".join(lines)

    lines = [[*map(fold, line[:words]), *line[words:]] for line in _lines(table, newline="\n")]
    widths = [
        max(cell_len(text_line) for cell in column for text_line in cell.splitlines())
        for column in zip(heads, *lines, strict=True)
    ]
    # Text is never read as markup: a folder may be called `[red]`.
    rich_table = Table(
        title=Text(f"{table.name}: {table.title}"),
        title_justify="left",
        box=None,
        pad_edge=False,
        # Without a width of its own it takes from its columns what the terminal lacks.
        width=sum(widths) + _BETWEEN * (len(widths) - 1),
    )
    for head, width in zip(heads, widths, strict=True):
        rich_table.add_column(Text(head), no_wrap=True, min_width=width)
    for line in lines:
        rich_table.add_row(*map(Text, line))
    return rich_table


def heading(measure: str) -> str:
    """Return the heading of a column.

    Example:
        >>> heading("partial_auc"), heading("ap@0.5")
        ('pAUC', 'AP@0.5')
    """
    return _HEADINGS.get(measure, measure.upper())


def footnotes(table: MeasuredTable) -> list[str]:
    """Return the reasons of the marks, what is to be known of rows, and of the whole table.

    Among the latter is, for each dataset that was tested on, what a detector would score that
    knows nothing but how long clips are silent at first.
    """
    marks = [f"{WRONG}{number} {reason}" for reason, number in _numbered(table).items()]
    of_rows: dict[str, list[str]] = {}
    for row in table.rows:
        for footnote in row.notes:
            of_rows.setdefault(footnote, []).append(_name(row))
    rows = [
        f"{footnote} ({'; '.join(dict.fromkeys(names))})" for footnote, names in of_rows.items()
    ]
    by_dataset = {row.tested_on: row.silence for row in table.rows if row.silence}
    silences = [
        f"on {dataset}, looking only at how long clips are silent at first would reach AUC "
        f"{' '.join(_with_ends(silence.auc, table.digits))}; clips with audio: {silence.num_clips}"
        for dataset, silence in by_dataset.items()
    ]
    return [*marks, *rows, *silences, *table.notes]


def setup_line(table: MeasuredTable) -> str:
    """Summarize how our result was trained, on one line."""
    setup = table.setup
    front_ends = ", ".join(f"{m} {name}" for m, name in setup["front_ends"].items())
    runs = {run.run: run for row in table.rows for run in row.runs}
    sizes = {
        f"{run.num_train} to learn from, {run.num_validation} to stop by" for run in runs.values()
    }
    parts = [
        f"snippets of {setup['stride_s']:g} s",
        front_ends,
        f"preset {setup['preset']}",
        f"seeds {', '.join(map(str, setup['seeds']))}"
        + (", mean ± standard deviation" if len(setup["seeds"]) > 1 else ""),
        f"clips: {'; '.join(sorted(sizes)) or 'none'}",
        f"{setup['num_resamples']} draws by identity for the 95 % intervals",
        f"measured: {setup['measured']}",
    ]
    return f"Ours: {'; '.join(parts)}."


_HEADS = ("trained on", "tested on", "method", "whose")
_COLUMNS = (
    *("table", "trained_on", "tested_on", "method", "status", "stand_in", "measure", "seeds"),
    *("value", "low", "high", "mean", "sd", "lowest", "highest"),
    *("reported", "contradicts", "leading_silence_auc", "notes"),
    *("difference", "difference_low", "difference_high"),
)


def _lines(table: MeasuredTable, *, newline: str) -> Iterator[list[str]]:
    """Yield the lines of a table: ours, where there is any, above what is reported."""
    footnote_numbers = _numbered(table)
    for row in table.rows:
        head = [row.trained_on or "-", row.tested_on, row.method]
        if row.status == "measured":
            ours = [_ours(cell, table.digits, newline) for cell in row.cells]
            yield [*head, f"ours, {_STAND_IN}" if row.stand_in else "ours", *ours]
        reported = []
        for value in (cell.reported for cell in row.cells):
            marks = ",".join(str(footnote_numbers[m]) for m in value.marks) if value else ""
            number = _number(value.value, table.digits) if value else "-"
            reported.append(f"{number} {WRONG}{marks}" if marks else number)
        is_plain = row.status in {"measured", "reported"}
        if any(cell.reported for cell in row.cells):
            whose = "reported" if is_plain else f"reported (ours: {row.status})"
            yield [*head, whose, *reported]
        elif not is_plain:
            yield [*head, f"ours: {row.status}", *reported]


def _ours(cell: Cell, digits: int, newline: str) -> str:
    if not cell.ours:
        return "-"
    first = cell.ours[0]
    lines = _with_ends(first, digits)
    if len(cell.ours) > 1:
        lines = [
            f"{_number(cell.mean, digits)} ± {_number(cell.sd, digits)}",
            f"seeds {_range(*cell.span, digits)}",
            " ".join(["first", *lines]),
        ]
    if cell.difference is not None:
        lines.append(" ".join(["difference", *_with_ends(cell.difference, digits, sign="+")]))
    return newline.join(lines)


def _with_ends(number: Interval, digits: int, *, sign: str = "") -> list[str]:
    """Return a figure, and the ends of its interval if it has any."""
    ends = _range(number.low, number.high, digits, sign=sign)
    return [_number(number.value, digits, sign=sign), *([ends] if ends else [])]


def _numbered(table: MeasuredTable) -> dict[str, int]:
    """Return the reasons of the table's marks, numbered as they come."""
    reasons = dict.fromkeys(
        reason
        for row in table.rows
        for cell in row.cells
        if cell.reported
        for reason in cell.reported.marks
    )
    return {reason: number for number, reason in enumerate(reasons, start=1)}


def _number(value: float, digits: int, *, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.{digits}f}"


def _range(low: float, high: float, digits: int, *, sign: str = "") -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"({_number(low, digits, sign=sign)} to {_number(high, digits, sign=sign)})"


def _name(row: MeasuredRow) -> str:
    if row.trained_on is None:
        return f"{row.method} on {row.tested_on}"
    return f"{row.method}, {row.trained_on} to {row.tested_on}"


def _piped(parts: list[str]) -> str:
    escaped = (text.replace("|", "\\|") for text in parts)
    return f"| {' | '.join(escaped)} |"


def _flat(table: MeasuredTable, row: MeasuredRow, cell: Cell) -> dict[str, Any]:
    first = cell.ours[0] if cell.ours else Interval(math.nan, math.nan, math.nan)
    lowest, highest = cell.span
    difference = cell.difference or Interval(math.nan, math.nan, math.nan)
    values = {
        "value": first.value,
        "low": first.low,
        "high": first.high,
        "mean": cell.mean,
        "sd": cell.sd,
        "lowest": lowest,
        "highest": highest,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
    }
    return {
        "table": table.name,
        "trained_on": row.trained_on or "",
        "tested_on": row.tested_on,
        "method": row.method,
        "status": row.status,
        "stand_in": _STAND_IN if row.stand_in else "",
        "measure": cell.measure,
        "seeds": " ".join(str(run.seed) for run in row.runs),
        **{name: "" if math.isnan(value) else value for name, value in values.items()},
        "reported": cell.reported.value if cell.reported else "",
        "contradicts": "; ".join(cell.reported.marks) if cell.reported else "",
        "leading_silence_auc": row.silence.auc.value if row.silence else "",
        "notes": "; ".join(row.notes),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    lowest, highest = cell.span
    return {
        "measure": cell.measure,
        "ours": [_interval(interval) for interval in cell.ours],
        "mean": _finite(cell.mean),
        "sd": _finite(cell.sd),
        "lowest": _finite(lowest),
        "highest": _finite(highest),
        "reported": cell.reported.value if cell.reported else None,
        "contradicts": list(cell.reported.marks) if cell.reported else [],
        "difference": _interval(cell.difference) if cell.difference else None,
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: _finite(end) for name, end in asdict(interval).items()}


def _finite(value: float) -> float | None:
    """Return a figure as JSON can hold it, which knows no NaN."""
    return None if math.isnan(value) else value
