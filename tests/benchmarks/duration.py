"""Measure what detection in long clips costs, a minute, and how much memory it holds.

    python tests/benchmarks/duration.py [--clip FILE] [--minutes 1 5 20]

The clip is a portrait that talks for a minute at 640 x 360, unless one is given; its packets
are repeated until they last as long as asked. Each length is detected in by the bundled weights
in a process of its own, on one thread. Ratios are to the first length of the same run. The exit
status is 1 if the longest holds more than 1.2 times the memory of the first, or costs more than
5 % more a minute.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from rich.console import Console
from rich.table import Table
from stages import ONE_THREAD, make_clip

MEMORY_BUDGET, COST_BUDGET = 1.2, 1.05
#: Time between two repetitions, so that no packet of one comes before the last of the other.
_GAP_S = 0.2

_DETECT = """
import resource, sys, torch
torch.set_num_threads(1)
from mmmsba_plugin import Detector
report = Detector.from_pretrained().detect(sys.argv[1])
assert report.status == "ok", report.problem
print(report.duration_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def repeat(clip: Path, path: Path, duration_s: float) -> Path:
    """Write the packets of a clip again and again, for at least so many seconds."""
    with av.open(str(path), "w") as out:
        with av.open(str(clip)) as once:
            streams = {s.index: out.add_stream_from_template(s) for s in once.streams}
            length_s = max(float(s.duration * s.time_base) for s in once.streams) + _GAP_S
        for number in range(math.ceil(duration_s / length_s)):
            with av.open(str(clip)) as once:
                for packet in once.demux():
                    if packet.dts is None:
                        continue
                    ticks = round(number * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                    packet.stream = streams[packet.stream_index]
                    out.mux(packet)
    return path


def measure(clip: Path) -> tuple[float, float, float]:
    """Detect in a clip; return its minutes, processor seconds a minute, and peak memory in MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [sys.executable, "-c", _DETECT, str(clip)],
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    duration_s, peak_kb = map(float, process.stdout.split())
    return duration_s / 60, spent_s / (duration_s / 60), peak_kb / 1024


def main() -> None:
    """Print the table, and exit with 1 where a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="A clip instead of the drawn portrait.")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 5.0])
    arguments = parser.parse_args()
    table = Table("minutes", "CPU-s a minute", "ratio", "peak MiB", "ratio")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        clip = arguments.clip or make_clip(Path(folder) / "clip.mp4", fps_hz=25)
        for minutes in arguments.minutes:
            long = repeat(clip, Path(folder) / f"{minutes:g}.mkv", minutes * 60)
            rows.append(measure(long))
            length, cost_s, peak_mib = rows[-1]
            cost, memory = cost_s / rows[0][1], peak_mib / rows[0][2]
            cells = f"{length:.1f}", f"{cost_s:.1f}", f"{cost:.2f}", f"{peak_mib:.0f}"
            table.add_row(*cells, f"{memory:.2f}")
    Console().print(table)
    sys.exit(cost > COST_BUDGET or memory > MEMORY_BUDGET)


if __name__ == "__main__":
    main()
