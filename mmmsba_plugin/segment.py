"""Half-open segments of time, and their overlap.

One segment is a :class:`Segment`; many at once are an array of shape ``(segment, 2)`` of
start and end in seconds, which is what the tables of overlap work on.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import SegmentError

#: Start and end in seconds, shape ``(segment, 2)``.
Spans = NDArray[np.float64]

#: A segment is the whole clip where it leaves no more than this of it, in seconds.
_MAX_REST_S = 0.2


@dataclass(frozen=True, order=True, slots=True)
class Segment:
    """A segment of time ``[start_s, end_s)``, in seconds.

    Raises:
        SegmentError: An end is not finite, or the segment has no length.

    Example:
        >>> Segment(1.0, 2.5).duration_s
        1.5
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise SegmentError(f"a segment needs finite ends, got [{self.start_s}, {self.end_s})")
        if not self.end_s > self.start_s:
            raise SegmentError(
                f"a segment must end after it starts, got [{self.start_s}, {self.end_s}); "
                "were start and end swapped?"
            )

    @property
    def duration_s(self) -> float:
        """Duration, in seconds."""
        return self.end_s - self.start_s

    def __contains__(self, time_s: float) -> bool:
        return self.start_s <= time_s < self.end_s


def is_whole_clip(segment: Segment, duration_s: float) -> bool:
    """Return whether a segment leaves next to nothing of a clip that lasts ``duration_s``.

    Example:
        >>> is_whole_clip(Segment(0.1, 4.0), 4.0), is_whole_clip(Segment(1.0, 4.0), 4.0)
        (True, False)
    """
    return segment.duration_s >= duration_s - _MAX_REST_S > 0


def as_spans(segments: Iterable[Segment]) -> Spans:
    """Return segments as an array of start and end, shape ``(segment, 2)``, in seconds."""
    return np.array([(s.start_s, s.end_s) for s in segments], dtype=np.float64).reshape(-1, 2)


def overlap_s(a: Segment, b: Segment) -> float:
    """Compute the overlap of two segments, in seconds.

    Example:
        >>> overlap_s(Segment(0.0, 2.0), Segment(1.5, 3.0))
        0.5
    """
    return max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))


def tiou(a: Segment, b: Segment) -> float:
    """Compute the temporal intersection over union (tIoU) of two segments, in [0, 1].

    Example:
        >>> tiou(Segment(0.0, 2.0), Segment(1.0, 3.0))
        0.3333333333333333
    """
    shared_s = overlap_s(a, b)
    return shared_s / (a.duration_s + b.duration_s - shared_s)


def tiou_rows(a: Spans, b: Spans) -> NDArray[np.float64]:
    """Compute the tIoU of each span of ``a`` with the span of ``b`` in the same place.

    Args:
        a: Start and end in seconds, shape ``(..., 2)``. Empty spans are allowed here, because
            a network can propose one; they overlap nothing, and neither does one that ends
            before it starts.
        b: The same; the shapes broadcast.

    Returns:
        tIoU in [0, 1], shape ``(...)``.
    """
    start_s = np.maximum(a[..., 0], b[..., 0])
    end_s = np.minimum(a[..., 1], b[..., 1])
    shared_s = np.clip(end_s - start_s, 0.0, None)
    union_s = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - shared_s
    shares: NDArray[np.float64] = np.zeros_like(shared_s)
    np.divide(shared_s, union_s, out=shares, where=shared_s > 0)
    return shares


def tiou_table(a: Spans, b: Spans) -> NDArray[np.float64]:
    """Compute the tIoU of every span of ``a`` with every span of ``b``.

    Args:
        a: Start and end in seconds, shape ``(a, 2)``; spans as in :func:`tiou_rows`.
        b: The same, shape ``(b, 2)``.

    Returns:
        tIoU in [0, 1], shape ``(a, b)``.
    """
    return tiou_rows(a[:, None, :], b[None, :, :])


def clip(segment: Segment, within: Segment) -> Segment | None:
    """Clip ``segment`` to the part that lies in ``within``, or None where none does.

    Example:
        >>> clip(Segment(-1.0, 2.0), Segment(0.0, 10.0))
        Segment(start_s=0.0, end_s=2.0)
    """
    start_s, end_s = max(segment.start_s, within.start_s), min(segment.end_s, within.end_s)
    return Segment(start_s, end_s) if end_s > start_s else None


def merge(segments: Iterable[Segment], *, gap_s: float = 0.0) -> list[Segment]:
    """Merge segments in time order where they overlap or nearly touch.

    Args:
        segments: The segments, in any order.
        gap_s: Largest distance of two segments that become one, in seconds.

    Example:
        >>> merge([Segment(2.0, 3.0), Segment(0.0, 1.0), Segment(0.5, 1.5)])
        [Segment(start_s=0.0, end_s=1.5), Segment(start_s=2.0, end_s=3.0)]
    """
    merged: list[Segment] = []
    for segment in sorted(segments):
        if merged and segment.start_s - merged[-1].end_s <= gap_s:
            end_s = max(merged[-1].end_s, segment.end_s)
            merged[-1] = Segment(merged[-1].start_s, end_s)
        else:
            merged.append(segment)
    return merged


def gaps(segments: Iterable[Segment], within: Segment) -> list[Segment]:
    """Find the parts of ``within`` that no segment covers, in time order.

    Example:
        >>> gaps([Segment(1.0, 2.0)], Segment(0.0, 3.0))
        [Segment(start_s=0.0, end_s=1.0), Segment(start_s=2.0, end_s=3.0)]
    """
    uncovered = []
    reached_s = within.start_s
    for segment in merge(segments):
        if segment.start_s > reached_s:
            uncovered.append(Segment(reached_s, min(segment.start_s, within.end_s)))
        reached_s = max(reached_s, segment.end_s)
        if reached_s >= within.end_s:
            return uncovered
    return [*uncovered, Segment(reached_s, within.end_s)]
