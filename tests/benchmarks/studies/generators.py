"""One training for each generator of whole fakes, without its fakes and the people in them."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from mmmsba_plugin.evaluation.metrics.bootstrap import Draw
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report
from studies.metrics import (
    NUM_RESAMPLES,
    bootstrapped,
    cells,
    metrics_of,
    passes,
)
from studies.variants import FEWEST, Records, Reports, Variant, generators_of, is_whole_fake


def generators(records: Sequence[Record]) -> list[Variant]:
    """Return a variant for each generator of whole fakes."""
    names = Counter(name for r in records if is_whole_fake(r) for name in generators_of(r))
    return [
        Variant(f"without {name}", without_generator=name)
        for name, count in sorted(names.items())
        if count >= FEWEST and name != "unknown"
    ]


def generators_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    yield "## Generators that it never learned from"
    yield ""
    yield (
        "Each row is one network, trained as those of the bundled weights that learn from all clips"
        f"{passes(epochs)}, but without any fake of this generator, cut to one, or clip of a "
        "person in them. Its fakes are held against real clips of these people and of others who "
        "were never seen: fakes of whole clips as they are, cuts as forge encoded them. "
        "95 % intervals over people."
    )
    yield ""
    yield "| generator | fakes | against | clip AUC | 95 % interval | above their own | AP@0.5 |"
    yield "|---|---|---|---|---|---|---|"
    aucs: dict[str, list[float]] = {}
    for variant, records in records_of.items():
        for what, indices in _whole_and_cut(records):
            chosen = [records[i] for i in indices]
            chosen_reports = [reports[variant][i] for i in indices]
            metrics = metrics_of(variant.name, chosen, chosen_reports)
            auc = bootstrapped(
                {("it", "auc"): metrics["auc"]}, chosen, num_resamples=NUM_RESAMPLES
            )["it", "auc"]
            aucs.setdefault(what, []).append(auc.value)
            num_fake = sum(record.fake for record in chosen)
            ap = "" if what == "whole" else f"{metrics['ap@0.5'](_all(chosen)):.3f}"
            yield (
                f"| {variant.without_generator}, {what} | {num_fake} | {len(chosen) - num_fake} "
                f"| {cells(auc)} | {_above_own(chosen, chosen_reports)} | {ap} |"
            )
    for what, values in aucs.items():
        yield f"| **mean of all, {what}** | | | {np.mean(values):.3f} | | | |"
    yield ""


def _whole_and_cut(records: Sequence[Record]) -> Iterator[tuple[str, list[int]]]:
    """Yield places of whole fakes, then of cuts, each with real files of their datasets."""
    for what, whole in (("whole", True), ("cuts", False)):
        fakes = [i for i, r in enumerate(records) if r.fake and is_whole_fake(r) == whole]
        datasets = {_dataset_of(records[i]) for i in fakes}
        real = [i for i, r in enumerate(records) if not r.fake and _dataset_of(r) in datasets]
        if len(fakes) >= FEWEST:
            yield what, fakes + real


def _dataset_of(record: Record) -> str:
    """Return the number of a record's dataset, which is the same in both splits."""
    return record.key.split("/")[1]


def _above_own(records: Sequence[Record], reports: Sequence[Report]) -> str:
    """Count the fakes that score above their originals."""
    score = {r.key: report.score for r, report in zip(records, reports, strict=True)}
    pairs = [
        (score[record.key], score[record.original])
        for record in records
        if record.original in score
    ]
    both = [(fake, real) for fake, real in pairs if fake is not None and real is not None]
    return f"{sum(fake > real for fake, real in both)} of {len(both)}" if both else ""


def _all(records: Sequence[Record]) -> Draw:
    return Draw(np.arange(len(records)))
