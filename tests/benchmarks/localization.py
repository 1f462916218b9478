"""Measure localization of a test set's size against AV-Deepfake1M's own evaluator.

    python tests/benchmarks/localization.py [--clips 50000] [--proposals 100] [--runs 5]

Proposals are like a detector's: sorted by score, the best ones near the truth, times of two
decimals, three clips in four fake. Metrics are AP@{0.5, 0.75, 0.95} and AR@{100, 50, 20, 10},
and ours must be equal to the last bit.

Each run is a process of its own, and runs of all kinds take turns, so that what else happens
on the machine happens to all of them. The least of each time counts.

- "oracle" reads both JSON files and evaluates; "oracle, load" computes no metric.
- "json" is ours from the same two files, "npz" from the table that we write.
- "load" is until the numbers lie in memory, "evaluate" is the rest; the oracle's is the
  difference of its two kinds. "process" is all of it, with starting Python and what it imports.

The oracle is fetched from the package index where it is not installed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
import avdeepfake1m_evaluator as oracle

TIOUS = (0.5, 0.75, 0.95)
NUM_PROPOSALS = (100, 50, 20, 10)
RECALL_TIOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
PROPOSALS, LABELS, TABLE = "prediction.json", "metadata.json", "proposals.npz"

#: One thread for the oracle's own pool; ours never has more.
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Spent:
    """The cost of one process: wall and processor time in seconds, memory, and its metrics."""

    load_s: float
    evaluate_s: float
    load_cpu_s: float
    evaluate_cpu_s: float
    metrics: tuple[list[float], list[float]]
    process_s: float = 0.0
    process_cpu_s: float = 0.0
    peak_mib: float = 0.0


# ── what is measured ─────────────────────────────────────────────────────────────────────────


def run_oracle(folder: Path) -> Spent:
    """Evaluate with the official evaluator, which does not say when it has loaded."""
    module = oracle.load(folder)
    began = _clocks()
    metrics = oracle.evaluate(
        module,
        folder / PROPOSALS,
        folder / LABELS,
        tious=TIOUS,
        num_proposals=NUM_PROPOSALS,
        recall_tious=RECALL_TIOUS,
    )
    result = _clocks()
    return _spent(began, result, result, metrics)


def run_oracle_load(folder: Path) -> Spent:
    """Have the official evaluator read its files, and ask for nothing."""
    module = oracle.load(folder)
    began = _clocks()
    oracle.read(module, folder / PROPOSALS, folder / LABELS)
    result = _clocks()
    return _spent(began, result, result, ([], []))


def run_json(folder: Path) -> Spent:
    """Evaluate with ours, from the oracle's own files."""
    from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_proposals

    return _ours(folder, lambda: read_proposals(folder / PROPOSALS))


def run_npz(folder: Path) -> Spent:
    """Evaluate with ours, from arrays on disk."""
    from mmmsba_plugin.evaluation.predictions.npz import read_table

    return _ours(folder, lambda: read_table(folder / TABLE))


def _ours(folder: Path, read: Callable) -> Spent:
    from mmmsba_plugin.evaluation.metrics.localization import match
    from mmmsba_plugin.evaluation.tables import SpanTable

    began = _clocks()
    proposals = read()
    records = json.loads((folder / LABELS).read_bytes())
    ground_truth = SpanTable.of_ground_truth(
        {record["file"]: record["fake_segments"] for record in records}
    )
    loaded = _clocks()
    matched = match(proposals, ground_truth, tious=TIOUS, mode="official")
    ap = [matched.average_precision(tiou) for tiou in TIOUS]
    ar = [matched.average_recall(n) for n in NUM_PROPOSALS]
    return _spent(began, loaded, _clocks(), (ap, ar))


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _spent(began: tuple, loaded: tuple, end: tuple, metrics: tuple) -> Spent:
    return Spent(
        load_s=loaded[0] - began[0],
        evaluate_s=end[0] - loaded[0],
        load_cpu_s=loaded[1] - began[1],
        evaluate_cpu_s=end[1] - loaded[1],
        metrics=metrics,
    )


