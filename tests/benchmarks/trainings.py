"""Train variants of the bundled preset, and evaluate each on identities that none of them saw.

    python tests/benchmarks/trainings.py attentions --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py ablations --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py forgers --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py generators --train DIR... --dev DIR... -o RUNS

``attentions`` trains the kinds of attention of the paper, each with three seeds, and ``ablations``
its sets of modalities as well. ``forgers`` trains once for each forger, without the files that it
worked on, and evaluates the files of ``--dev`` that it alone worked on; a second dataset of forgers
of audio alone gives each of them more files. ``generators`` trains once for each generator of whole
fakes, without its fakes, the cuts to them, and all clips of the people in them, and evaluates these
of both splits. Each is one network that learns from all clips, not an ensemble.

Datasets are in LAV-DF's layout, as ``mmmsba forge`` writes them; those of ``--train`` give their
split train, those of ``--dev`` their split dev. Runs are kept in ``RUNS``, and one that is there is
not trained again. The table goes into the card of ``--card CHECKPOINT``, if one is given.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from mmmsba_plugin.segment import is_whole_clip

TRAINING = Path(__file__).parents[2] / "mmmsba_plugin" / "weights" / "training.json"
SEEDS = (0, 1, 2)
ATTENTIONS = ("mmms-ba", "mmus-sa", "ms-sa", "none")
LETTERS = {"V": "face", "L": "lips", "A": "audio"}
METRICS = ("auc", "snippet_auc", "ap@0.5", "ar@20")
WHOLE = "MMMS-BA, V+L+A"
NUM_RESAMPLES = 500
#: Fewer whole fakes than this of a generator say nothing of it.
FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One training: what differs from the preset, and what is unknown to it.

    Attributes:
        name: What the tables call it.
        seed: Random seed.
        network: Settings of the network that differ.
        letters: Modalities that it reads.
        without: A forger none of whose files it learns from.
        without_generator: A generator none of whose fakes, and no person in them, it learns from.
    """

    name: str
    seed: int = 0
    network: Mapping[str, Any] = field(default_factory=dict)
    letters: str = "VLA"
    without: str | None = None
    without_generator: str | None = None

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"{self.name}-{self.seed}".replace(" ", "").replace(",", "-").lower()

    def config(self, settings: Path, epochs: int | None) -> FitConfig:
        """Return its settings."""
        training = json.loads(settings.read_text(encoding="utf-8"))
        config = FitConfig.read({**training, "network": {"members": 1, **self.network}})
        changes: dict[str, Any] = {"seed": self.seed}
        if epochs is not None:
            changes["max_epochs"] = epochs
        features = config.features.only([LETTERS[letter] for letter in self.letters])
        return config.model_copy(
            update={"train": config.train.model_copy(update=changes), "features": features}
        )


def attentions() -> list[Variant]:
    """Return the paper's kinds of attention, which have no weights of their own."""
    return [
        Variant(f"{attention.upper()}, V+L+A", seed, {"attention": attention})
        for attention in ATTENTIONS
        for seed in SEEDS
    ]


def ablations() -> list[Variant]:
    """Return the paper's ablations, the whole network first."""
    by_modality = [
        Variant(f"MMMS-BA, {'+'.join(letters)}", seed, letters=letters)
        for letters in ("VL", "VA", "LA")
        for seed in SEEDS
    ]
    return attentions() + by_modality


def forgers(records: Sequence[Record]) -> list[Variant]:
    """Return a variant for each forger that worked alone on files."""
    kinds = {record.kind for record in records if record.fake and record.kind}
    return [Variant(f"without {kind}", without=kind) for kind in sorted(kinds) if "+" not in kind]


def generators(records: Sequence[Record]) -> list[Variant]:
    """Return a variant for each generator of whole fakes."""
    names = Counter(name for r in records if is_whole_fake(r) for name in generators_of(r))
    return [
        Variant(f"without {name}", without_generator=name)
        for name, count in sorted(names.items())
        if count >= FEWEST and name != "unknown"
    ]


def generators_of(record: Record) -> list[str]:
    """Name the generators that worked on a clip; none if it is real, or that is not known."""
    names = record.extra.get("generator") if record.fake else None
    return str(names).split("+") if names else []


