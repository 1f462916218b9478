"""Self-similarity of a clip: moments that are out of place, and moments that occur twice.

A partial forgery is out of place in its own clip, whoever is heard there. A moment is compared
with the others of the clip by vectors whose product says how alike two of them are.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.timebase import Grid

#: Moments farther apart than this are not compared, so that an hour takes no square of it.
_REACH_S = 30.0
#: What just went before, and what comes just after, is this long.
_SIDE_S = 1.0
#: Moments compared at a time.
_BLOCK = 512

#: Nearest similarity, mean similarity, similarity to what went before and to what comes after, and
#: how alike the two sides of the moment are.
NUM_VALUES = 5

Similarities = NDArray[np.float32]


def self_similarity(
    vectors: NDArray[np.float32], *, stride_s: float, window_s: float
) -> Similarities:
    """Compute the self-similarity of each moment with others that share no audio with it.

    Args:
        vectors: Of length one, one a moment, shape ``(moment, value)``.
        stride_s: From one moment to the next, in seconds.
        window_s: Length of the window that a vector describes, in seconds.

    Returns:
        Cosines, shape ``(moment, NUM_VALUES)``. Where there is nothing to compare with, the
        mean of the clip, or 0 if there is nothing anywhere.
    """
    grid = Grid(stride_s=stride_s)
    reach, half = np.round(grid.s_to_cells(np.array([_REACH_S, window_s / 2]))).astype(int)
    starts = range(0, len(vectors), _BLOCK)
    blocks = [_block(vectors, start, int(reach), grid, window_s) for start in starts]
    # What lies half a window before and after each moment.
    moments, half = np.arange(len(vectors)), max(1, int(half))
    before, after = np.maximum(moments - half, 0), np.minimum(moments + half, len(vectors) - 1)
    sides = np.asarray((vectors[before] * vectors[after]).sum(axis=1), dtype=np.float64)
    values = np.column_stack([np.concatenate(blocks), sides])
    finite = np.isfinite(values)
    means = np.where(finite, values, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    return np.where(finite, values, means).astype(np.float32)


def _block(
    vectors: NDArray[np.float32], start: int, reach: int, grid: Grid, window_s: float
) -> NDArray[np.float64]:
    """Compute the first four values of one block of moments; NaN where none can be compared."""
    here = np.arange(start, min(start + _BLOCK, len(vectors)))
    there = np.arange(max(0, start - reach), min(len(vectors), here[-1] + 1 + reach))
    alike = vectors[here].astype(np.float64) @ vectors[there].T.astype(np.float64)
    later = there[None] - here[:, None]
    apart_s = grid.cells_to_s(np.abs(later))
    counts = (apart_s > window_s) & (np.abs(later) <= reach)
    beside = counts & (apart_s <= window_s + _SIDE_S)
    nearest = np.where(counts, alike, -np.inf).max(axis=1)
    nearest[np.isinf(nearest)] = np.nan
    means = [_mean(alike, which) for which in (counts, beside & (later < 0), beside & (later > 0))]
    return np.column_stack([nearest, *means])


def _mean(values: NDArray[np.float64], which: NDArray[np.bool_]) -> NDArray[np.float64]:
    counts = which.sum(axis=1)
    sums = np.where(which, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
