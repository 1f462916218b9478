"""Measure what detection in long clips costs, a minute, and how much memory it holds.

    python tests/benchmarks/duration.py [--clip FILE] [--minutes 1 5 20]

The clip is a portrait that talks for a minute at 640 x 360, unless one is given; its packets
are repeated until they last as long as asked. Each length is detected in by the bundled weights
in a process of its own, on one thread, after a clip of a second: imports and weights are the
start, which no minute repeats. Ratios are to the first length of the same run, whose memory
differs from one process to the next by a tenth: it is the median of three. The exit status is 1
if the last length holds more than 1.2 times the memory of the first, or if its minutes, without
the start, cost more than 5 % more.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from rich.console import Console
from rich.table import Table
from stages import ONE_THREAD, make_clip

MEMORY_BUDGET, COST_BUDGET = 1.2, 1.05
_REPEATS = 3
#: Time between two repetitions, so that no packet of one comes before the last of the other.
_GAP_S = 0.2

_DETECT = """
import resource, sys, time, torch
torch.set_num_threads(1)
from mmmsba_plugin import Detector
detector = Detector.from_pretrained()
detector.detect(sys.argv[1])
start_s = time.process_time()
report = detector.detect(sys.argv[2])
assert report.status == "ok", report.problem
spent_s = time.process_time() - start_s
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(report.duration_s / 60, start_s, spent_s, peak_kb / 1024)
"""


def repeat(clip: Path, path: Path, duration_s: float) -> Path:
    """Write the packets of a clip again and again, for so many seconds."""
    with av.open(str(path), "w") as out:
        with av.open(str(clip)) as once:
            streams = {s.index: out.add_stream_from_template(s) for s in once.streams}
            length_s = max(float(s.duration * s.time_base) for s in once.streams) + _GAP_S
        for number in range(math.ceil(duration_s / length_s)):
            with av.open(str(clip)) as once:
                for packet in once.demux():
                    if packet.dts is None:
                        continue
                    if number * length_s + packet.dts * packet.time_base >= duration_s:
                        continue
                    ticks = round(number * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                    packet.stream = streams[packet.stream_index]
                    out.mux(packet)
    return path


def measure(short: Path, clip: Path, *, times: int) -> tuple[float, ...]:
    """Detect in a clip, after a short one, so many times.

    Returns:
        The medians of its minutes, the processor seconds of the start and of the clip, and the
        peak memory in MiB.
    """
    command = [sys.executable, "-c", _DETECT, str(short), str(clip)]
    runs = []
    for _ in range(times):
        out = subprocess.check_output(command, env=os.environ | ONE_THREAD, text=True)
        runs.append([float(value) for value in out.split()])
    return tuple(map(statistics.median, zip(*runs, strict=True)))


def main() -> None:
    """Print the table, and exit with 1 where a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="A clip instead of the drawn portrait.")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 5.0])
    arguments = parser.parse_args()
    table = Table("minutes", "CPU-s a minute", "without start", "ratio", "peak MiB", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        clip = arguments.clip or make_clip(Path(folder) / "clip.mp4", fps_hz=25)
        short = repeat(clip, Path(folder) / "short.mkv", 1)
        rows: list[tuple[float, float]] = []
        for minutes in arguments.minutes:
            long = repeat(clip, Path(folder) / f"{minutes:g}.mkv", minutes * 60)
            length, start_s, spent_s, peak_mib = measure(short, long, times=1 if rows else _REPEATS)
            rows.append((spent_s / length, peak_mib))
            cost, memory = rows[-1][0] / rows[0][0], peak_mib / rows[0][1]
            costs = f"{(start_s + spent_s) / length:.1f}", f"{rows[-1][0]:.1f}", f"{cost:.2f}"
            table.add_row(f"{length:.1f}", *costs, f"{peak_mib:.0f}", f"{memory:.2f}")
    table.title = f"start: {start_s:.1f} CPU-s"
    Console().print(table)
    sys.exit(cost > COST_BUDGET or memory > MEMORY_BUDGET)


if __name__ == "__main__":
    main()
