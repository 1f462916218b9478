"""Detect in thousands of files with random bytes changed.

    python -m tests.tools.fuzz [--files 10000] [--seed 0] [--workers 2] [--keep DIR]

Each file goes through the whole of `detect` in a worker process: probing, decoding, face
tracking, features, network, localization, report. Most meet a small network that was not
trained, one in fifty the bundled weights. A failure is a worker that dies, takes longer than 30 s
or more than 1.5 GiB beyond what it holds at rest, or an exception that is not the package's own.
The exit status is 1 if there is one; the files that failed are kept where `--keep` says.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmsba_plugin import errors
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.isolation import DetectorChoice, IsolatedDetector
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Report
from mmmsba_plugin.workers import Limits

from ..benchmarks.stages import make_checkpoint
from ..clips import copied
from ..mutants import mutate

SUFFIXES = ("mp4", "mov", "mkv", "webm", "avi", "mpg")
#: Formats that packets are copied into, by their muxer.
COPIED = {"ts": "mpegts", "flv": "flv", "nut": "nut", "3gp": "mp4", "asf": "asf", "wav": "wav"}
LIMITS = Limits(floor_s=30.0, per_second=0.0, memory_mib=1536.0)
#: One in so many files meets the bundled weights.
REAL_EVERY = 50
ERRORS = {name for name in dir(errors) if name.endswith("Error")}
FAILURES = {"WorkerError", "TimeLimitError", "MemoryLimitError"}


def make_seeds(folder: Path) -> dict[str, Path]:
    """Write one clip of a second in each of twelve formats."""
    talking = make_talking_clip(folder / "talking.mp4", seconds=1.0, seed=1, size_px=128).path
    media = probe(talking)
    samples = read_audio(media).samples
    seeds = {}
    for suffix in SUFFIXES:
        seeds[suffix] = folder / f"seed.{suffix}"
        write_clip(seeds[suffix], FrameReader(media), fps_hz=25, audio=samples)
    for suffix, muxer in COPIED.items():
        seeds[suffix] = folder / f"seed.{suffix}"
        if suffix == "wav":
            pcm = folder / "pcm.mkv"
            write_clip(pcm, [], fps_hz=25, audio=samples, audio_codec="pcm_s16le")
            copied(pcm, seeds[suffix], muxer=muxer)
        else:
            copied(talking, seeds[suffix], muxer=muxer)
    return seeds


def write_mutants(
    seeds: dict[str, Path], folder: Path, *, num_files: int, seed: int
) -> Iterator[Path]:
    """Write mutants of all formats by turns, each as it is asked for, and yield their paths."""
    data = {suffix: path.read_bytes() for suffix, path in seeds.items()}
    rng, suffixes = np.random.default_rng(seed), list(seeds)
    for number in range(num_files):
        suffix = suffixes[number % len(suffixes)]
        path = folder / f"{number}.{suffix}"
        path.write_bytes(mutate(data[suffix], rng))
        yield path


def failure_of(report: Report) -> str | None:
    """Return what went wrong that must not; None if nothing did."""
    kind = report.problem.kind if report.problem else ""
    if report.status == "error" and (kind in FAILURES or kind not in ERRORS):
        return f"{kind}: {report.problem.message if report.problem else ''}"
    return None


def fuzz(
    load: DetectorChoice, mutants: Iterator[Path], *, workers: int, keep: Path | None
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Detect in mutants; return how many of each format had each status, and the failures."""
    counts, failures = Counter[tuple[str, str]](), []
    with IsolatedDetector(load, workers=workers, limits=LIMITS) as detector:
        for report in detector.detect_many(mutants):
            path = Path(report.media.path)
            counts[path.suffix[1:], report.status] += 1
            if failure := failure_of(report):
                counts[path.suffix[1:], "failed"] += 1
                failures.append(f"{path.name}: {failure}")
                if keep:
                    shutil.copy(path, keep)
            path.unlink(missing_ok=True)
    return counts, failures


def main() -> None:
    """Print how many files of each format had which status, and every failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="Folder of the files that failed.")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder)
        small = DetectorChoice("mmms-ba", make_checkpoint(folder / "small", seeds["mp4"]))
        num_real = arguments.files // REAL_EVERY
        counts, failures = Counter[tuple[str, str]](), list[str]()
        real = DetectorChoice("mmms-ba")
        for load, num_files in ((small, arguments.files - num_real), (real, num_real)):
            seed = arguments.seed + (load is real)
            mutants = write_mutants(seeds, folder, num_files=num_files, seed=seed)
            counted = iter(track(mutants, total=num_files, description="fuzz"))
            more, failed = fuzz(load, counted, workers=arguments.workers, keep=arguments.keep)
            counts += more
            failures += failed
    statuses = ("ok", "abstained", "error", "failed")
    table = Table("format", *statuses)
    for suffix in seeds:
        table.add_row(suffix, *(str(counts[suffix, status]) for status in statuses))
    console = Console()
    console.print(table)
    for failure in failures:
        console.print(failure, style="red", markup=False)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
