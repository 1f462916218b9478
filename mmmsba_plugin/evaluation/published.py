"""Published results on the datasets of this field, to be shown beside our own.

No figure here is a target. Papers differ in split, evaluator and training set, and some tables
contradict themselves; each result carries where it was read, what keeps it from being
compared, and for each figure that cannot be right, why. What was read in work by others than
its authors is marked: it has to be looked up before it is relied on.

The figures lie in ``published.json``, one result a line.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from mmmsba_plugin.errors import ConfigError

Task = Literal["localization", "detection"]
TASKS: tuple[Task, ...] = get_args(Task)

#: How far a figure can be relied on.
Mark = Literal["reported", "third-party", "contradicts itself"]

#: Behind a figure that others than its authors tell.
_THIRD_PARTY = "*"
_NO_COMPARISON = "as reported, on splits and by evaluators that differ: no comparison by itself"
_CHALLENGE_SCORE = "challenge_score"
#: Attributes of a published result that JSON can hold as they are.
_JSON_ATTRIBUTES = ("method", "split", "trained_on", "source", "mark", "venue", "year")
#: What that is the mean of: of both halves alike, whichever has more figures.
_CHALLENGE_HALVES = (
    tuple(f"ap@{tiou}" for tiou in ("0.5", "0.75", "0.9", "0.95")),
    tuple(f"ar@{num}" for num in (50, 30, 20, 10, 5)),
)


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """Published result of one system on one dataset.

    Attributes:
        dataset: Name of its reader.
        split: Which part it was measured on, or ``not stated``.
        task: Whether forgeries were to be found, or fake clips told from real ones.
        method: What its authors call it.
        source: Where the figures were read.
        mark: ``third-party`` where that was not its authors' own work.
        values: By measure, named as :func:`~mmmsba_plugin.evaluation.evaluate.measure` names
            them, and ``challenge_score``; shares in [0, 1].
        venue: Where it was published, if known.
        year: When.
        trained_on: The dataset it learned from, if known.
        doubts: By measure, why the figure cannot be right: sentences.
        notes: What keeps the figures from being compared with others: sentences.
    """

    dataset: str
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
        """Return the reliability of the value of one metric."""
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
        system: What it is called; where a method has several rows, with what tells them apart.
        cells: By measure; each row of a table has the same.
        result: Where the figures are from; None for the one that was measured here.
    """

    system: str
    cells: Mapping[str, Cell]
    result: PublishedResult | None = None


def known_datasets() -> list[str]:
    """Return the datasets of which results are known, by their readers' names."""
    return list(_table()["datasets"])


def published(dataset: str, task: Task | None = None) -> list[PublishedResult]:
    """Select the published results on a dataset.

    Args:
        dataset: Name of its reader.
        task: Only results of this task; of both if not given.

    Raises:
        ConfigError: Nothing is known of such a dataset.

    Example:
        >>> [one.method for one in published("tvil", "localization")][:2]
        ['UMMAFormer', 'Enc-Dec']
    """
    if dataset not in known_datasets():
        raise ConfigError(
            f"no published results are known of {dataset!r}; choose from "
            f"{', '.join(known_datasets())}"
        )
    return [
        result
        for result in _all_results()
        if result.dataset == dataset and (task is None or result.task == task)
    ]


def beside(
    metrics: Mapping[str, float],
    dataset: str,
    *,
    task: Task = "localization",
    system: str = "measured here",
) -> list[Row]:
    """Return rows of a table that shows figures among published ones.

    Args:
        metrics: What was measured, by measure, the one that systems are ranked by first. Where
            others state a ``challenge_score``, it is computed from what it is the mean of.
        dataset: What it was measured on: name of its reader.
        task: Which results it is shown among.
        system: What the row of ``metrics`` is called.

    Returns:
        Rows from the highest of the first measure to the lowest, then those that do not state
        it; columns are those of ``metrics`` that any result states. Nothing where no result
        shares a measure.

    Raises:
        ConfigError: Nothing is known of such a dataset.

    Example:
        >>> rows = beside({"ap@0.5": 0.9}, "tvil")
        >>> [(row.system, row.cells["ap@0.5"].value) for row in rows][1:4]
        [('MMMS-BA', 0.9687), ('measured here', 0.9), ('UMMAFormer', 0.8868)]
    """
    score = challenge_score(metrics)
    ours = metrics if math.isnan(score) else {**metrics, _CHALLENGE_SCORE: score}
    results = published(dataset, task)
    columns = [name for name in ours if any(name in result.values for result in results)]
    results = [result for result in results if any(name in result.values for name in columns)]
    rows = [Row(system, {name: Cell(ours[name]) for name in columns})]
    rows += [
        Row(
            _distinct_name(result, results), {name: _cell(result, name) for name in columns}, result
        )
        for result in results
    ]
    if not columns:
        return []
    # What is not stated ranks below zero.
    return sorted(
        rows,
        key=lambda row: [1.0 if math.isnan(c.value) else -c.value for c in row.cells.values()],
    )


