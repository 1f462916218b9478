"""Train variants of the bundled preset, and evaluate each on identities that none of them saw.

    python tests/benchmarks/trainings.py ablations CORPUS DEV... -o RUNS [--card CHECKPOINT]
    python tests/benchmarks/trainings.py forgers CORPUS DEV... -o RUNS [--card CHECKPOINT]

``ablations`` trains the attentions and the sets of modalities of the paper, each with three
seeds. ``forgers`` trains once for each forger, without the files that it worked on, and looks at
the files of ``DEV`` that it alone worked on; a second ``DEV`` of forgers of audio alone gives each
of them more files. Each is one network, not an ensemble. ``CORPUS`` and ``DEV`` are what ``mmmsba
forge`` wrote of split train and of split dev. Runs are kept in ``RUNS``, and one that is there is
not trained again. The table goes into the card of ``CHECKPOINT``, if one is given.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from sections import put_section

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.evaluation.collect import collect_metrics
from mmmsba_plugin.evaluation.evaluate import NUM_PROPOSALS
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, Metric, bootstrap
from mmmsba_plugin.evaluation.metrics.localization import TIOUS
from mmmsba_plugin.evaluation.run import Result, tables
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report

TRAINING = Path(__file__).parents[2] / "mmmsba_plugin" / "weights" / "training.json"
SEEDS = (0, 1, 2)
ATTENTIONS = ("mmms-ba", "mmus-sa", "ms-sa", "none")
LETTERS = {"V": "face", "L": "lips", "A": "audio"}
METRICS = ("auc", "snippet_auc", "ap@0.5", "ar@20")
WHOLE = "MMMS-BA, V+L+A"


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One training: what differs from the preset, and which forger is unknown to it."""

    name: str
    seed: int = 0
    network: Mapping[str, Any] = field(default_factory=dict)
    letters: str = "VLA"
    without: str | None = None

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"{self.name}-{self.seed}".replace(" ", "").replace(",", "-").lower()

    def config(self, epochs: int | None) -> FitConfig:
        """Return its settings."""
        training = json.loads(TRAINING.read_text(encoding="utf-8"))
        config = FitConfig.read({**training, "network": {"members": 1, **self.network}})
        changes: dict[str, Any] = {"seed": self.seed}
        if epochs is not None:
            changes["max_epochs"] = epochs
        features = config.features.only([LETTERS[letter] for letter in self.letters])
        return config.model_copy(
            update={"train": config.train.model_copy(update=changes), "features": features}
        )


def ablations() -> list[Variant]:
    """Return the paper's ablations, the whole network first."""
    by_attention = [
        Variant(f"{attention.upper()}, V+L+A", seed, {"attention": attention})
        for attention in ATTENTIONS
        for seed in SEEDS
    ]
    by_modality = [
        Variant(f"MMMS-BA, {'+'.join(letters)}", seed, letters=letters)
        for letters in ("VL", "VA", "LA")
        for seed in SEEDS
    ]
    return by_attention + by_modality


