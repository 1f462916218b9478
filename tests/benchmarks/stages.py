"""Measure where the processor time of a minute of video goes, from file to report.

    python tests/benchmarks/stages.py [--clip FILE | --fps 30] [--runs 3]

The clip is a portrait that talks for a minute at 640 x 360, unless one is given; the network
is of the paper's size and untrained, which costs as much as a trained one. Its threshold is
set so that a few segments are named, because each puts a frame on the page.

Everything is processor time on one thread, so that a busy machine changes little. No moment
is counted twice, and none is left out:

- "whole" is `mmmsba detect` in a process of its own, as the operating system counts it.
- The stages are clocked while the same happens once more in this process, where all is
  loaded. One that runs inside another (frames are decoded while faces are followed) stops
  the other's clock.
- "start-up" is what the whole took beyond the stages: the interpreter, imports, loading the
  networks. It is paid once a process, so a clip that lasts no minute is scaled without it.

Ratios are to plain decoding of the frames of the same clip in the same run, which is the
part that no detector can do without. Below the table stands what the bundled weights and the fast
ones take, whose networks and front-ends are others. The exit status is 1 if any is over its budget.
"""

import argparse
import os
import pkgutil
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

import av
import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mmmsba_plugin import weights
from mmmsba_plugin.config import FeaturesConfig, LocalizationConfig, ModelConfig
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.features.extract import extract
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.model.checkpoint import CheckpointConfig, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.plugins import lookup

BUDGET_S, FAST_BUDGET_S = 20.0, 10.0
BUNDLED = {"bundled weights": weights.HERE, "fast weights": weights.HERE / weights.FAST}
MINUTE_S = 60.0
WIDTH_PX, HEIGHT_PX = 640, 360
NUM_NAMED = 5
FORMATS = ("json", "html")

#: One thread for every library that would start more.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

_TRACKS, _FEATURES = "mmmsba_plugin.tracks", "mmmsba_plugin.features"
REST = "the rest of detect"
WRITING = "writing json and html"
#: What is clocked, by stage, in the order of the table.
STAGES: dict[str, tuple[str, ...]] = {
    "probe, with hash": ("mmmsba_plugin.file_detection.media_of",),
    "audio": ("mmmsba_plugin.media.audio.AudioReader.__iter__",),
    "features of audio": (f"{_FEATURES}.log_mel.LogMel.add", f"{_FEATURES}.log_mel.LogMel.finish"),
    "frames": ("mmmsba_plugin.media.video.FrameReader.__iter__",),
    "faces: find": (f"{_TRACKS}.detect.FaceDetector.__call__",),
    "faces: mesh": (f"{_TRACKS}.mesh.FaceMesh.__call__",),
    "faces: follow and cut": (f"{_TRACKS}.link.follow_main_face",),
    "features of face": (
        f"{_FEATURES}.face.FaceTexture.add",
        f"{_FEATURES}.face.FaceTexture.finish",
    ),
    "features of lips": (
        f"{_FEATURES}.lips.LipsTexture.add",
        f"{_FEATURES}.lips.LipsTexture.finish",
    ),
    "network": ("mmmsba_plugin.model.inference.predict",),
    "localization": (
        "mmmsba_plugin.localization.binarize.localize",
        "mmmsba_plugin.localization.proposals.ranked_proposals",
    ),
    REST: (),
    WRITING: (),
}


class Stopwatch:
    """Adds up processor time by stage; a stage that starts inside another stops its clock."""

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(["", *STAGES], 0.0)
        self._running = [""]
        self._since_s = time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as that stage's."""
        self._lap()
        self._running.append(name)
        try:
            yield
        finally:
            self._lap()
            self._running.pop()

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts as a stage, and so does each item that it yields."""

        @wraps(function)
        def clocked(*arguments: Any, **keywords: Any) -> Any:
            with self.stage(name):
                result = function(*arguments, **keywords)
            return self._along(name, result) if isinstance(result, Iterator) else result

        return clocked

    def _along(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            with self.stage(name):
                item = next(items, self)
            if item is self:
                return
            yield item

    def _lap(self) -> None:
        now_s = time.process_time()
        self.spent_s[self._running[-1]] += now_s - self._since_s
        self._since_s = now_s


@dataclass(frozen=True)
class Run:
    """Processor time of one run, in seconds."""

    decoding_s: float
    whole_s: float
    stages_s: dict[str, float]

    @property
    def startup_s(self) -> float:
        """Processor time that a process pays once."""
        return self.whole_s - sum(self.stages_s.values())


def make_clip(path: Path, fps_hz: int) -> Path:
    """Write a minute of a portrait that talks in the middle of a wide frame."""
    square = make_talking_clip(
        path.with_name("square.mp4"), seconds=MINUTE_S, seed=1, fps_hz=fps_hz, size_px=HEIGHT_PX
    )
    media = probe(square.path, with_hash=False)
    left = (WIDTH_PX - HEIGHT_PX) // 2
    margins = ((0, 0), (left, WIDTH_PX - HEIGHT_PX - left), (0, 0))
    wide = (np.pad(frame.rgb, margins, mode="edge") for frame in FrameReader(media))
    write_clip(path, wide, fps_hz=fps_hz, audio=read_audio(media).samples)
    return path


def make_checkpoint(folder: Path, clip: Path) -> Path:
    """Save an untrained network of the paper's size that names a few segments of the clip."""
    torch.manual_seed(0)
    config = FeaturesConfig()
    front_ends = bind_front_ends(config)
    features = extract(probe(clip, with_hash=False), front_ends, config)
    network = Ensemble.from_configs(
        [ModelConfig(dims={m: rows.dim for m, rows in features.rows.items()})]
    ).eval()
    predictions = predict(network, features, LocalizationConfig())
    scores = np.nan_to_num(predictions.scores)
    for share in np.linspace(0.995, 0.5, 100):
        onset = float(np.quantile(scores, share))
        localization = LocalizationConfig(onset=onset, offset=onset)
        curve = (scores, predictions.distances, features.grid)
        if len(localize(*curve, end_s=features.end_s, config=localization)) >= NUM_NAMED:
            break
    versions = {modality: bound.entry.version for modality, bound in front_ends.items()}
    about = CheckpointConfig(
        members=network.configs,
        features=config,
        localization=localization,
        front_end_versions=versions,
    )
    save_checkpoint(folder, network, about, "An untrained network.\n")
    return folder


