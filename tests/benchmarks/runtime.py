"""Measure attention against its naive form, and ONNX Runtime against PyTorch.

    python tests/benchmarks/runtime.py [--snippets 10000] [--runs 5]

Everything is on one thread, in processor time, of which the least of all runs counts; kinds take
turns, so that what else happens on the machine happens to all of them.

- Attention is the fusion of three streams of 64 features, a tenth of whose snippets are absent:
  as the network computes it, and as the equations are written, softmax(X Y^T) Y. Each run is a
  process of its own; its memory is what its peak lies above what it had before.
- A runtime predicts along a clip with the bundled networks, as `mmmsba detect` does: four views in
  one batch, in windows of a minute. Features are random, for the time does not depend on them.
  Scores may differ by 1e-5.

The exit status is 1 if a ratio misses its goal. Memory is read where Linux tells it.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mmmsba_plugin import weights
from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.model import attention
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.model.ensemble import Network
from mmmsba_plugin.model.export import to_onnx
from mmmsba_plugin.model.inference import Prediction, predict
from mmmsba_plugin.model.onnx_network import OnnxNetwork
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

UNITS = 64
SHARE_PRESENT = 0.9
LENGTHS_S = (60, 600)
MAX_DIFFERENCE = 1e-5

#: What a ratio must reach: at most, or at least.
GOALS = {
    "attention: time": ("<=", 0.65),
    "attention: memory": ("<=", 0.25),
    **{f"onnx: speed over {length_s} s": (">=", 1.5) for length_s in LENGTHS_S},
}


# ── attention ────────────────────────────────────────────────────────────────────────────────


def naive(queries: torch.Tensor, keys: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Return the attended keys as the equations are written."""
    logits = (queries @ keys.mT).masked_fill(~allowed, -torch.inf)
    return logits.softmax(dim=-1) @ keys


def run_attention(kind: str, num_snippets: int) -> dict[str, float]:
    """Fuse streams once, and return processor time and memory."""
    if kind == "naive":
        attention._weighted_sum = naive
    generator = torch.Generator().manual_seed(0)
    shape = (1, num_snippets)
    names = attention.STREAM_ORDER
    streams = {name: torch.randn(*shape, UNITS, generator=generator) for name in names}
    masks = {name: torch.rand(shape, generator=generator) < SHARE_PRESENT for name in names}

    def fuse(stop: int) -> torch.Tensor:
        return attention.fuse(
            {name: stream[:, :stop] for name, stream in streams.items()},
            attention="mmms-ba",
            masks={name: mask[:, :stop] for name, mask in masks.items()},
        )

    with torch.inference_mode():
        fuse(10)
        before_mib, began_s = _memory_mib("VmRSS"), time.process_time()
        fused = fuse(num_snippets)
        spent_s = time.process_time() - began_s
    memory_mib = _memory_mib("VmHWM") - before_mib
    return {"cpu_s": spent_s, "memory_mib": memory_mib, "sum": fused.double().sum().item()}


def _memory_mib(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def measure_attention(num_snippets: int, num_runs: int) -> dict[str, dict[str, float]]:
    """Return the least of each kind's time and memory."""
    runs: dict[str, list[dict[str, float]]] = {"naive": [], "fused": []}
    for _ in range(num_runs):
        for kind, of_kind in runs.items():
            command = [sys.executable, __file__, "--only", kind, "--snippets", str(num_snippets)]
            of_kind.append(json.loads(subprocess.check_output(command)))
    return {kind: {key: min(run[key] for run in of) for key in of[0]} for kind, of in runs.items()}


# ── runtimes ─────────────────────────────────────────────────────────────────────────────────


def make_features(network: Network, grid: Grid, length_s: float) -> ClipFeatures:
    """Return random features of a clip in which everything is present."""
    rng = np.random.default_rng(0)
    num_snippets = round(length_s / grid.stride_s)
    rows = {
        name: FeatureRows(
            rng.normal(size=(num_snippets, dim)).astype(np.float32), np.ones(num_snippets, bool)
        )
        for name, dim in network.dims.items()
    }
    return ClipFeatures(grid=grid, end_s=length_s, rows=rows)


def clocked(function: Callable[[], Prediction]) -> tuple[float, Prediction]:
    """Return the processor time of a call in seconds, and what it returned."""
    began_s = time.process_time()
    result = function()
    return time.process_time() - began_s, result


def compare_runtimes(
    networks: dict[str, Network], features: ClipFeatures, config: LocalizationConfig, num_runs: int
) -> tuple[dict[str, float], float]:
    """Return the least time of each runtime in seconds, and how far scores are apart at most."""
    spent_s: dict[str, list[float]] = {name: [] for name in networks}
    scores = {}
    for _ in range(num_runs):
        for name, network in networks.items():
            run_s, prediction = clocked(lambda by=network: predict(by, features, config))
            spent_s[name].append(run_s)
            scores[name] = np.array([prediction.scores, *prediction.by_modality.values()])
    difference = float(np.abs(scores["torch"] - scores["onnx"]).max())
    return {name: min(runs) for name, runs in spent_s.items()}, difference


def main() -> int:
    """Measure, print, and return 0 if every ratio reaches its goal and scores are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--snippets", type=int, default=10_000, help="of attention")
    parser.add_argument("--runs", type=int, default=5, help="of each kind; the least counts")
    parser.add_argument("--only", choices=("naive", "fused"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.only:
        print(json.dumps(run_attention(options.only, options.snippets)))  # noqa: T201 - to us
        return 0
    table = Table("", "kind", title="one thread")
    table.add_column("CPU s", justify="right")
    table.add_column("MiB", justify="right")

    fused = measure_attention(options.snippets, options.runs)
    for kind, spent in fused.items():
        title = f"attention, {options.snippets} snippets"
        table.add_row(title, kind, f"{spent['cpu_s']:.2f}", f"{spent['memory_mib']:.0f}")
    ratios = {
        "attention: time": fused["fused"]["cpu_s"] / fused["naive"]["cpu_s"],
        "attention: memory": fused["fused"]["memory_mib"] / fused["naive"]["memory_mib"],
    }

    network, config = load_checkpoint(weights.HERE)
    networks = {"torch": network, "onnx": OnnxNetwork(to_onnx(network, config))}
    grid = Grid(stride_s=config.features.stride_s)
    differences = []
    for length_s in LENGTHS_S:
        features = make_features(network, grid, length_s)
        spent_s, difference = compare_runtimes(
            networks, features, config.localization, options.runs
        )
        differences.append(difference)
        for name, least_s in spent_s.items():
            table.add_row(f"network, {length_s} s", name, f"{least_s:.2f}", "")
        ratios[f"onnx: speed over {length_s} s"] = spent_s["torch"] / spent_s["onnx"]
    return verdict(table, ratios, max(differences))


def verdict(table: Table, ratios: dict[str, float], difference: float) -> int:
    """Print what was measured, and return the exit status."""
    console = Console(width=100)
    console.print(table)
    missed = not difference <= MAX_DIFFERENCE
    for name, ratio in ratios.items():
        sign, goal = GOALS[name]
        reached = ratio <= goal if sign == "<=" else ratio >= goal
        missed |= not reached
        console.print(f"{name:24} {ratio:.2f}, {'reaches' if reached else 'MISSES'} {sign} {goal}")
    console.print(f"scores of both runtimes differ by at most {difference:.1g}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
