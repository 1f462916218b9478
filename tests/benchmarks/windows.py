"""Measure how scores of a long clip differ where it is not seen whole.

    python tests/benchmarks/windows.py [CLIP ...]

In files, features are stated relative to two minutes and the network attends to one at a time; in
a live source they are stated relative to a chunk. What is compared is P(fake) at each moment, with
that of a clip which is seen whole in both respects. Without clips, a portrait that talks for a
minute at 640 x 360 is repeated three times.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
from duration import repeat
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from stages import make_clip

from mmmsba_plugin import Detector
from mmmsba_plugin.schema import Curves, StreamUpdate

TITLE = "differences in P(fake) from clips that are seen whole"

#: Longer than any clip, in seconds.
WHOLE_S = 86_400.0

Scores = NDArray[np.float64]
Detect = Callable[[Path], Scores]


def in_windows(*, features_s: float, attention_s: float) -> Detect:
    """Return detection in files with features and attention of so many seconds."""
    detector = Detector.from_pretrained()
    features = detector.config.features.model_copy(update={"chunk_s": features_s})
    localization = detector.config.localization.model_copy(update={"window_s": attention_s})
    update = {"features": features, "localization": localization}
    detector.config = detector.config.model_copy(update=update)
    return lambda clip: _scores(detector.detect(clip).curves)


def live(chunk_s: float) -> Detect:
    """Return detection in a source that passes by."""
    detector = Detector.from_pretrained()
    return lambda clip: _final(detector.stream(str(clip), chunk_s=chunk_s))


KINDS: dict[str, Callable[[], Detect]] = {
    "attention of a minute": lambda: in_windows(features_s=WHOLE_S, attention_s=60.0),
    "as files are, features of two minutes too": lambda: in_windows(
        features_s=120.0, attention_s=60.0
    ),
    "live, chunks of 60 s": lambda: live(60.0),
    "live, chunks of 15 s": lambda: live(15.0),
}


def _scores(curves: Curves | None) -> Scores:
    """Return P(fake) of each snippet, not a number where nothing was evaluated."""
    return np.array([np.nan if s is None else s for s in (curves.score if curves else ())])


def _final(updates: Iterable[StreamUpdate]) -> Scores:
    """Return P(fake) of each snippet as it became final."""
    parts = []
    for update in updates:
        num_final = round((update.final_s - update.start_s) / update.curves.stride_s)
        parts.append(_scores(update.curves)[: num_final if not update.is_last else None])
    return np.concatenate(parts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="*", help="Clips instead of the drawn portrait.")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    table = Table("seen in", "median", "largest", "largest of a clip's highest", title=TITLE)
    with tempfile.TemporaryDirectory() as name:
        folder, clips = Path(name), parser.parse_args().clips
        if not clips:
            minute = make_clip(folder / "clip.mp4", fps_hz=25)
            clips = [repeat(minute, folder / "long.mkv", 180)]
        detect = in_windows(features_s=WHOLE_S, attention_s=WHOLE_S)
        whole = [detect(clip) for clip in clips]
        for kind, make in KINDS.items():
            detect = make()
            scores = [detect(clip) for clip in clips]
            differences = np.concatenate(list(map(_differences, scores, whole)))
            of_clips = [
                abs(np.nanmax(s) - np.nanmax(w)) for s, w in zip(scores, whole, strict=True)
            ]
            values = np.median(differences), differences.max(), max(of_clips)
            table.add_row(kind, *(f"{value:.3f}" for value in values))
    Console().print(table)


def _differences(scores: Scores, whole: Scores) -> Scores:
    """Return by how much scores differ at each moment that both have one for."""
    num_both = min(len(scores), len(whole))
    differences = np.abs(scores[:num_both] - whole[:num_both])
    return differences[~np.isnan(differences)]


if __name__ == "__main__":
    main()