def forgers(dataset: Path) -> list[Variant]:
    """Return a variant for each forger that worked alone on files of a dataset."""
    kinds = {record.kind for record in read_lavdf(dataset) if record.fake}
    return [Variant(f"without {kind}", without=kind) for kind in sorted(kinds) if "+" not in kind]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("ablations", "forgers"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("dev", type=Path, nargs="+")
    parser.add_argument("-o", "--runs", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--epochs", type=int, help="passes, where not as many as the preset's")
    parser.add_argument("--card", type=Path, metavar="CHECKPOINT")
    options = parser.parse_args()
    variants = ablations() if options.what == "ablations" else forgers(options.dataset)
    work = partial(
        reports_of,
        dataset=options.dataset,
        dev=options.dev,
        runs=options.runs,
        epochs=options.epochs,
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        reports = dict(zip(variants, pool.map(work, variants), strict=True))
    table = _ablations if options.what == "ablations" else _forgers
    lines = list(table(reports, read_all(options.dev), options.epochs))
    sys.stdout.write("\n".join(lines) + "\n")
    if options.card:
        put_section(options.card / CARD, options.what, lines)


def read_all(datasets: Sequence[Path]) -> list[Record]:
    """Return the records of several datasets, whose files may have the same names."""
    return [
        replace(record, key=f"{number}/{record.key}")
        for number, dataset in enumerate(datasets)
        for record in read_lavdf(dataset)
    ]


def reports_of(
    variant: Variant, *, dataset: Path, dev: Sequence[Path], runs: Path, epochs: int | None
) -> list[Report]:
    """Read a variant's reports of the clips of ``dev``; train and run it first where need be."""
    path = runs / variant.folder / "dev.jsonl"
    if not path.is_file():
        reports = _train_and_run(variant, dataset, dev, path.parent, epochs)
        lines = [report.model_dump_json() for report in reports]
        path.write_text("\n".join(lines), encoding="utf-8")
    return [Report.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


def evaluation_records(variant: Variant, dev: Sequence[Path]) -> list[Record]:
    """Select the files that a variant is evaluated on: real ones, and the forger it never saw."""
    records = read_all(dev)
    return [r for r in records if not variant.without or not r.fake or r.kind == variant.without]


def _train_and_run(
    variant: Variant, dataset: Path, dev: Sequence[Path], out: Path, epochs: int | None
) -> list[Report]:
    import torch

    from mmmsba_plugin import Detector
    from mmmsba_plugin.evaluation.run import run
    from mmmsba_plugin.features.cache import FeatureCache
    from mmmsba_plugin.training.fit import fit

    torch.set_num_threads(1)
    cache = FeatureCache()
    training_records = [r for r in read_lavdf(dataset) if variant.without not in r.kind.split("+")]
    fit(training_records, variant.config(epochs), out, cache=cache)
    detector = Detector.from_pretrained(out, cache=cache)
    sys.stderr.write(f"{variant.name}, seed {variant.seed}\n")
    return [result.report for result in run(detector, evaluation_records(variant, dev))]


Reports = Mapping[Variant, Sequence[Report]]


def _metrics(name: str, records: Sequence[Record], reports: Sequence[Report]) -> dict[str, Metric]:
    predictions, ground_truth = tables(
        [Result(record, report) for record, report in zip(records, reports, strict=True)], name=name
    )
    metrics = collect_metrics(
        predictions, ground_truth, mode="official", tious=TIOUS, num_proposals=NUM_PROPOSALS
    ).metrics
    return {name: metrics[name] for name in METRICS}


def _mean(metrics: Sequence[Metric]) -> Metric:
    return lambda draw: float(np.mean([metric(draw) for metric in metrics]))


def _less(first: Metric, second: Metric) -> Metric:
    def difference(draw: Draw) -> float:
        return first(draw) - second(draw)

    return difference


def _ablations(reports: Reports, records: Sequence[Record], epochs: int | None) -> Iterator[str]:
    by_name: dict[str, dict[str, Metric]] = {}
    for name in dict.fromkeys(variant.name for variant in reports):
        of_seeds = [
            _metrics(name, records, seed_reports)
            for v, seed_reports in reports.items()
            if v.name == name
        ]
        by_name[name] = {f: _mean([metrics[f] for metrics in of_seeds]) for f in METRICS}
    metrics = {(name, f): metric for name, row in by_name.items() for f, metric in row.items()}
    gains = {
        (name, f"{f} less"): _less(row[f], by_name[WHOLE][f])
        for name, row in by_name.items()
        for f in ("auc", "snippet_auc")
        if name != WHOLE
    }
    # An average precision takes long, and none of its intervals is shown.
    intervals = _bootstrapped(metrics, records, num_resamples=0)
    intervals |= _bootstrapped(gains, records, num_resamples=500)
    yield "## The paper's ablations, on fake clips"
    yield ""
    yield (
        f"Means over {len(SEEDS)} seeds, each one network trained as those of the bundled weights "
        f"are{_passes(epochs)}; measured on {len(records)} files of people that none saw; behind "
        f"each AUC, by how much it exceeds that of {WHOLE}, with paired 95 % intervals over people."
        " V is the face, L the lips, A the audio."
    )
    yield ""
    yield "| network | clip AUC | | snippet AUC | | AP@0.5 | AR@20 |"
    yield "|---|---|---|---|---|---|---|"
    for name in by_name:
        value = {f: f"{intervals[name, f].value:.3f}" for f in METRICS}
        gain = {f: _gain(intervals.get((name, f"{f} less"))) for f in METRICS}
        first, second, *others = METRICS
        cells = [value[first], gain[first], value[second], gain[second], *map(value.get, others)]
        yield f"| {name} | {' | '.join(map(str, cells))} |"
    yield ""


def _forgers(reports: Reports, records: Sequence[Record], epochs: int | None) -> Iterator[str]:
    metrics: dict[tuple[str, str], Metric] = {}
    counts: dict[str, int] = {}
    for variant, kind_reports in reports.items():
        kind = str(variant.without)
        indices = [i for i, r in enumerate(records) if not r.fake or r.kind == kind]
        counts[kind] = sum(records[i].fake for i in indices)
        if counts[kind]:
            kind_metrics = _metrics(kind, [records[i] for i in indices], kind_reports)
            metrics[kind, "auc"] = _within(kind_metrics["auc"], indices)
    together = _mean(list(metrics.values()))
    intervals = _bootstrapped({**metrics, ("mean", "auc"): together}, records, num_resamples=500)
    yield "## Forgers that it never learned from"
    yield ""
    yield (
        "Each row is one network, trained as those of the bundled weights are"
        f"{_passes(epochs)}, but without any file that this forger worked on, and measured on "
        "files of people it never saw: those that this forger alone worked on, against the real "
        "ones. 95 % intervals over people."
    )
    yield ""
    yield "| forger | fake files | clip AUC | 95 % interval |"
    yield "|---|---|---|---|"
    for kind, count in counts.items():
        if count:
            yield f"| {kind} | {count} | {_row(intervals[kind, 'auc'])} |"
    yield f"| **mean of all** | {sum(counts.values())} | {_row(intervals['mean', 'auc'])} |"
    yield ""


def _within(metric: Metric, indices: Sequence[int]) -> Metric:
    """Return a metric of some clips as one of all clips."""
    places = {clip: place for place, clip in enumerate(indices)}

    def of_all(draw: Draw) -> float:
        mine = [places[clip] for clip in draw.clips.tolist() if clip in places]
        return metric(Draw(np.array(mine, dtype=np.int64)))

    return of_all


def _bootstrapped(
    metrics: Mapping[tuple[str, str], Metric], records: Sequence[Record], *, num_resamples: int
) -> dict[tuple[str, str], Interval]:
    names = {f"{name}/{metric}": (name, metric) for name, metric in metrics}
    intervals = bootstrap(
        {label: metrics[key] for label, key in names.items()},
        clusters=[record.identity for record in records],
        num_resamples=num_resamples,
    )
    return {key: intervals[label] for label, key in names.items()}


def _passes(epochs: int | None) -> str:
    return f", with {epochs} passes" if epochs is not None else ""


def _gain(number: Interval | None) -> str:
    return (
        "" if number is None else f"{number.value:+.3f} ({number.low:+.3f} to {number.high:+.3f})"
    )


def _row(number: Interval) -> str:
    return f"{number.value:.3f} | {number.low:.3f} to {number.high:.3f}"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