def measure(clip: Path, checkpoint: Path, out: Path) -> Run:
    """Measure the processor time of everything once."""
    return Run(
        decode_plainly(clip),
        detect_in_subprocess(clip, checkpoint, out),
        time_stages(clip, checkpoint),
    )


def decode_plainly(clip: Path) -> float:
    """Decode all frames, convert none, and return the processor time in seconds."""
    began_s = time.process_time()
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass
    return time.process_time() - began_s


def detect_in_subprocess(clip: Path, checkpoint: Path, out: Path) -> float:
    """Run detection in a process of its own, and return its processor time in seconds."""
    options = ["--checkpoint", str(checkpoint), "--output", str(out), "--format", ",".join(FORMATS)]
    before_s = _children_s()
    subprocess.run(
        [sys.executable, "-m", "mmmsba_plugin", "detect", str(clip), *options],
        env=os.environ | ONE_THREAD,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return _children_s() - before_s


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def time_stages(clip: Path, checkpoint: Path) -> dict[str, float]:
    """Run detection in this process, and return the processor time of each stage in seconds."""
    stopwatch = Stopwatch()
    detector = MmmsbaDetector.from_pretrained(checkpoint)
    with ExitStack() as stack, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for name, targets in STAGES.items():
            for target in targets:
                clocked = stopwatch.around(name, pkgutil.resolve_name(target))
                stack.enter_context(mock.patch(target, clocked))
        with stopwatch.stage(REST):
            report = detector.detect(clip)
        with stopwatch.stage(WRITING):
            for name in FORMATS:
                lookup("writers", name).write(report, nowhere)
    if report.status != "ok":
        raise SystemExit(f"{clip} could not be evaluated: {report.problem}; give another --clip")
    # What was imported meanwhile may keep a clocked function, so the stopwatch stays whole.
    return {name: stopwatch.spent_s[name] for name in STAGES}


def tabulate(run: Run, scale: float) -> Table:
    """Return the table of a run whose clip is `1 / scale` minutes long."""
    table = Table("stage", title="processor time of a minute of video, one thread")
    table.add_column("CPU s", justify="right")
    table.add_column("ratio to plain decoding", justify="right")
    per_minute_s = {
        "plain decoding of the frames": run.decoding_s * scale,
        "start-up": run.startup_s,
        **{stage: run.stages_s[stage] * scale for stage in STAGES},
        "whole": per_minute(run, scale),
    }
    for stage, spent_s in per_minute_s.items():
        ratio = spent_s / (run.decoding_s * scale)
        # The yardstick is no part of the whole: our own decoding is under "frames".
        outer = stage.startswith(("plain", WRITING))
        table.add_row(stage, f"{spent_s:.2f}", f"{ratio:.2f}", end_section=outer)
    return table


def per_minute(run: Run, scale: float) -> float:
    """Compute the processor time of a minute from file to report, in seconds."""
    return run.startup_s + sum(run.stages_s.values()) * scale


def main() -> int:
    """Measure, print the table and the verdict, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="a clip of a talking face; made if not given")
    parser.add_argument("--fps", type=int, default=25, help="frames a second of a made clip")
    parser.add_argument("--runs", type=int, default=3, help="how many; the best one counts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = options.clip or make_clip(folder / "clip.mp4", options.fps)
        checkpoint = make_checkpoint(folder / "checkpoint", clip)
        runs = [measure(clip, checkpoint, folder / "reports") for _ in range(options.runs)]
        scale = MINUTE_S / (probe(clip, with_hash=False).duration_s or MINUTE_S)
        of_weights_s = {
            name: min(detect_in_subprocess(clip, place, folder) for _ in range(options.runs))
            for name, place in BUNDLED.items()
        }
    best = min(runs, key=lambda run: per_minute(run, scale))
    console = Console()
    console.print(tabulate(best, scale))
    totals_s = {"total": per_minute(best, scale)} | {
        name: best.startup_s + (spent_s - best.startup_s) * scale
        for name, spent_s in of_weights_s.items()
    }
    is_over = False
    for name, spent_s in totals_s.items():
        budget_s = FAST_BUDGET_S if name == "fast weights" else BUDGET_S
        is_over |= spent_s > budget_s
        console.print(
            f"{name}: {spent_s:.1f} CPU s a minute, {'OVER' if spent_s > budget_s else 'within'} "
            f"the budget of {budget_s:g} s"
        )
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
