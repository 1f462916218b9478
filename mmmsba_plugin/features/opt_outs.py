"""Segments in which a modality cannot be evaluated, and why.

A score for a segment where nobody is seen or heard would be a guess about nothing. So each
modality opts out of such segments, with the reason beside them.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.level import SILENT_PEAK, WINDOW_S, noise_level, swings
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.segment import Segment, clip, gaps, merge
from mmmsba_plugin.structures import AudioBlock
from mmmsba_plugin.timebase import Grid, s_to_samples, samples_to_s
from mmmsba_plugin.tracks.link import FaceObservation

NOTHING_AUDIBLE = "no audio decoded"
NOTHING_SEEN = "no frame decoded"
SILENCE = "silence"

#: A pause in speech is no reason to look away, so shorter silences are evaluated where there
#: is speech at all.
_MIN_SILENCE_S = 1.0
#: Windows that are apart by less are one.
_MAX_ROUNDING_S = WINDOW_S / 2
#: How long a lone frame is taken to last.
_ONE_FRAME_S = 0.04


class AudioOptOuts:
    """Collector of the segments that have no audio, or silent audio.

    Args:
        codec: Canonical name of the codec of the audio, whose own noise is silence.
    """

    def __init__(self, codec: str = "") -> None:
        self._level = max(SILENT_PEAK, noise_level(codec))
        self._decoded: list[Segment] = []
        self._loud: list[Segment] = []
        self.end_s = 0.0

    def add(self, block: AudioBlock) -> None:
        """Take in one block of audio."""
        if not block.samples.size:
            return
        end_s = block.start_s + samples_to_s(block.samples.size, block.sample_rate_hz)
        _extend(self._decoded, Segment(block.start_s, end_s))
        starts, levels = swings(block.samples, s_to_samples(WINDOW_S, block.sample_rate_hz))
        for start in starts[levels >= self._level]:
            loud_s = block.start_s + samples_to_s(int(start), block.sample_rate_hz)
            _extend(self._loud, Segment(loud_s, loud_s + WINDOW_S))
        self.end_s = max(self.end_s, end_s)

    def opt_outs(self) -> tuple[OptOut, ...]:
        """Compute the segments without audio or with silent audio, and why."""
        if not self._decoded:
            return ()
        missing = gaps(self._decoded, Segment(min(0.0, self._decoded[0].start_s), self.end_s))
        silent = [gap for decoded in self._decoded for gap in gaps(self._loud, decoded)]
        longest_pause_s = _MIN_SILENCE_S if self._loud else 0.0
        return _opt_outs(
            [(gap, NOTHING_AUDIBLE) for gap in missing if gap.duration_s > WINDOW_S]
            + [(gap, SILENCE) for gap in silent if gap.duration_s >= longest_pause_s]
        )


class FaceOptOuts:
    """Collector of the frames in which the main face cannot be evaluated."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._reasons: list[str | None] = []

    def add(self, observation: FaceObservation) -> None:
        """Take in the face observation of one frame."""
        self._times_s.append(observation.frame.pts_s)
        self._reasons.append(observation.reason)

    @property
    def end_s(self) -> float:
        """End of the last frame, in seconds: one usual distance after its start."""
        if not self._times_s:
            return 0.0
        distances_s = np.diff(self._times_s)
        usual_s = float(np.median(distances_s)) if distances_s.size else _ONE_FRAME_S
        return self._times_s[-1] + usual_s

    def opt_outs(self, grid: Grid, present: NDArray[np.bool_]) -> tuple[OptOut, ...]:
        """Compute the segments of the cells that got no row, and why."""
        num_cells = len(present)
        reasons = [NOTHING_SEEN] * num_cells
        starts = np.clip(grid.indices_at(np.asarray(self._times_s)), 0, num_cells).tolist()
        ends = [*starts, num_cells][1:]
        # A frame's reason for showing no face lasts on until the next frame.
        for reason, start, end in zip(self._reasons, starts, ends, strict=True):
            if reason is not None:
                stop = min(max(end, start + 1), num_cells)
                reasons[start:stop] = [reason] * (stop - start)
        whole = Segment(grid.start_s, self.end_s) if self._times_s else None
        runs: list[tuple[Segment, str]] = []
        for reason in dict.fromkeys(reasons):
            absent = [i for i in np.flatnonzero(~present) if reasons[i] == reason]
            cells = merge((Segment(*grid.cell(int(i))) for i in absent), gap_s=grid.stride_s / 2)
            runs += [
                (segment, reason) for cell in cells if whole and (segment := clip(cell, whole))
            ]
        return _opt_outs(runs)


def _extend(segments: list[Segment], more: Segment) -> None:
    """Put one more segment behind others, joined if it touches the last."""
    segments[-1:] = merge([*segments[-1:], more], gap_s=_MAX_ROUNDING_S)


def _opt_outs(segments: list[tuple[Segment, str]]) -> tuple[OptOut, ...]:
    return tuple(
        OptOut(start_s=segment.start_s, end_s=segment.end_s, reason=reason)
        for segment, reason in sorted(segments)
    )
