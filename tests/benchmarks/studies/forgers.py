"""One training for each forger, without the files that it worked on."""

from collections.abc import Iterator, Sequence

import numpy as np

from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Metric
from mmmsba_plugin.record import Record
from studies.metrics import (
    NUM_RESAMPLES,
    bootstrapped,
    cells,
    mean,
    metrics_of,
    passes,
)
from studies.variants import Records, Reports, Variant


def forgers(records: Sequence[Record]) -> list[Variant]:
    """Return a variant for each forger that worked alone on files."""
    kinds = {record.kind for record in records if record.fake and record.kind}
    return [Variant(f"without {kind}", without=kind) for kind in sorted(kinds) if "+" not in kind]


def forgers_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    place = _places(records_of)
    metrics: dict[tuple[str, str], Metric] = {}
    counts: dict[str, int] = {}
    for variant, records in records_of.items():
        kind = str(variant.without)
        counts[kind] = sum(record.fake for record in records)
        if counts[kind]:
            auc = metrics_of(kind, records, reports[variant])["auc"]
            metrics[kind, "auc"] = _within(auc, [place[record.key] for record in records])
    together = mean(list(metrics.values()))
    everything = [record for records in records_of.values() for record in records]
    clusters = list({record.key: record for record in everything}.values())
    intervals = bootstrapped(
        {**metrics, ("mean", "auc"): together}, clusters, num_resamples=NUM_RESAMPLES
    )
    yield "## Forgers that it never learned from"
    yield ""
    yield (
        "Each row is one network, trained as those of the bundled weights are"
        f"{passes(epochs)}, but without any file that this forger worked on, and measured on "
        "files of people it never saw: those that this forger alone worked on, against the real "
        "ones. 95 % intervals over people."
    )
    yield ""
    yield "| forger | fake files | clip AUC | 95 % interval |"
    yield "|---|---|---|---|"
    for kind, count in counts.items():
        if count:
            yield f"| {kind} | {count} | {cells(intervals[kind, 'auc'])} |"
    yield f"| **mean of all** | {sum(counts.values())} | {cells(intervals['mean', 'auc'])} |"
    yield ""


def _places(records_of: Records) -> dict[str, int]:
    """Number the records of all variants, each once."""
    keys = dict.fromkeys(record.key for records in records_of.values() for record in records)
    return {key: place for place, key in enumerate(keys)}


def _within(metric: Metric, indices: Sequence[int]) -> Metric:
    """Return a metric of some clips as one of all clips."""
    places = {clip: place for place, clip in enumerate(indices)}

    def of_all(draw: Draw) -> float:
        mine = [places[clip] for clip in draw.clips.tolist() if clip in places]
        return metric(Draw(np.array(mine, dtype=np.int64)))

    return of_all
