"""Training targets of a clip, from its ground truth.

The exact inverse of :mod:`mmmsba_plugin.localization`: perfect answers to these targets are
turned back into the segments they were made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.segment import Segment, Spans, as_spans, merge
from mmmsba_plugin.timebase import EDGE_TOLERANCE, Grid


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Targets of each snippet of a clip.

    Attributes:
        labels: 1 where forged, 0 where real, int64, shape ``(snippet,)``.
        distances: From the middle of each cell to the start and the end of the forged
            segment that holds it, in cells, float32, shape ``(snippet, 2)``; zeros where
            there is no such segment.
        regress: Where the distances are to be learned, bool, shape ``(snippet,)``: fake, and
            the middle of the cell lies inside a segment. A cell that a segment merely grazes
            has no distance to both ends that is not negative, so it only learns its label.
    """

    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    regress: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.labels.shape[0])

    def __repr__(self) -> str:
        return f"Targets({len(self)} snippets, {int(self.labels.sum())} fake)"


def make_targets(
    truth: Sequence[Segment], grid: Grid, num_snippets: int, *, min_overlap: float = 0.0
) -> Targets:
    """Compute the targets of a clip.

    Args:
        truth: Fake segments in any order; those that overlap or touch count as one.
        grid: Where the snippets lie in time.
        num_snippets: How many there are; truth behind the last is not asked for.
        min_overlap: Share of a cell that must be fake for its snippet to be fake, in
            [0, 1]. With 0, any forged time at all makes it fake, as in the authors' helper.

    Example:
        >>> targets = make_targets([Segment(0.3, 0.8)], Grid(stride_s=0.2), 5)
        >>> targets.labels.tolist(), targets.regress.tolist()
        ([0, 1, 1, 1, 0], [False, True, True, True, False])
        >>> targets.distances[2].round(2).tolist()
        [1.0, 1.5]
    """
    spans = as_spans(merge(truth))
    fake = _overlapped(spans, grid, num_snippets, min_overlap)
    distances, inside = _distances(spans, grid, num_snippets)
    return Targets(fake.astype(np.int64), distances, inside & fake)


def _overlapped(
    spans: Spans, grid: Grid, num_snippets: int, min_overlap: float
) -> NDArray[np.bool_]:
    """Label the cells that hold enough fake time, shape ``(snippet,)``."""
    fake = np.zeros(num_snippets, dtype=np.bool_)
    fake_s = np.zeros(num_snippets)
    for start_s, end_s in spans:
        for index in grid.overlapping(start_s, end_s):
            if 0 <= index < num_snippets:
                cell_start_s, cell_end_s = grid.cell(index)
                fake[index] = True
                fake_s[index] += min(end_s, cell_end_s) - max(start_s, cell_start_s)
    return fake & (grid.s_to_cells(fake_s) >= min_overlap - EDGE_TOLERANCE)


def _distances(
    spans: Spans, grid: Grid, num_snippets: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return distances in cells, shape ``(snippet, 2)``, and where there are any."""
    distances = np.zeros((num_snippets, 2), dtype=np.float32)
    inside = np.zeros(num_snippets, dtype=np.bool_)
    centers_s = grid.centers_s(num_snippets)
    for start_s, end_s in spans:
        in_span = (centers_s >= start_s) & (centers_s < end_s)
        to_ends_s = np.stack([centers_s - start_s, end_s - centers_s], axis=1)
        distances[in_span] = grid.s_to_cells(to_ends_s)[in_span]
        inside |= in_span
    return distances, inside
