"""Measure how much faster two workers detect than one: processes of one machine, and Ray's.

    python tests/benchmarks/distributed.py [FOLDER] [--clips 16] [--runs 3]

The bundled weights detect in the first clips of a folder, or in drawn ones of ten seconds, with one
thread a worker. What counts is seconds of video per second from when each worker has completed a
clip, for before that it loads, until the last is complete. Kinds take turns, and each figure is the
median of all runs, so that what else happens on the machine happens to all of them; a machine with
fewer free cores than workers shows less. The exit status is 1 if two workers of this machine are
less than 1.8 times as fast as one.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import ray
from rich.console import Console
from rich.table import Table

from mmmsba_plugin.distributed import RayConfig, RayDetector
from mmmsba_plugin.files import VIDEO_SUFFIXES
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.isolation import DetectorChoice, IsolatedDetector
from mmmsba_plugin.workers import Limits

WORKERS = (1, 2)
BUDGET, CLIP_S = 1.8, 10.0
CHOICE = DetectorChoice("mmms-ba")

ENGINES = {
    "local": lambda workers: IsolatedDetector(CHOICE, workers=workers, threads=1),
    "ray": lambda workers: RayDetector(CHOICE, RayConfig(workers=workers), limits=Limits()),
}


def measure_speed(engine: str, workers: int, clips: list[Path]) -> float:
    """Return the seconds of video per second."""
    with ENGINES[engine](workers) as detector:
        results = detector.render_unordered(((clip, ()) for clip in clips), ["json"])
        ends = [(time.monotonic(), item.report.media.duration_s or 0.0) for item in results]
    assert len(ends) == len(clips), f"{engine} lost a clip"
    loaded_s = ends[workers - 1][0]
    return sum(duration_s for _, duration_s in ends[workers:]) / (ends[-1][0] - loaded_s)


def draw_clips(folder: Path, num_clips: int) -> list[Path]:
    """Write portraits that talk, of as many voices and seeds as there are clips."""
    numbered = ((number, folder / f"{number:02d}.mp4") for number in range(num_clips))
    return [
        make_talking_clip(path, seconds=CLIP_S, seed=number, speaker=number).path
        for number, path in numbered
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="of clips instead of drawn ones")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if options.folder:
            files = sorted(options.folder.iterdir())
            paths = [p for p in files if p.suffix.lower() in VIDEO_SUFFIXES][: options.clips]
        else:
            paths = draw_clips(Path(temporary), options.clips)
        speeds = measure_all(paths, options.runs)
    table = Table("engine", "workers", "video s per s", "times one worker", "times local")
    for (engine, workers), speed in speeds.items():
        ratios = [speed / speeds[kind] for kind in ((engine, 1), ("local", workers))]
        table.add_row(engine, str(workers), f"{speed:.2f}", *(f"{ratio:.2f}" for ratio in ratios))
    Console().print(table)
    sys.exit(speeds["local", 2] < BUDGET * speeds["local", 1])


def measure_all(clips: list[Path], runs: int) -> dict[tuple[str, int], float]:
    """Return the median speed of each engine with each number of workers, on a local cluster."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # By default Ray's workers give way to all else on a machine (15), which ours do not.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - so it is called
    ray.init(address="local", num_cpus=max(WORKERS), include_dashboard=False, log_to_driver=False)

    speeds = defaultdict(list)
    for _ in range(runs):
        for workers in WORKERS:
            for engine in ENGINES:
                speed = measure_speed(engine, workers, clips)
                speeds[engine, workers].append(speed)
                sys.stderr.write(f"{engine}, {workers}: {speed:.2f}\n")
    return {kind: statistics.median(values) for kind, values in speeds.items()}


if __name__ == "__main__":
    main()
