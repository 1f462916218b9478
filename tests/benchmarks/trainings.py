"""Train variants of the bundled preset, and evaluate each on identities that none of them saw.

    python tests/benchmarks/trainings.py ablations --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py forgers --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py generators --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py systems --train DIR... --dev DIR... -o RUNS
    python tests/benchmarks/trainings.py text --train DIR... -o RUNS

``ablations`` trains the kinds of attention of the paper and its sets of modalities, each with three
seeds. ``forgers`` trains once for each forger, without the files that it
worked on, and evaluates the files of ``--dev`` that it alone worked on; a second dataset of forgers
of audio alone gives each of them more files. ``generators`` trains once for each generator of whole
fakes, without its fakes, the cuts to them, and all clips of the people in them, and evaluates these
of both splits. Each is one network that learns from all clips, not an ensemble.

``systems`` trains those of ``mmmsba reproduce systems``, each with three seeds, on 200 files: half
of them real, and those whose names have the lowest hashes. ``text`` trains with and without the
words of transcripts that lie beside the clips, on clips that are real or have altered audio, in
cross-validation over people.

Datasets are in LAV-DF's layout, as ``mmmsba forge`` writes them; those of ``--train`` give their
split train, those of ``--dev`` their split dev. Runs are kept in ``RUNS``, and one that is there is
not trained again. The table, and below it what trainings took, go into the card of ``--card
CHECKPOINT``, if one is given.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from sections import put_section
from studies.ablations import ablations, ablations_table
from studies.forgers import forgers, forgers_table
from studies.generators import generators, generators_table
from studies.systems import NUM_FILES, systems, systems_table
from studies.text import spoken, text_table, texts
from studies.variants import NUM_FOLDS, Study, Variant, generators_of

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import Record
from mmmsba_plugin.reproduce.datasets import draw_records
from mmmsba_plugin.schema import Report
from mmmsba_plugin.training.split import folds

TRAINING = Path(__file__).parents[2] / "mmmsba_plugin" / "weights" / "training.json"
#: Time of a training, in the folder of its run.
COST = "cost.json"


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of a training on one core.

    Attributes:
        cpu_s: CPU seconds.
        wall_s: Seconds on the clock, on a machine that others may use as well.
        epochs: Passes over the files.
    """

    cpu_s: float
    wall_s: float
    epochs: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=STUDIES)
    parser.add_argument("--train", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--dev", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("-o", "--runs", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=TRAINING, help="other settings of training")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--epochs", type=int, help="passes, where not as many as the preset's")
    parser.add_argument("--seeds", type=int, help="seeds, where not as many as the study's")
    parser.add_argument("--card", type=Path, metavar="CHECKPOINT")
    options = parser.parse_args()
    study = STUDIES[options.what]
    train = study.choose([*read_all(options.train, "train")])
    dev = [*read_all(options.dev, "dev")]
    variants = [
        variant
        for variant in study.variants(train)
        if options.seeds is None or variant.seed < options.seeds
    ]
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
    lines = [
        *study.table(reports, records, options.epochs),
        *costs_table(variants, options.runs),
    ]
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
    if variant.fold is not None:
        return folds(train, members=NUM_FOLDS)[variant.fold][0]
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
    if variant.fold is not None:
        return folds(train, members=NUM_FOLDS)[variant.fold][1]
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
    is_whole = not out.exists()
    start_s = time.process_time(), time.perf_counter()
    fitted = fit(training_records(variant, train), config, out, cache=cache)
    cost = Cost(time.process_time() - start_s[0], time.perf_counter() - start_s[1], fitted.epochs)
    if is_whole:
        (out / COST).write_text(json.dumps(asdict(cost)), encoding="utf-8")
    detector = Detector.from_pretrained(out, cache=cache)
    sys.stderr.write(f"{variant.name}, seed {variant.seed}\n")
    return [result.report for result in run(detector, evaluation_records(variant, train, dev))]


def costs_table(variants: Sequence[Variant], runs: Path) -> Iterator[str]:
    """Yield a table of what trainings took, of those that were not interrupted."""
    costs: dict[str, list[Cost]] = {}
    for variant in variants:
        path = runs / variant.folder / COST
        if path.is_file():
            cost = Cost(**json.loads(path.read_text(encoding="utf-8")))
            costs.setdefault(variant.name, []).append(cost)
    if not costs:
        return
    yield (
        "What a training took on one core, features being there already, the most of any seed. "
        "Minutes on the clock count what else the machine did as well."
    )
    yield ""
    yield "| network | CPU minutes | minutes on the clock | passes |"
    yield "|---|---|---|---|"
    for name, of_seeds in costs.items():
        cpu_s, wall_s, epochs = map(max, zip(*map(astuple, of_seeds), strict=True))
        yield f"| {name} | {cpu_s / 60:.1f} | {wall_s / 60:.1f} | {epochs} |"
    yield ""


STUDIES = {
    "ablations": Study(lambda _: ablations(), ablations_table),
    "forgers": Study(forgers, forgers_table),
    "generators": Study(generators, generators_table),
    "systems": Study(lambda _: systems(), systems_table, partial(draw_records, limit=NUM_FILES)),
    "text": Study(lambda _: texts(), text_table, spoken),
}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
