"""Attention of a network while it scored fake segments, summed up for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MmmsbaError, RunCancelledError
from mmmsba_plugin.media.encode import jpeg_data_uri
from mmmsba_plugin.media.spectrogram_image import heat_image
from mmmsba_plugin.schema import FakeSegment, Report, SegmentAttention
from mmmsba_plugin.timebase import Grid

if TYPE_CHECKING:
    from mmmsba_plugin.model.explain import Explanation

#: More points along a window than this are averaged to it.
_MAX_POINTS = 200
#: Height of a strip, in pixels.
_STRIP_PX = 8
#: A map has a row for each snippet that attends, and a column for each that is attended to.
_MAP_AXES = 2


@dataclass(frozen=True, slots=True)
class AttentionStrip:
    """Attention of one pair of modalities along time, to be looked at.

    Attributes:
        pair: The pair in words, such as ``face from lips``.
        image: The weights along time as a data URI, brightest where they are highest.
        peak_s: The moment of the highest weight, in seconds.
        peak: That weight; 1 is an even share.
    """

    pair: str
    image: str
    peak_s: float
    peak: float


def attention_strips(attention: SegmentAttention) -> list[AttentionStrip]:
    """Draw the attention of a segment, a strip a pair, each on a scale of its own."""
    grid = Grid(attention.start_s, attention.stride_s)
    strips = []
    for pair, weights in attention.weights.items():
        highest = int(np.argmax(weights))
        row = np.asarray(weights)[None] / weights[highest]
        strips.append(
            AttentionStrip(
                pair=pair.replace("_", " "),
                image=jpeg_data_uri(heat_image(np.repeat(row, _STRIP_PX, axis=0))),
                peak_s=sum(grid.cell(highest)) / 2,
                peak=weights[highest],
            )
        )
    return strips


def with_attention(
    report: Report, explanations: "Iterable[Explanation]", *, stride_s: float
) -> Report:
    """Return a report with where the network looked in its fake segments.

    A report without it says why not; nothing else of it may be lost for this.

    Args:
        report: The report.
        explanations: As for :func:`segment_attention`.
        stride_s: Length of a snippet, in seconds.

    Raises:
        RunCancelledError: It was stopped.
    """
    try:
        attention = segment_attention(report.segments, explanations, stride_s=stride_s)
    except RunCancelledError:
        raise
    except MmmsbaError as error:
        warning = f"where the network looked is not shown: {error}"
        return report.model_copy(update={"warnings": (*report.warnings, warning)})
    return report.model_copy(update={"attention": attention})


def segment_attention(
    segments: Sequence[FakeSegment], explanations: "Iterable[Explanation]", *, stride_s: float
) -> tuple[SegmentAttention, ...]:
    """Sum up attention maps over each fake segment, along the window that holds most of it.

    Args:
        segments: Fake segments.
        explanations: Attention maps of the clip, window by window, and face by face.
        stride_s: Length of a snippet, in seconds.

    Returns:
        Attention of those segments that a map is of.
    """
    best: dict[int, tuple[int, SegmentAttention]] = {}
    for explanation in explanations:
        middles_s = explanation.starts_s + stride_s / 2
        for number, segment in enumerate(segments, start=1):
            is_within = (middles_s >= segment.start_s) & (middles_s < segment.end_s)
            if segment.track is not None:
                is_within &= explanation.track_ids == segment.track
            num_rows = int(is_within.sum())
            if num_rows > best.get(number, (0, None))[0]:
                attention = _over_rows(explanation, is_within, number, stride_s)
                if attention is not None:
                    best[number] = num_rows, attention
    return tuple(attention for _, attention in (best[number] for number in sorted(best)))


def _over_rows(
    explanation: "Explanation", is_within: NDArray[np.bool_], number: int, stride_s: float
) -> SegmentAttention | None:
    """Return the mean attention of some snippets; None where the network has no maps."""
    num_keys = len(explanation.key_starts_s)
    num_cells = max(1, -(-num_keys // _MAX_POINTS))
    edges = np.arange(0, num_keys, num_cells)
    weights = {}
    for pair, attention in explanation.attention.items():
        # Where the other modality is absent, nothing is attended to.
        if attention.ndim == _MAP_AXES and (along := attention[is_within].mean(axis=0)).any():
            relative = along.astype(np.float64) * num_keys
            means = np.add.reduceat(relative, edges) / np.diff([*edges, num_keys])
            weights[pair] = tuple(means.tolist())
    if not weights:
        return None
    return SegmentAttention(
        segment=number,
        start_s=float(explanation.key_starts_s[0]),
        stride_s=num_cells * stride_s,
        weights=weights,
    )
