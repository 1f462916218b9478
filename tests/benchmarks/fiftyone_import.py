"""Measure whether the memory of importing a dataset grows with it, into a real database.

A dataset of so many records in LAV-DF's layout is imported, and one of four times as many. What
Python holds is traced, in runs of their own, since tracing itself takes memory; what the process
holds besides is its resident memory, looked at after each batch. Both count from before the run.

Run as ``python tests/benchmarks/fiftyone_import.py [records]``.
"""

import gc
import json
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from fiftyone_writes import print_line, start_database

NUM_RECORDS = 5_000
TIMES = 4


def main(num_records: int) -> None:
    """Import both datasets, and print the cost."""
    start_database()
    with tempfile.TemporaryDirectory() as folder:
        few, many = (dataset(Path(folder), num) for num in (num_records, TIMES * num_records))
        # What is loaded once, and what the first run leaves for all others, is not the dataset's.
        batch_memory_mb(dataset(Path(folder), 600))
        for num, name in ((num_records, few), (TIMES * num_records, many)):
            before_s = time.perf_counter()
            resident = growth_mb(lambda name=name: batch_memory_mb(name))
            took_s = time.perf_counter() - before_s
            traced = peak_mb(lambda name=name: batch_memory_mb(name))
            print_line(
                f"{num} records: traced peak {traced:.1f} MB, resident growth {resident:.1f} MB, "
                f"{num / took_s:.0f} records a second"
            )


def batch_memory_mb(name: str) -> list[float]:
    """Import a dataset; return the resident memory after each batch, in MB."""
    from fiftyone_ops.tasks.import_dataset import import_dataset

    memory_mb = []
    result = import_dataset(
        name,
        name="imported",
        need_media=False,
        on_progress=lambda _: memory_mb.append(resident_mb()),
    )
    assert result.added == result.dataset.count()
    result.dataset.delete()
    return memory_mb


def dataset(folder: Path, num: int) -> str:
    """Write a dataset of which only the list is there, and return how it is named."""
    root = folder / str(num)
    root.mkdir()
    entries = [entry(number) for number in range(num)]
    (root / "metadata.json").write_text(json.dumps(entries), encoding="utf-8")
    return f"lav-df={root}"


def entry(number: int) -> dict:
    """Build the LAV-DF record of a clip; every second one is fake."""
    return {
        "file": f"test/{number:06d}.mp4",
        "original": None,
        "split": "test",
        "modify_audio": bool(number % 2),
        "modify_video": bool(number % 4 == 3),
        "n_fakes": number % 2,
        "fake_periods": [[1.0 + number % 7 / 10, 2.0]] if number % 2 else [],
        "duration": 8.0,
        "video_frames": 200,
        "audio_channels": 1,
        "audio_frames": 128_000,
    }


def growth_mb(act: Callable[[], list[float]]) -> float:
    """Measure by how much resident memory grows at most, in MB."""
    gc.collect()
    before_mb = resident_mb()
    return max(act()) - before_mb


def resident_mb() -> float:
    """Return the resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb(act: Callable[[], object]) -> float:
    """Measure the peak of Python's memory beyond that before, in MB."""
    gc.collect()
    tracemalloc.start()
    act()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else NUM_RECORDS)
