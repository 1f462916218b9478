"""Puts rows that lie anywhere in time onto the cells of a grid.

Frames come at a rate of their own, often a varying one, and are placed by their
presentation times alone.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.timebase import Grid

#: A cell without a frame takes the nearest one, if that is no farther than this: three
#: frames of a 25 fps clip, or two of a 15 fps one.
HOLD_S = 0.13

#: A normal distribution spreads so many times as far as its median absolute deviation.
_NORMAL = 1.4826
#: Added to every spread, so that rounding is no deviation; features are of the order of one.
_LEAST_SPREAD = 0.1
_MOST_UNITS = 8.0


def rows_on_grid(
    values: NDArray[np.float32],
    times_s: NDArray[np.float64],
    grid: Grid,
    num_snippets: int,
    *,
    hold_s: float = HOLD_S,
) -> FeatureRows:
    """Return the mean of the rows in each cell, or the nearest row where a cell has none.

    Args:
        values: One row a moment, shape ``(row, feature)``.
        times_s: When each row is, in seconds and in order, shape ``(row,)``.
        grid: The cells.
        num_snippets: How many of them.
        hold_s: How far from the middle of its cell a borrowed row may be, in seconds.

    Returns:
        Rows of shape ``(num_snippets, feature)``; cells without a row near are not present.
    """
    cells = grid.indices_at(times_s)
    inside = (cells >= 0) & (cells < num_snippets)
    sums = np.zeros((num_snippets, values.shape[1]))
    np.add.at(sums, cells[inside], values[inside])
    counts = np.bincount(cells[inside], minlength=num_snippets)
    present = counts > 0
    means = sums / np.maximum(counts, 1)[:, None]
    if len(values) and not present.all():
        centers_s = grid.centers_s(num_snippets)
        right = np.clip(np.searchsorted(times_s, centers_s), 0, len(times_s) - 1)
        left = np.maximum(right - 1, 0)
        to_left, to_right = np.abs(times_s[left] - centers_s), np.abs(times_s[right] - centers_s)
        nearest = np.where(to_left <= to_right, left, right)
        borrowed = ~present & (np.minimum(to_left, to_right) <= hold_s)
        means[borrowed] = values[nearest[borrowed]]
        present |= borrowed
    return FeatureRows(means.astype(np.float32), present)


def with_deviation(rows: FeatureRows) -> FeatureRows:
    """Return rows with their deviation from the clip's median put behind them.

    A partial forgery differs from the rest of its own clip, whatever camera, microphone and
    person that clip is of. So a deviation counts in units of the clip's own spread: what is
    much in a face that holds still is little in one that nods.

    Returns:
        Rows of twice the features; zeros where not present.
    """
    if not rows.present.any():
        doubled = np.zeros((len(rows), 2 * rows.dim), dtype=np.float32)
        return FeatureRows(doubled, rows.present)
    units = in_units_of_spread(rows.values, rows.present)
    both = np.concatenate([rows.values, units], axis=1).astype(np.float32)
    both[~rows.present] = 0.0
    return FeatureRows(both, rows.present)


def in_units_of_spread(
    values: NDArray[np.float32], present: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return by how many of its usual deviations each value lies off the median of its column.

    Args:
        values: Shape ``(row, feature)``, at least one row.
        present: Rows that median and spread are of, shape ``(row,)``; all if not given.
    """
    counts = values if present is None else values[present]
    median = np.median(counts, axis=0)
    spread = _NORMAL * np.median(np.abs(counts - median), axis=0) + _LEAST_SPREAD
    units: NDArray[np.float32] = np.clip((values - median) / spread, -_MOST_UNITS, _MOST_UNITS)
    return units.astype(np.float32)
