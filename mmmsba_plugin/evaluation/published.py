"""What others report on the corpora of this field, to be shown beside what is measured here.

No figure here is a target. Papers differ in split, evaluator and training set, and some tables
contradict themselves; each result carries where it was read, what keeps it from being
compared, and for each figure that cannot be right, why. What was read in work by others than
its authors is marked: it has to be looked up before it is relied on.

The figures lie in ``published.json``, one result a line.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Task = Literal["localization", "detection"]

#: How far a figure can be relied on.
Mark = Literal["reported", "third-party", "contradicts itself"]

#: What a table puts behind a figure, and what that means.
SIGNS: Mapping[Mark, str] = {"reported": "", "third-party": "*", "contradicts itself": "!"}
LEGEND: Mapping[Mark, str] = {
    "reported": "as its authors report it",
    "third-party": "read in work by others; look it up before you rely on it",
    "contradicts itself": "cannot be right as reported",
}


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """What one system is said to reach on one corpus.

    Attributes:
        corpus: Name of its reader.
        split: Which part it was measured on, or ``not stated``.
        task: Whether forgeries were to be found, or forged clips told from genuine ones.
        method: What its authors call it.
        source: Where the figures were read.
        mark: ``third-party`` where that was not its authors' own work.
        values: By measure, named as :func:`~mmmsba_plugin.evaluation.measure.measure` names
            them; shares in [0, 1].
        venue: Where it was published, if known.
        year: When.
        trained_on: The corpus it learned from, if known.
        doubts: By measure, why the figure cannot be right: sentences.
        notes: What keeps the figures from being compared with others: sentences.
    """

    corpus: str
    split: str
    task: Task
    method: str
    source: str
    mark: Literal["reported", "third-party"]
    values: Mapping[str, float]
    venue: str | None = None
    year: int | None = None
    trained_on: str | None = None
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def mark_of(self, measure: str) -> Mark:
        """Return how far the figure of one measure can be relied on."""
        return "contradicts itself" if measure in self.doubts else self.mark


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in a table of systems.

    Attributes:
        value: NaN where it is not known.
        mark: How far it can be relied on; None for one that was measured here.
        reasons: Why it cannot be right, if it cannot: sentences.
    """

    value: float = math.nan
    mark: Mark | None = None
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A system in a table of systems.

    Attributes:
        system: What it is called.
        cells: By measure; each row of a table has the same.
        result: Where the figures are from; None for the one that was measured here.
    """

    system: str
    cells: Mapping[str, Cell]
    result: PublishedResult | None = None


def published(corpus: str, task: Task | None = None) -> list[PublishedResult]:
    """Return what is reported on a corpus; nothing for one that is not known.

    Args:
        corpus: Name of its reader.
        task: Only results of this task; of both if not given.

    Example:
        >>> [one.method for one in published("tvil", "localization")][:2]
        ['UMMAFormer', 'Enc-Dec']
    """
    return [
        one for one in _all_results() if one.corpus == corpus and (task is None or one.task == task)
    ]


def beside(
    numbers: Mapping[str, float],
    corpus: str,
    *,
    task: Task = "localization",
    system: str = "measured here",
) -> list[Row]:
    """Return rows of a table that shows figures among published ones.

    Args:
        numbers: What was measured, by measure, the one that systems are ranked by first.
        corpus: What it was measured on: name of its reader.
        task: Which results it is shown among.
        system: What the row of ``numbers`` is called.

    Returns:
        Rows from the highest of the first measure to the lowest, then those that do not state
        it; columns are those of ``numbers`` that any result states. Nothing for a corpus
        without results that share a measure.

    Example:
        >>> rows = beside({"ap@0.5": 0.9}, "tvil")
        >>> [(row.system, row.cells["ap@0.5"].value) for row in rows][1:4]
        [('MMMS-BA', 0.9687), ('measured here', 0.9), ('UMMAFormer', 0.8868)]
    """
    results = published(corpus, task)
    columns = [name for name in numbers if any(name in one.values for one in results)]
    rows = [Row(system, {name: Cell(numbers[name]) for name in columns})]
    rows += [
        Row(one.method, {name: _cell(one, name) for name in columns}, one)
        for one in results
        if any(name in one.values for name in columns)
    ]
    return sorted(rows, key=_rank) if columns else []


def _cell(result: PublishedResult, measure: str) -> Cell:
    if measure not in result.values:
        return Cell()
    reasons = result.doubts.get(measure, ())
    return Cell(result.values[measure], result.mark_of(measure), reasons)


def _rank(row: Row) -> list[float]:
    # What is not stated ranks below zero.
    values = [cell.value for cell in row.cells.values()]
    return [1.0 if math.isnan(value) else -value for value in values]


@cache
def _all_results() -> tuple[PublishedResult, ...]:
    table = json.loads(
        (files("mmmsba_plugin.evaluation") / "published.json").read_text(encoding="utf-8")
    )
    return tuple(_result(row, table["sentences"]) for row in table["results"])


def _result(row: Mapping[str, Any], sentences: Mapping[str, str]) -> PublishedResult:
    """Return a row of the file; sentences that several rows share stand in it once."""
    doubts = {name: _said(keys, sentences) for name, keys in row.get("doubts", {}).items()}
    return PublishedResult(
        **{**row, "doubts": doubts, "notes": _said(row.get("notes", ()), sentences)}
    )


def _said(keys: Sequence[str], sentences: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sentences[key] for key in keys)