def is_whole_fake(record: Record) -> bool:
    """Return whether a clip is fake from end to end."""
    return any(is_whole_clip(segment, record.duration_s or 0.0) for segment in record.truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=STUDIES)
    parser.add_argument("--train", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--dev", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("-o", "--runs", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=TRAINING, help="other settings of training")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--epochs", type=int, help="passes, where not as many as the preset's")
    parser.add_argument("--card", type=Path, metavar="CHECKPOINT")
    options = parser.parse_args()
    study = STUDIES[options.what]
    train = [*read_all(options.train, "train")]
    dev = [*read_all(options.dev, "dev")]
    variants = study.variants(train)
    work = partial(
        reports_of,
        train=train,
        dev=dev,
        runs=options.runs,
        settings=options.config,
        epochs=options.epochs,
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        reports = dict(zip(variants, pool.map(work, variants), strict=True))
    records = {variant: evaluation_records(variant, train, dev) for variant in variants}
    lines = list(study.table(reports, records, options.epochs))
    sys.stdout.write("\n".join(lines) + "\n")
    if options.card:
        put_section(options.card / CARD, options.what, lines)


def read_all(datasets: Sequence[Path], split: str) -> Iterator[Record]:
    """Yield the records of a split of several datasets, whose files may have the same names."""
    for number, dataset in enumerate(datasets):
        for record in read_lavdf(dataset, split=split):
            prefix = f"{split}/{number}/"
            original = record.original and prefix + record.original
            yield replace(record, key=prefix + record.key, original=original)


def reports_of(
    variant: Variant,
    *,
    train: Sequence[Record],
    dev: Sequence[Record],
    runs: Path,
    settings: Path,
    epochs: int | None,
) -> list[Report]:
    """Read a variant's reports of its evaluation records; train and run it first where need be."""
    path = runs / variant.folder / "dev.jsonl"
    if not path.is_file():
        config = variant.config(settings, epochs)
        reports = _train_and_run(variant, config, train, dev, path.parent)
        lines = [report.model_dump_json() for report in reports]
        path.write_text("\n".join(lines), encoding="utf-8")
    return [Report.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


def training_records(variant: Variant, train: Sequence[Record]) -> list[Record]:
    """Select the files that a variant learns from."""
    unknown = _identities_of(variant, train)
    return [
        record
        for record in train
        if variant.without not in (record.kind or "").split("+")
        and variant.without_generator not in generators_of(record)
        and record.identity_key not in unknown
    ]


def evaluation_records(
    variant: Variant, train: Sequence[Record], dev: Sequence[Record]
) -> list[Record]:
    """Select the files that a variant is evaluated on: real ones, and fakes that it never saw."""
    if variant.without_generator:
        unknown = _identities_of(variant, train)
        unseen = [*dev, *(record for record in train if record.identity_key in unknown)]
        return [r for r in unseen if not r.fake or variant.without_generator in generators_of(r)]
    return [r for r in dev if not variant.without or not r.fake or r.kind == variant.without]


def _identities_of(variant: Variant, records: Sequence[Record]) -> set[str]:
    """Return the keys of the identities in fakes of the generator that a variant never sees."""
    return {r.identity_key for r in records if variant.without_generator in generators_of(r)}


def _train_and_run(
    variant: Variant,
    config: FitConfig,
    train: Sequence[Record],
    dev: Sequence[Record],
    out: Path,
) -> list[Report]:
    import torch

    from mmmsba_plugin import Detector
    from mmmsba_plugin.evaluation.run import run
    from mmmsba_plugin.features.cache import FeatureCache
    from mmmsba_plugin.training.fit import fit

    torch.set_num_threads(1)
    cache = FeatureCache()
    fit(training_records(variant, train), config, out, cache=cache)
    detector = Detector.from_pretrained(out, cache=cache)
    sys.stderr.write(f"{variant.name}, seed {variant.seed}\n")
    return [result.report for result in run(detector, evaluation_records(variant, train, dev))]


Reports = Mapping[Variant, Sequence[Report]]
Records = Mapping[Variant, Sequence[Record]]


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


def _attentions(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    yield from _ablations(reports, records_of, epochs, title="Kinds of attention")


def _ablations(
    reports: Reports,
    records_of: Records,
    epochs: int | None,
    *,
    title: str = "The paper's ablations, on fake clips",
) -> Iterator[str]:
    records = next(iter(records_of.values()))
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
    intervals |= _bootstrapped(gains, records, num_resamples=NUM_RESAMPLES)
    yield f"## {title}"
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


def _forgers(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    place = _places(records_of)
    metrics: dict[tuple[str, str], Metric] = {}
    counts: dict[str, int] = {}
    for variant, records in records_of.items():
        kind = str(variant.without)
        counts[kind] = sum(record.fake for record in records)
        if counts[kind]:
            auc = _metrics(kind, records, reports[variant])["auc"]
            metrics[kind, "auc"] = _within(auc, [place[record.key] for record in records])
    together = _mean(list(metrics.values()))
    everything = [record for records in records_of.values() for record in records]
    clusters = list({record.key: record for record in everything}.values())
    intervals = _bootstrapped(
        {**metrics, ("mean", "auc"): together}, clusters, num_resamples=NUM_RESAMPLES
    )
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


def _generators(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    yield "## Generators that it never learned from"
    yield ""
    yield (
        "Each row is one network, trained as those of the bundled weights that learn from all clips"
        f"{_passes(epochs)}, but without any fake of this generator, cut to one, or clip of a "
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
            metrics = _metrics(variant.name, chosen, chosen_reports)
            auc = _bootstrapped(
                {("it", "auc"): metrics["auc"]}, chosen, num_resamples=NUM_RESAMPLES
            )["it", "auc"]
            aucs.setdefault(what, []).append(auc.value)
            num_fake = sum(record.fake for record in chosen)
            ap = "" if what == "whole" else f"{metrics['ap@0.5'](_all(chosen)):.3f}"
            yield (
                f"| {variant.without_generator}, {what} | {num_fake} | {len(chosen) - num_fake} "
                f"| {_row(auc)} | {_above_own(chosen, chosen_reports)} | {ap} |"
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


def _places(records_of: Records) -> dict[str, int]:
    """Number the records of all variants, each once."""
    keys = dict.fromkeys(record.key for records in records_of.values() for record in records)
    return {key: place for place, key in enumerate(keys)}


def _all(records: Sequence[Record]) -> Draw:
    return Draw(np.arange(len(records)))


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


@dataclass(frozen=True, slots=True)
class Study:
    """Trainings, and the table of how they did."""

    variants: Callable[[Sequence[Record]], list[Variant]]
    table: Callable[[Reports, Records, int | None], Iterator[str]]


STUDIES = {
    "attentions": Study(lambda _: attentions(), _attentions),
    "ablations": Study(lambda _: ablations(), _ablations),
    "forgers": Study(forgers, _forgers),
    "generators": Study(generators, _generators),
}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