KINDS: dict[str, tuple[Callable[[Path], Spent], dict[str, str]]] = {
    "oracle": (run_oracle, {}),
    "json": (run_json, {}),
    "oracle, load": (run_oracle_load, {}),
    "npz": (run_npz, {}),
    "oracle, one thread": (run_oracle, ONE_THREAD),
    "oracle, one thread, load": (run_oracle_load, ONE_THREAD),
}


def run_in_process(kind: str, folder: Path) -> Spent:
    """Run one kind in a process of its own."""
    began_s = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, __file__, "--only", kind, "--folder", str(folder)]
        process = subprocess.Popen(command, stdout=output, env=os.environ | KINDS[kind][1])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{kind} ended with {process.returncode}; see its output above")
        output.seek(0)
        result = json.load(output)
    result |= {
        "process_s": time.perf_counter() - began_s,
        "process_cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }
    return Spent(**result)


# ── what it is measured on ───────────────────────────────────────────────────────────────────


def make_dataset(folder: Path, num_clips: int, num_proposals: int, seed: int = 0) -> None:
    """Write proposals, as JSON and as a table, and labels."""
    from mmmsba_plugin.evaluation.predictions.npz import write_table
    from mmmsba_plugin.evaluation.tables import SpanTable

    rng = np.random.default_rng(seed)
    ground_truth, proposals = {}, {}
    for clip in range(num_clips):
        key = f"{clip:06d}.mp4"
        ground_truth[key] = _fake_spans(rng) if rng.random() < 0.75 else []
        proposals[key] = _proposals(rng, ground_truth[key], num_proposals)
    table = SpanTable.of_proposals(proposals)
    write_table(table, folder / TABLE)
    rows = {
        k: np.column_stack([scores, spans]).tolist() for k, (spans, scores) in proposals.items()
    }
    (folder / PROPOSALS).write_text(json.dumps(rows), encoding="utf-8")
    oracle.write_labels(ground_truth, folder / LABELS)


def _fake_spans(rng: np.random.Generator) -> list[list[float]]:
    """Return one segment, or two or three, of a third of a second or so in eight."""
    num_spans = rng.choice([1, 2, 3], p=[0.8, 0.15, 0.05])
    starts_s = 8 * (np.arange(num_spans) + rng.random(num_spans) * 0.7) / num_spans
    lengths_s = rng.gamma(4.0, 0.09, size=num_spans) + 0.06
    return np.round(np.column_stack([starts_s, starts_s + lengths_s]), 2).tolist()


def _proposals(
    rng: np.random.Generator, ground_truth: list, num: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return spans and falling scores.

    The first half lies about the truth, the closer the higher the score; the rest, and all of
    a real clip's, lies anywhere.
    """
    spans = np.empty((num, 2))
    spans[:, 0] = rng.uniform(0, 8, size=num)
    spans[:, 1] = spans[:, 0] + rng.gamma(2.0, 0.2, size=num) + 0.04
    scores = np.sort(rng.beta(0.3, 6.0, size=num))[::-1].copy()
    if ground_truth:
        near = num // 2
        about = np.array(ground_truth)[np.arange(near) % len(ground_truth)]
        spread_s = np.linspace(0.01, 0.3, near)[:, None]
        spans[:near] = np.sort(about + rng.normal(size=(near, 2)) * spread_s, axis=1)
        scores[0] = rng.beta(6.0, 1.5)
        scores = np.sort(scores)[::-1]
    spans = np.round(np.clip(spans, 0.0, None), 2)
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + 0.01).round(2)
    return spans, np.round(scores, 4)


# ── how it is reported ───────────────────────────────────────────────────────────────────────


def tabulate(best: dict[str, Spent]) -> Table:
    """Return the table of the least times of each kind."""
    table = Table("", title="wall (CPU) in seconds")
    for head in ("load", "evaluate", "total", "process", "peak MiB"):
        table.add_column(head, justify="right")
    for kind, spent in best.items():
        total_s, cpu_s = spent.load_s + spent.evaluate_s, spent.load_cpu_s + spent.evaluate_cpu_s
        table.add_row(
            kind,
            f"{spent.load_s:.2f} ({spent.load_cpu_s:.2f})",
            f"{spent.evaluate_s:.2f} ({spent.evaluate_cpu_s:.2f})",
            f"{total_s:.2f} ({cpu_s:.2f})",
            f"{spent.process_s:.2f} ({spent.process_cpu_s:.2f})",
            f"{spent.peak_mib:.0f}",
        )
    return table


def least(runs: list[Spent]) -> Spent:
    """Return the least of each quantity."""
    names = [name for name in asdict(runs[0]) if name != "metrics"]
    return Spent(
        metrics=runs[0].metrics, **{name: min(getattr(run, name) for run in runs) for name in names}
    )


def split_loading(whole: Spent, load: Spent) -> Spent:
    """Split loading from the oracle's times by the difference of two runs."""
    times = asdict(whole) | {
        "load_s": load.load_s,
        "load_cpu_s": load.load_cpu_s,
        "evaluate_s": whole.load_s - load.load_s,
        "evaluate_cpu_s": whole.load_cpu_s - load.load_cpu_s,
    }
    return Spent(**times)


def ratios(best: dict[str, Spent]) -> dict[str, float]:
    """Compare ours with the oracle; below 1 is less than it takes."""
    theirs, alone = best["oracle"], best["oracle, one thread"]
    ours, arrays = best["json"], best["npz"]
    return {
        "from arrays: wall after loading": arrays.evaluate_s / theirs.evaluate_s,
        "from arrays: CPU after loading": arrays.evaluate_cpu_s / theirs.evaluate_cpu_s,
        "from arrays: wall, it has one thread": arrays.evaluate_s / alone.evaluate_s,
        "from prediction.json: wall": _total(ours) / _total(theirs),
        "from prediction.json: wall of the process": ours.process_s / theirs.process_s,
        "from prediction.json: CPU of the process": ours.process_cpu_s / theirs.process_cpu_s,
        "from prediction.json: wall, it has one thread": _total(ours) / _total(alone),
        "from prediction.json: memory": ours.peak_mib / theirs.peak_mib,
        "from proposals.npz: wall": _total(arrays) / _total(theirs),
        "from proposals.npz: memory": arrays.peak_mib / theirs.peak_mib,
    }


def _total(spent: Spent) -> float:
    return spent.load_s + spent.evaluate_s


def measure(folder: Path, num_runs: int) -> dict[str, Spent]:
    """Return the least of each kind's times, with the oracle's loading split off."""
    runs: dict[str, list[Spent]] = {kind: [] for kind in KINDS}
    for _ in range(num_runs):
        for kind, spent in runs.items():
            spent.append(run_in_process(kind, folder))
    best = {kind: least(spent) for kind, spent in runs.items()}
    for kind in ("oracle", "oracle, one thread"):
        best[kind] = split_loading(best[kind], best.pop(f"{kind}, load"))
    return best


def main() -> int:
    """Measure, print, and return 0 if metrics are equal and every ratio is below 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=50_000)
    parser.add_argument("--proposals", type=int, default=100, help="of each clip")
    parser.add_argument("--runs", type=int, default=5, help="of each kind; the least counts")
    parser.add_argument("--folder", type=Path, help="where the dataset is; made if not given")
    parser.add_argument("--only", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(asdict(KINDS[options.only][0](options.folder))))  # noqa: T201 - to us
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        oracle.load(folder)  # fetched once, by no run that is clocked
        if not (folder / TABLE).exists():
            # A child's peak begins at its parent's, which therefore stays small.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                pool.submit(make_dataset, folder, options.clips, options.proposals).result()
        best = measure(folder, options.runs)
    console = Console(width=100)
    console.print(tabulate(best))
    ratio_by_name = ratios(best)
    for name, ratio in ratio_by_name.items():
        console.print(f"{name:48} {ratio:.2f}")
    equal = len({json.dumps(run.metrics) for run in best.values()}) == 1
    console.print(f"metrics: {'equal' if equal else 'DIFFERENT'}: {best['json'].metrics}")
    return 0 if equal and max(ratio_by_name.values()) < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
