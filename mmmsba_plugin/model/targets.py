"""Training targets of a clip, from its ground truth.

The exact inverse of :mod:`mmmsba_plugin.localization`: perfect predictions of these targets
are turned back into the segments they were made from.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.segment import Segment, as_spans, merge
from mmmsba_plugin.timebase import EDGE_TOLERANCE, Grid


def fake_labels(
    truth: Sequence[Segment], grid: Grid, num_snippets: int, *, min_overlap: float = 0.0
) -> NDArray[np.int64]:
    """Label each snippet of a clip as fake (1) or real (0).

    Args:
        truth: Fake segments in any order; they may overlap.
        grid: Position of the snippets in time.
        num_snippets: Number of snippets; truth behind the last is left out.
        min_overlap: Share of a snippet's cell that must be fake; with 0 any fake time at all
            makes a snippet fake, as in the authors' helper.

    Returns:
        Shape ``(snippet,)``.

    Example:
        >>> fake_labels([Segment(0.3, 0.8)], Grid(stride_s=0.2), 5).tolist()
        [0, 1, 1, 1, 0]
    """
    labels = np.zeros(num_snippets, dtype=np.int64)
    for segment in truth:
        cells = grid.overlapping(segment.start_s, segment.end_s)
        labels[max(0, cells.start) : max(0, cells.stop)] = 1
    if min_overlap:
        enough = min_overlap * (1 - EDGE_TOLERANCE)
        labels[_fake_shares(truth, grid, num_snippets) < enough] = 0
    return labels


def _fake_shares(truth: Sequence[Segment], grid: Grid, num_snippets: int) -> NDArray[np.float64]:
    """Compute the share of each cell that is fake, shape ``(snippet,)``."""
    centers_s = grid.centers_s(num_snippets)[:, None]
    half_s = grid.stride_s / 2
    spans = as_spans(merge(truth))
    starts_s = np.maximum(centers_s - half_s, spans[:, 0])
    ends_s = np.minimum(centers_s + half_s, spans[:, 1])
    shares: NDArray[np.float64] = np.maximum(ends_s - starts_s, 0).sum(axis=1) / grid.stride_s
    return shares


def boundary_distances(
    truth: Sequence[Segment], grid: Grid, num_snippets: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Compute the distances from the middle of each cell to the ends of its fake segment.

    A cell that a segment merely grazes has no distance to both ends that is not negative, so
    it has none.

    Args:
        truth: Fake segments in any order; those that overlap or touch count as one.
        grid: Position of the snippets in time.
        num_snippets: Number of snippets.

    Returns:
        Distances to start and end in cells, shape ``(snippet, 2)``, zeros where there are
        none; and where there are some, shape ``(snippet,)``.

    Example:
        >>> distances, inside = boundary_distances([Segment(0.3, 0.8)], Grid(stride_s=0.2), 5)
        >>> distances[2].round(2).tolist(), inside.tolist()
        ([1.0, 1.5], [False, True, True, True, False])
    """
    distances = np.zeros((num_snippets, 2), dtype=np.float32)
    inside = np.zeros(num_snippets, dtype=np.bool_)
    centers_s = grid.centers_s(num_snippets)
    for start_s, end_s in as_spans(merge(truth)):
        in_span = (centers_s >= start_s) & (centers_s < end_s)
        to_ends_s = np.stack([centers_s - start_s, end_s - centers_s], axis=1)
        distances[in_span] = grid.s_to_cells(to_ends_s)[in_span]
        inside |= in_span
    return distances, inside
