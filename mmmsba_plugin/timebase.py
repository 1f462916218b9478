"""Convert time units: seconds, time stamps, samples, frames and cells.

Toolkits of this field turn indices into seconds in hardly two ways alike, and a perfect
detector loses most short matches through such a mismatch alone. So nobody else in this
package divides by a frame rate, a sample rate or a stride.

Seconds count from the zero of a clip, which is where the earlier of its frames and audio
begins. Spans are half-open: ``[start_s, end_s)``.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import GridError

#: Share of a cell by which a time may miss a cell's edge and still count as on it.
#: ``start_s + i * stride_s`` rounds, and an edge must not fall into its left neighbour for
#: that; a millionth of a 40 ms cell is a hundredth of an audio sample period.
EDGE_TOLERANCE = 1e-6

#: Frame rate of a stream that states none, in hertz.
USUAL_FPS_HZ = 25


@dataclass(frozen=True, slots=True)
class Grid:
    """The regular grid of snippets that a model predicts on.

    Cell ``i`` is the span of ``stride_s`` that snippet ``i`` owns; cells tile time.

    Attributes:
        start_s: Where cell 0 starts, in seconds.
        stride_s: Start-to-start distance of snippets, in seconds.

    Raises:
        GridError: The stride is not a positive, finite number, or the start is not finite.

    Example:
        >>> grid = Grid(stride_s=0.2)
        >>> grid.num_snippets(1.0)
        5
        >>> grid.cell(3)
        (0.6000000000000001, 0.8)
        >>> grid.index_at(0.6)
        3
    """

    start_s: float = 0.0
    stride_s: float = 0.2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.stride_s) and self.stride_s > 0):
            raise GridError(f"stride_s must be a positive number of seconds, got {self.stride_s}")
        if not math.isfinite(self.start_s):
            raise GridError(f"start_s must be a finite number of seconds, got {self.start_s}")

    def cell(self, index: int) -> tuple[float, float]:
        """Compute the half-open span ``(start_s, end_s)`` that snippet ``index`` owns."""
        return self.start_s + index * self.stride_s, self.start_s + (index + 1) * self.stride_s

    def centers_s(self, num_snippets: int) -> NDArray[np.float64]:
        """Compute the middles of the first cells, in seconds, shape ``(snippet,)``."""
        return self.start_s + (np.arange(num_snippets, dtype=np.float64) + 0.5) * self.stride_s

    def starts_s(self, num_snippets: int) -> NDArray[np.float64]:
        """Compute the starts of the first cells, in seconds, shape ``(snippet,)``."""
        return self.start_s + np.arange(num_snippets, dtype=np.float64) * self.stride_s

    def index_at(self, time_s: float) -> int:
        """Find the index of the cell that holds ``time_s``; negative before the grid."""
        return math.floor(self._position(time_s) + EDGE_TOLERANCE)

    def indices_at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Find :meth:`index_at` for many times, any shape."""
        positions = (np.asarray(times_s, dtype=np.float64) - self.start_s) / self.stride_s
        return np.floor(positions + EDGE_TOLERANCE).astype(np.int64)

    def num_snippets(self, end_s: float) -> int:
        """Count the cells that tile the time from the grid's start to ``end_s``.

        The last cell may reach beyond ``end_s``. None are needed for a time that is not
        after the start.
        """
        return max(0, self._index_behind(end_s))

    def overlapping(self, start_s: float, end_s: float) -> range:
        """Find the indices of the cells that share time with ``[start_s, end_s)``.

        A span without length shares time with none.
        """
        if not end_s > start_s:
            return range(0)
        return range(self.index_at(start_s), self._index_behind(end_s))

    def cells_to_s(self, num_cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert cells to seconds, any shape; fractions are welcome."""
        return np.asarray(num_cells, dtype=np.float64) * self.stride_s

    def s_to_cells(self, durations_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert seconds to cells, any shape; not rounded."""
        return np.asarray(durations_s, dtype=np.float64) / self.stride_s

    def _index_behind(self, end_s: float) -> int:
        return math.ceil(self._position(end_s) - EDGE_TOLERANCE)

    def _position(self, time_s: float) -> float:
        return (time_s - self.start_s) / self.stride_s


@dataclass(frozen=True, slots=True, eq=False)
class FrameClock:
    """Presentation times of the stored frames of a clip; frames are numbered from 1.

    FiftyOne names a segment by the first and the last stored frame of it, both within. Any
    frame rate is welcome, a changing one too: a number counts frames, not periods.

    Attributes:
        starts_s: When each frame appears, in seconds, rising, shape ``(frame,)``.
        end_s: When the last one goes, in seconds.

    Raises:
        GridError: There are no frames, or their times do not rise.

    Example:
        >>> clock_25 = FrameClock.steady(50, fps_hz=25)
        >>> clock_25.frame_numbers(0.4, 0.8)
        (11, 20)
        >>> clock_25.span(11, 20)
        (0.4, 0.8)
    """

    starts_s: NDArray[np.float64]
    end_s: float

    def __post_init__(self) -> None:
        edges_s = np.append(self.starts_s, self.end_s)
        if len(edges_s) < 2 or not (np.diff(edges_s) > 0).all():  # noqa: PLR2004 - one frame
            raise GridError(
                f"{len(self.starts_s)} frames with an end at {self.end_s:g} s make no clock; "
                "their times must rise, and there must be one"
            )

    @classmethod
    def steady(cls, num_frames: int, *, fps_hz: float, start_s: float = 0.0) -> "FrameClock":
        """Build the clock of so many frames at a constant rate."""
        edges_s = start_s + np.arange(num_frames + 1, dtype=np.float64) / fps_hz
        return cls(edges_s[:-1], float(edges_s[-1]))

    def frame_numbers(self, start_s: float, end_s: float) -> tuple[int, int]:
        """Find the numbers of the first and the last frame of ``[start_s, end_s)``.

        The first is the one shown at ``start_s``, the last the one shown just before
        ``end_s``. What lies outside the frames is held by the nearest one, so each span
        has at least one frame.
        """
        first = int(np.searchsorted(self.starts_s, start_s + self._tolerance_s, side="right"))
        last = int(np.searchsorted(self.starts_s, end_s - self._tolerance_s, side="left"))
        first = min(max(first, 1), len(self.starts_s))
        return first, max(first, last)

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Compute the span from frame ``first`` up to the end of frame ``last``, in seconds.

        Numbers beyond the last frame stand for it.
        """
        num_frames = len(self.starts_s)
        first, last = min(max(first, 1), num_frames), min(max(last, 1), num_frames)
        end_s = self.end_s if last == num_frames else float(self.starts_s[last])
        return float(self.starts_s[first - 1]), end_s

    @property
    def longest_s(self) -> float:
        """Duration of the frame that is shown longest, in seconds."""
        return float(np.diff(self.starts_s, append=self.end_s).max())

    @property
    def is_steady(self) -> bool:
        """Return whether all frames but the last last alike, to a tenth of the usual time."""
        lasts_s = np.diff(self.starts_s)
        if not lasts_s.size:
            return True
        usual_s = float(np.median(lasts_s))
        return bool(np.abs(lasts_s - usual_s).max() <= usual_s / 10)

    @property
    def _tolerance_s(self) -> float:
        # Seconds are rounded on their way through files; a frame's edge must not fall into
        # its neighbour for that.
        return EDGE_TOLERANCE * (self.end_s - float(self.starts_s[0])) / len(self.starts_s)


def pts_to_s(pts: int, time_base: Fraction, *, zero_s: float = 0.0) -> float:
    """Convert a presentation time stamp to seconds.

    Args:
        pts: The stamp, in ticks of ``time_base``.
        time_base: Seconds a tick, as the container states it.
        zero_s: Where the clip's zero lies on the container's clock, in seconds.

    Example:
        >>> pts_to_s(90, Fraction(1, 30), zero_s=1.0)
        2.0
    """
    # A quotient of integers is rounded once, as the exact fraction would be, and far sooner.
    return pts * time_base.numerator / time_base.denominator - zero_s


def s_to_pts(time_s: float, time_base: Fraction, *, zero_s: float = 0.0) -> int:
    """Convert seconds to the nearest presentation time stamp; undoes :func:`pts_to_s`.

    Example:
        >>> s_to_pts(2.0, Fraction(1, 30), zero_s=1.0)
        90
    """
    return round((time_s + zero_s) / time_base)


def frames_to_s(num_frames: float, fps_hz: float | Fraction) -> float:
    """Convert frames at a constant rate to seconds.

    Example:
        >>> frames_to_s(50, 25)
        2.0
    """
    return float(num_frames / fps_hz)


def samples_to_s(num_audio_samples: int, sample_rate_hz: int) -> float:
    """Convert audio samples to seconds.

    Example:
        >>> samples_to_s(8_000, 16_000)
        0.5
    """
    return num_audio_samples / sample_rate_hz


def s_to_samples(duration_s: float, sample_rate_hz: int) -> int:
    """Convert seconds to the nearest number of audio samples.

    Example:
        >>> s_to_samples(0.0101, 16_000)
        162
    """
    return round(duration_s * sample_rate_hz)


def hops_per_cell(stride_s: float, hop_s: float) -> int:
    """Compute the number of whole hops that fill one cell.

    Raises:
        GridError: The stride is not a whole number of hops, so that columns would drift
            against the cells.

    Example:
        >>> hops_per_cell(0.2, 0.01)
        20
    """
    hops = round(stride_s / hop_s)
    if hops < 1 or abs(hops * hop_s - stride_s) > EDGE_TOLERANCE * hop_s:
        raise GridError(
            f"a stride of {stride_s:g} s is not a whole number of hops of {hop_s:g} s; "
            f"choose a multiple, such as {max(1, hops) * hop_s:g} s"
        )
    return hops


def clock(time_s: float) -> str:
    """Format a time as a person reads it.

    Example:
        >>> clock(83.456)
        '1:23.46'
        >>> clock(-0.5)
        '-0:00.50'
    """
    hundredths = round(time_s * 100)
    minutes, rest = divmod(abs(hundredths), 6000)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{minutes}:{rest // 100:02d}.{rest % 100:02d}"


def vtt_clock(time_s: float) -> str:
    """Format a time as a WebVTT time stamp.

    Example:
        >>> vtt_clock(3723.4567)
        '01:02:03.457'

    Source:
        W3C WebVTT, section 4.1, "WebVTT timestamp".
    """
    milliseconds = round(max(0.0, time_s) * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
