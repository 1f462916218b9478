"""Measures tables: each row by the networks it needs, beside what the paper reports."""

from collections.abc import Sequence

from mmmsba_plugin.errors import (
    CheckpointError,
    DatasetError,
    FeatureError,
    PredictionsError,
    TrainingError,
)
from mmmsba_plugin.evaluation.evaluate import compare_runs
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.evaluation.tables import GroundTruth
from mmmsba_plugin.reproduce.datasets import TITLES, is_stand_in, title
from mmmsba_plugin.reproduce.networks import Measured, Networks
from mmmsba_plugin.reproduce.plan import Row, Table
from mmmsba_plugin.reproduce.result import Cell, MeasuredRow, MeasuredTable, Status

THRESHOLD_NOTE = (
    "accuracy and the rates of true and false positives are taken at the threshold that was "
    "chosen on the validation clips; the paper does not say where it took them"
)
#: What is wrong with one dataset, and must not cost the rows of the others.
_OF_ONE_DATASET = (CheckpointError, DatasetError, FeatureError, PredictionsError, TrainingError)


class Reproduction:
    """Measure tables one by one; training runs and answers are shared between them.

    Args:
        networks: What trains, runs and measures them.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.datasets, self.settings = networks.datasets, networks.settings

    def table(self, table: Table) -> MeasuredTable:
        """Return a table with ours in it, as far as its datasets were given."""
        self.networks.on_step(f"measuring {table.name}")
        rows = tuple(self._row(row, table) for row in table.rows)
        features = self.settings.fit.features
        return MeasuredTable(
            name=table.name,
            title=table.title,
            metrics=table.metrics,
            digits=table.digits,
            rows=rows,
            setup={
                "stride_s": features.stride_s,
                "front_ends": {m: choice.name for m, choice in features.front_ends.items()},
                "preset": self.settings.fit.preset,
                "seeds": list(self.settings.seeds),
                "limit": self.settings.limit,
                "num_resamples": self.settings.num_resamples,
                "corpora": {name: title(dataset) for name, dataset in self.datasets.items()},
                "measured": "clips; AP and AR as AV-Deepfake1M's evaluator measures them",
            },
            notes=table.notes if table.localizes else (*table.notes, THRESHOLD_NOTE),
        )

    def _row(self, row: Row, table: Table) -> MeasuredRow:
        if row.training is None:
            return _measured_row(row, table, status="reported")
        needed = {row.training.dataset: None, row.test: None}
        if absent := [TITLES[name] for name in needed if name not in self.datasets]:
            missing = f"no data given: {' and '.join(absent)}"
            return _measured_row(row, table, status="no data", notes=(missing,))
        try:
            measured = self._measure(row, table)
            differences = self._differences(row, measured, table)
        except _OF_ONE_DATASET as error:
            self.networks.on_step(f"could not be done: {error}")
            return _measured_row(
                row, table, status="failed", notes=(f"could not be done: {error}",)
            )
        used = [self.datasets[name] for name in needed]
        tested = self.datasets[row.test]
        return MeasuredRow(
            method=row.method,
            trained_on=title(self.datasets[row.training.dataset]),
            tested_on=title(tested),
            status="measured",
            cells=tuple(
                Cell(
                    name,
                    tuple(of_seed.evaluation.intervals[name] for of_seed in measured),
                    row.reported.get(name),
                    differences.get(name),
                )
                for name in table.metrics
            ),
            stand_in=any(is_stand_in(dataset) for dataset in used),
            notes=(
                *self._row_notes(row),
                *dict.fromkeys(sentence for of_seed in measured for sentence in of_seed.notes),
            ),
            runs=tuple(of_seed.run for of_seed in measured),
            silence=self.networks.silence(row.test),
        )

    def _row_notes(self, row: Row) -> tuple[str, ...]:
        """Return the notes on a row that hold whatever was measured."""
        is_tested_itself = not is_stand_in(self.datasets[row.test])
        notes = (*row.notes, *row.of_dataset) if is_tested_itself else row.notes
        baseline = row.baseline
        if baseline is None or baseline.training is None:
            return notes
        name = f"{baseline.method} trained on {title(self.datasets[baseline.training.dataset])}"
        return (*notes, f"difference: clip by clip from {name}, over all seeds")

    def _measure(self, row: Row, table: Table) -> list[Measured]:
        """Measure a row of ours with each seed."""
        return [
            self.networks.measured(
                row.training, row.test, seed, localizes=table.localizes, missing=row.missing
            )
            for seed in self.settings.seeds
        ]

    def _differences(
        self, row: Row, measured: Sequence[Measured], table: Table
    ) -> dict[str, Interval]:
        """Compute by how much a row exceeds its baseline, paired by seed and clip."""
        if row.baseline is None:
            return {}
        baselines = self._measure(row.baseline, table)
        return compare_runs(
            [
                (ours.predictions, baseline.predictions)
                for ours, baseline in zip(measured, baselines, strict=True)
            ],
            GroundTruth.of(self.networks.tested(row.test).records),
            num_resamples=self.settings.num_resamples,
        )


def _measured_row(
    row: Row, table: Table, *, status: Status, notes: tuple[str, ...] = ()
) -> MeasuredRow:
    """Return a row without figures of ours."""
    return MeasuredRow(
        method=row.method,
        trained_on=TITLES[row.training.dataset] if row.training else None,
        tested_on=TITLES[row.test],
        status=status,
        cells=tuple(Cell(name, reported=row.reported.get(name)) for name in table.metrics),
        notes=(*row.notes, *row.of_dataset, *notes),
    )
