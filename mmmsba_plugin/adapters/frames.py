"""Probabilities of single frames, for hosts that want a number for each."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.schema import Report
from mmmsba_plugin.timebase import Grid


def frame_probs(report: Report, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return P(fake) at frames, counted from 0; NaN where there is none. Shape ``(frame,)``."""
    video, curves = report.media.video, report.curves
    if video is None or video.fps_hz is None or curves is None:
        return np.full(len(frames), np.nan)
    grid = Grid(curves.start_s, curves.stride_s)
    snippets = grid.indices_at(video.start_s + frames / video.fps_hz)
    # The last place stands for what lies outside of the curve; None becomes NaN.
    probs = np.array([*curves.score, None], dtype=np.float64)
    is_inside = (snippets >= 0) & (snippets < len(curves.score))
    picked: NDArray[np.float64] = probs[np.where(is_inside, snippets, -1)]
    return picked