def challenge_score(metrics: Mapping[str, float]) -> float:
    """Compute the score by which the AV-Deepfake1M challenges rank, in [0, 1].

    It is half the mean of AP@{0.5, 0.75, 0.9, 0.95} and half that of AR@{50, 30, 20, 10, 5}.

    Args:
        metrics: By measure, in official mode.

    Returns:
        NaN if one of the nine is missing.

    Example:
        >>> figures = {"ap@0.5": 1.0, "ap@0.75": 1.0, "ap@0.9": 0.5, "ap@0.95": 0.5}
        >>> challenge_score({**figures, **{f"ar@{num}": 0.5 for num in (50, 30, 20, 10, 5)}})
        0.625

    Source:
        Rules of the 2024 and 2025 1M-Deepfakes detection challenges.
    """
    halves = [[metrics.get(name, math.nan) for name in half] for half in _CHALLENGE_HALVES]
    return sum(sum(half) / len(half) for half in halves) / len(halves)


def reasons(rows: Sequence[Row]) -> dict[str, int]:
    """List the reasons for which values of a table cannot be right, numbered as they come."""
    unique_reasons = dict.fromkeys(
        why for row in rows for cell in row.cells.values() for why in cell.reasons
    )
    return {why: number for number, why in enumerate(unique_reasons, start=1)}


def sign(cell: Cell, footnote_numbers: Mapping[str, int]) -> str:
    """Return the footnote mark behind a value of a table; :func:`footnotes` explain it.

    Args:
        cell: The figure.
        footnote_numbers: The :func:`reasons` of the table.

    Example:
        >>> sign(Cell(0.9, "third-party"), {}), sign(Cell(0.9, reasons=("why",)), {"why": 3})
        ('*', '[3]')
    """
    mark = _THIRD_PARTY if cell.mark == "third-party" else ""
    return mark + "".join(f"[{footnote_numbers[why]}]" for why in cell.reasons)


def footnotes(rows: Sequence[Row]) -> list[str]:
    """List the footnotes of a table of systems, a line each.

    First what its signs mean, then what keeps rows from being compared, then where they are
    from. Nothing of a table without rows.
    """
    others = [(row.system, row.result) for row in rows if row.result is not None]
    if not others:
        return []
    lines = [_NO_COMPARISON]
    if any(cell.mark == "third-party" for row in rows for cell in row.cells.values()):
        lines.append(f"{_THIRD_PARTY} as others tell it; look it up before you rely on it")
    lines += [f"[{number}] {why}" for why, number in reasons(rows).items()]
    notes = ((footnote, system) for system, result in others for footnote in result.notes)
    lines += [f"{footnote} ({'; '.join(systems)})" for footnote, systems in _gathered(notes)]
    sources = ((_source(result), system) for system, result in others)
    return [*lines, *(f"{source}: {'; '.join(systems)}" for source, systems in _gathered(sources))]


def plain_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows as JSON can hold them: null where a figure is not known."""
    return [
        {
            "system": row.system,
            "values": {
                name: None if math.isnan(cell.value) else cell.value
                for name, cell in row.cells.items()
            },
            "doubts": {name: list(c.reasons) for name, c in row.cells.items() if c.reasons},
            "published": row.result
            and {name: getattr(row.result, name) for name in _JSON_ATTRIBUTES}
            | {"notes": list(row.result.notes)},
        }
        for row in rows
    ]


def _distinct_name(result: PublishedResult, among: Sequence[PublishedResult]) -> str:
    """Return a method's name, with no more behind it than tells its rows apart."""
    alike = [other for other in among if other.method == result.method]
    words = []
    for describe in _APART:
        if len({describe(other) for other in alike}) > 1:
            words.append(describe(result))
            alike = [other for other in alike if describe(other) == describe(result)]
    return f"{result.method} ({', '.join(words)})" if words else result.method


def _trained_on(result: PublishedResult) -> str:
    if result.trained_on is None:
        return "training set not stated"
    titles: Mapping[str, str] = _table()["datasets"]
    return f"trained on {titles[result.trained_on]}"


#: What may tell rows of one method apart, the most telling first.
_APART: tuple[Callable[[PublishedResult], str], ...] = (
    _trained_on,
    lambda result: f"split {result.split}",
    lambda result: result.source,
)


def _source(result: PublishedResult) -> str:
    split = "split not stated" if result.split == "not stated" else f"split {result.split}"
    return f"{result.source}, {split}, {_trained_on(result)}"


def _gathered(pairs: Iterator[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return each line once, with all systems that it is said of."""
    gathered: dict[str, list[str]] = {}
    for line, system in pairs:
        gathered.setdefault(line, []).append(system)
    return list(gathered.items())


def _cell(result: PublishedResult, measure: str) -> Cell:
    value = result.values.get(measure, math.nan)
    if measure == _CHALLENGE_SCORE and math.isnan(value):
        value = challenge_score(result.values)
    if math.isnan(value):
        return Cell()
    return Cell(value, result.mark_of(measure), result.doubts.get(measure, ()))


@cache
def _all_results() -> tuple[PublishedResult, ...]:
    table = _table()
    sentences = table["sentences"]
    results = []
    for row in table["results"]:
        # Sentences that several rows share stand once in the file.
        doubts = {name: _sentences(keys, sentences) for name, keys in row.get("doubts", {}).items()}
        notes = _sentences(row.get("notes", ()), sentences)
        results.append(PublishedResult(**{**row, "doubts": doubts, "notes": notes}))
    return tuple(results)


@cache
def _table() -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(
        (files("mmmsba_plugin.evaluation") / "published.json").read_text(encoding="utf-8")
    )


def _sentences(keys: Sequence[str], sentences: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sentences[key] for key in keys)
