"""How alike the moments of a clip are: what is out of place, and what occurs twice.

A partial forgery is out of place in its own clip, whoever is heard there. A moment is compared
with the others of the clip by vectors whose product says how alike two of them are.
"""

import numpy as np
from numpy.typing import NDArray

#: Moments farther apart than this are not compared, so that an hour takes no square of it.
_REACH_S = 30.0
#: What just went before, and what comes just after, is this long.
_SIDE_S = 1.0
#: Moments compared at a time.
_BLOCK = 512

#: Nearest likeness, mean likeness, likeness to what went before and to what comes after, and
#: how alike the two sides of the moment are.
NUM_VALUES = 5

Likenesses = NDArray[np.float32]


def likenesses(vectors: NDArray[np.float32], *, stride_s: float, window_s: float) -> Likenesses:
    """Return how alike each moment is to others that share nothing with it.

    Args:
        vectors: Of length one, one a moment, shape ``(moment, value)``.
        stride_s: From one moment to the next, in seconds.
        window_s: How long the stretch is that a vector tells of, in seconds.

    Returns:
        Cosines, shape ``(moment, NUM_VALUES)``. Where there is nothing to compare with, the
        mean of the clip, or 0 if there is nothing anywhere.
    """
    reach = round(_REACH_S / stride_s)
    starts = range(0, len(vectors), _BLOCK)
    blocks = [_block(vectors, s, reach, stride_s, window_s) for s in starts]
    half = max(1, round(window_s / 2 / stride_s))
    found = np.column_stack([np.concatenate(blocks), _sides(vectors, half)])
    known = np.isfinite(found)
    means = np.where(known, found, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, found, means).astype(np.float32)


def _block(
    vectors: NDArray[np.float32], start: int, reach: int, stride_s: float, window_s: float
) -> NDArray[np.float64]:
    """Return the first four values of one block of moments; NaN where none can be compared."""
    here = np.arange(start, min(start + _BLOCK, len(vectors)))
    there = np.arange(max(0, start - reach), min(len(vectors), here[-1] + 1 + reach))
    alike = vectors[here].astype(np.float64) @ vectors[there].T.astype(np.float64)
    later = there[None] - here[:, None]
    apart_s = np.abs(later) * stride_s
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


def _sides(vectors: NDArray[np.float32], half: int) -> NDArray[np.float64]:
    """Return how alike what lies half a window before and after each moment is."""
    moments = np.arange(len(vectors))
    last = len(vectors) - 1
    before, after = np.maximum(moments - half, 0), np.minimum(moments + half, last)
    return np.asarray((vectors[before] * vectors[after]).sum(axis=1), dtype=np.float64)
