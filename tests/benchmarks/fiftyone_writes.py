"""Measure how fast results are written to FiftyOne, against the fastest way that it offers.

Both write the same labels of 10,000 samples to a real database, in one run and by turns; what
counts is the ratio of the least of each, since what else happens on the machine only adds. The
fastest way is one ``set_values`` a field over the whole dataset, labels
made before. Memory is what our writing adds at its peak, for a quarter of the samples and for all.

Run as ``python tests/benchmarks/fiftyone_writes.py [samples]``.
"""

import gc
import importlib.util
import resource
import sys
import time
import tracemalloc
from pathlib import Path
from types import ModuleType

import numpy as np
from rich.console import Console

NUM_SAMPLES = 10_000
NUM_SNIPPETS = 150
NUM_ROUNDS = 3

#: The greatest ratio that passes.
MOST = 1.5


def start_database() -> ModuleType:
    """Start a database of its own by the tests' set-up, and return that."""
    path = Path(__file__).parents[1] / "fiftyone_ops" / "conftest.py"
    spec = importlib.util.spec_from_file_location("fiftyone_conftest", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.pytest_configure(None)
    return module


def report(seed: int):
    """Build a report of a clip of 6 s: two segments, three modalities, curves."""
    from mmmsba_plugin import schema

    draw = np.random.default_rng(seed)
    curve = tuple(draw.random(NUM_SNIPPETS).round(6).tolist())
    modalities = ("face", "audio", "lips")
    return schema.Report(
        status="ok",
        media=schema.Media(path=f"/clips/{seed}.mp4", duration_s=6.0),
        score=float(draw.random()),
        threshold=schema.Threshold(value=0.5),
        segments=tuple(
            schema.FakeSegment(start_s=at, end_s=at + 0.513, score=0.75, modality="audio")
            for at in (1.0, 3.0)
        ),
        modalities={
            name: schema.ModalityReport(
                score=0.5, opt_outs=(schema.OptOut(start_s=5.0, end_s=6.0, reason="no face"),)
            )
            for name in modalities
        },
        proposals=tuple(
            schema.Proposal(start_s=at / 20, end_s=at / 20 + 0.5, score=1 - at / 100)
            for at in range(100)
        ),
        provenance=schema.Provenance(
            package_version="1", api_version="1.0", formula_version=1, detector="bench"
        ),
        curves=schema.Curves(
            start_s=0.0,
            stride_s=0.04,
            score=curve,
            by_modality=dict.fromkeys(modalities, curve),
        ),
    )


class Prepared:
    """A detector with prepared reports, so that only writing takes time."""

    def __init__(self, reports: list) -> None:
        self.info = {"name": "bench", "modalities": ["face", "audio", "lips"]}
        self._reports = {report.media.path: report for report in reports}

    def detect(self, media, **_):
        return self._reports[str(media)]


def dataset_of(reports: list):
    import fiftyone as fo

    dataset = fo.Dataset()
    dataset.media_type = "video"
    metadata = fo.VideoMetadata(
        frame_rate=25.0, total_frame_count=150, frame_width=1, frame_height=1
    )
    dataset.add_samples([fo.Sample(filepath=r.media.path, metadata=metadata) for r in reports])
    # Samples that are still in memory are read anew after each write; neither way has any.
    gc.collect()
    return dataset


def columns_of(reports: list) -> dict[str, list]:
    """Return the labels of reports, made before anything is timed."""
    from fiftyone_ops.dataset import reports as conversion
    from mmmsba_plugin.timebase import FrameClock

    clock = FrameClock.steady(150, fps_hz=25)
    return {
        "forgeries": [conversion.segments_of(r, clock) for r in reports],
        "forgeries_opt_outs": [conversion.opt_outs_of(r, clock) for r in reports],
        "forgeries_curves": [conversion.curves_of(r.curves, clock) for r in reports],
        "forgeries_proposals": [conversion.proposals_of(r) for r in reports],
        "forgeries_verdict": [conversion.verdict_of(r, made_by="x") for r in reports],
    }


def fastest_s(reports: list) -> float:
    """Measure FiftyOne's own bulk write, in seconds."""
    from fiftyone_ops.dataset.labels import Fields
    from fiftyone_ops.dataset.store import declare

    dataset = dataset_of(reports)
    declare(dataset, Fields("forgeries"), modalities=("face", "audio", "lips"))
    columns = columns_of(reports)
    before_s = time.perf_counter()
    for name, values in columns.items():
        dataset.set_values(name, values)
    taken_s = time.perf_counter() - before_s
    dataset.delete()
    return taken_s


def ours(reports: list) -> tuple[float, float]:
    """Measure writing in a run of ours, and making labels too, in seconds."""
    from fiftyone_ops.settings import DetectSettings
    from fiftyone_ops.tasks import detect

    dataset = dataset_of(reports)
    if tracemalloc.is_tracing():
        # What it took to make the dataset is no part of the run.
        tracemalloc.clear_traces()
    # The files are not there; looking for them is no part of writing.
    run = detect.DetectTask(dataset, DetectSettings(), detector=Prepared(reports))
    look, detect.look = detect.look, ValueError
    written_s = 0.0
    write = detect.Batch.write

    def timed(batch) -> None:
        nonlocal written_s
        before_s = time.perf_counter()
        write(batch)
        written_s += time.perf_counter() - before_s

    detect.Batch.write = timed
    before_s = time.perf_counter()
    try:
        for _ in run.steps():
            pass
    finally:
        detect.Batch.write, detect.look = write, look
    taken_s = time.perf_counter() - before_s
    assert dataset.exists("forgeries_verdict").count() == len(reports)
    dataset.delete()
    return written_s, taken_s


def peak_mb(reports: list) -> float:
    """Measure how much memory a run adds at its peak, in MB."""
    gc.collect()
    tracemalloc.start()
    ours(reports)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def print_line(line: str) -> None:
    Console(soft_wrap=True, highlight=False).print(line)


def main(num_samples: int) -> None:
    start_database()
    reports = [report(seed) for seed in range(num_samples)]
    # A detector holds one report at a time; that all of these lie in memory must not cost whoever
    # makes objects meanwhile.
    gc.freeze()
    theirs_s, ours_s = [], []
    for number in range(NUM_ROUNDS):
        theirs_s.append(fastest_s(reports))
        written_s, whole_s = ours(reports)
        ours_s.append(written_s)
        print_line(
            f"round {number + 1}: set_values {theirs_s[-1]:.2f} s, ours {written_s:.2f} s "
            f"(with making labels {whole_s:.2f} s)"
        )
    ratio = min(ours_s) / min(theirs_s)
    print_line(f"writing {num_samples} samples: {ratio:.2f} x the fastest (at most {MOST})")
    few, all_of_them = peak_mb(reports[: num_samples // 4]), peak_mb(reports)
    print_line(f"memory at its peak: {few:.1f} MB for a quarter, {all_of_them:.1f} MB for all")
    print_line(f"resident: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else NUM_SAMPLES)
