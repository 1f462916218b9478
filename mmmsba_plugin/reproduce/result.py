"""A table as it was measured: ours and the paper's, cell by cell."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.reproduce.tables import Reported

#: So many seeds have a deviation.
_LEAST_FOR_SD = 2

#: ``measured``: ours is there. ``reported``: somebody else's row, which is only quoted.
#: ``no data``: a dataset was not given. ``failed``: it was, and it could not be done.
Status = Literal["measured", "reported", "no data", "failed"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure of one row.

    Attributes:
        measure: Its name.
        ours: One figure a seed, with its 95 % interval; none if it was not measured.
        reported: What the paper says; None where it says nothing.
        difference: From the row's baseline, the mean over seeds; None without a baseline.
    """

    measure: str
    ours: tuple[Interval, ...] = ()
    reported: Reported | None = None
    difference: Interval | None = None

    @property
    def mean(self) -> float:
        """The mean over seeds; NaN if there is none, or one of them is not defined."""
        values = [interval.value for interval in self.ours]
        return sum(values) / len(values) if values else math.nan

    @property
    def sd(self) -> float:
        """The standard deviation over seeds, of the sample; NaN of fewer than two."""
        values = [interval.value for interval in self.ours]
        if len(values) < _LEAST_FOR_SD or any(map(math.isnan, values)):
            return math.nan
        return statistics.stdev(values)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest over seeds; NaN if there is none."""
        values = [interval.value for interval in self.ours] or [math.nan]
        return min(values), max(values)


@dataclass(frozen=True, slots=True)
class Run:
    """Training and test behind the metrics of one seed.

    Attributes:
        seed: Of the training run.
        run: Its name below ``runs/``.
        num_train: Clips it learned from.
        num_validation: Clips it was stopped and adjusted by.
        num_skipped: Clips of both that could not be used.
        threshold: From which score a clip counts as fake; chosen on the validation clips.
        num_real: Real test clips that were evaluated.
        num_fake: Fake test clips that were evaluated.
        not_evaluated: The test clips that were not, and why.
    """

    seed: int
    run: str
    num_train: int
    num_validation: int
    num_skipped: int
    threshold: float | None
    num_real: int
    num_fake: int
    not_evaluated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """AUC of a detector that knows nothing but how long clips are silent at first.

    Attributes:
        auc: See :func:`mmmsba_plugin.evaluation.silence_audit.silence_auc`.
        num_clips: How many clips it was measured on: those with audio.
    """

    auc: Interval
    num_clips: int


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One row of a table.

    Attributes:
        method: Whose figures they are.
        trained_on: Dataset as tables call it; None for other people's rows.
        tested_on: The same.
        status: Whether there are figures of ours, and why not.
        cells: One a measure.
        stand_in: Whether another dataset stands in for one of the paper's: then ours is no
            result on that dataset.
        notes: What a reader must know of the row.
        runs: What stands behind the figures, one a seed.
        silence: What leading silence alone would score on the clips of the test; None where it
            was not measured, or those with audio are of one class.
    """

    method: str
    trained_on: str | None
    tested_on: str
    status: Status
    cells: tuple[Cell, ...]
    stand_in: bool = False
    notes: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class MeasuredTable:
    """One table.

    Attributes:
        name: What the command calls it.
        title: What it shows.
        metrics: Its columns.
        digits: Behind the point.
        rows: Its rows.
        setup: How ours was made, by plain names and values.
        notes: What a reader must know of all of it.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    digits: int
    rows: tuple[MeasuredRow, ...]
    setup: Mapping[str, Any]
    notes: tuple[str, ...] = ()
