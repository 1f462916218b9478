"""Bootstrap confidence intervals of metrics, over clips or clusters of clips.

Clips of one person are alike, so a test set of 500 clips of 20 people tells about as much as
one of some 20 clips. Drawn by person instead of by clip, the interval says so.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError, DatasetError

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Bootstrap draw: the clips that a metric is computed from.

    Attributes:
        clips: Their indices, shape ``(drawn,)``. One may come several times, and then stands
            for as many clips.
        whole: Whether these are all clips, each once.
    """

    clips: Ints
    whole: bool = False

    def counts(self, num_clips: int) -> Ints | None:
        """Count the draws of each clip, shape ``(clip,)``; None if once each."""
        return None if self.whole else np.bincount(self.clips, minlength=num_clips)

    def within(self, selection: NDArray[np.bool_]) -> "Draw":
        """Return the drawn clips that are kept, where ``selection`` has shape ``(clip,)``."""
        return self if self.whole and selection.all() else Draw(self.clips[selection[self.clips]])


#: Computes a number from some of the clips.
Metric = Callable[[Draw], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured number, and the range it would mostly fall in on other clips alike.

    Attributes:
        value: Measured on all clips, each once.
        low: Lower end; NaN where no range can be given.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def bootstrap(
    metrics: Mapping[str, Metric],
    *,
    clusters: Sequence[Hashable],
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return metrics with their percentile bootstrap intervals.

    All metrics see the same draws, so the difference of two systems, given as a metric, is a
    paired one.

    Args:
        metrics: By name, what computes each number.
        clusters: Who is seen in each clip, one a clip. Clips of one cluster are drawn
            together. None is nobody known, and each such clip a cluster by itself; so
            ``[None] * n`` draws clip by clip.
        num_resamples: How often clips are drawn anew; 0 for no intervals.
        level: Share of the resampled numbers that lie inside the interval, in (0, 1).
        seed: Of the draws. The same seed gives the same intervals.

    Returns:
        The intervals by name. Draws for which a metric is NaN, such as an AUC of one class,
        are left out of its interval. Ends are NaN where there are fewer than two clusters, or
        no draw counts.

    Raises:
        ConfigError: ``num_resamples`` or ``level`` is out of bounds.
        DatasetError: There are no clips.

    Example:
        >>> errors = np.array([0.0, 0.0, 1.0, 1.0])
        >>> def error_rate(draw):
        ...     return float(errors[draw.clips].mean())
        >>> bootstrap({"errors": error_rate}, clusters=["ann", "ann", "bob", "bob"])
        {'errors': Interval(value=0.5, low=0.0, high=1.0)}

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; drawing
        whole clusters as in Davison and Hinkley, "Bootstrap Methods", 1997, section 3.8.
    """
    if num_resamples < 0 or not 0.0 < level < 1.0:
        raise ConfigError(
            f"need num_resamples of 0 or more and a level in (0, 1), got {num_resamples=} and "
            f"{level=}; 1000 and 0.95 are usual"
        )
    if not clusters:
        raise DatasetError("there are no clips to draw from; check the filter or the split")
    whole = Draw(np.arange(len(clusters)), whole=True)
    values: dict[str, list[float]] = {name: [] for name in metrics}
    order, starts = _members(clusters)
    num_clusters, rng = len(starts) - 1, np.random.default_rng(seed)
    for _ in range(num_resamples if num_clusters > 1 else 0):
        draw = Draw(order[rows_of(rng.integers(num_clusters, size=num_clusters), starts)])
        for name, metric in metrics.items():
            values[name].append(metric(draw))
    intervals = {}
    for name, metric in metrics.items():
        defined = [value for value in values[name] if not math.isnan(value)] or [math.nan]
        low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
        intervals[name] = Interval(metric(whole), float(low), float(high))
    return intervals


def rows_of(groups: Ints, starts: Ints) -> Ints:
    """Return the rows of groups, one group after the other.

    Args:
        groups: Which groups, any of them several times, shape ``(drawn,)``.
        starts: Where the rows of each group start, and where the last ends, ``(group + 1,)``.

    Example:
        >>> rows_of(np.array([1, 0, 1]), np.array([0, 2, 5])).tolist()
        [2, 3, 4, 0, 1, 2, 3, 4]
    """
    lengths = np.diff(starts)[groups]
    shifts = starts[groups] - (np.cumsum(lengths) - lengths)
    return np.repeat(shifts, lengths) + np.arange(lengths.sum())


def _members(clusters: Sequence[Hashable]) -> tuple[Ints, Ints]:
    """Return clips cluster by cluster, and where each cluster starts, with the end behind."""
    members: dict[Hashable, list[int]] = {}
    for index, cluster in enumerate(clusters):
        name = ("alone", index) if cluster is None else ("cluster", cluster)
        members.setdefault(name, []).append(index)
    lengths = [len(clips) for clips in members.values()]
    order = np.array([clip for clips in members.values() for clip in clips], dtype=np.int64)
    return order, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def wilson(num_hits: int, num_clips: int) -> Interval:
    """Compute a share with its 95 % interval by Wilson, which is never empty, even at 0 or all.

    It takes clips for independent. Where several are of one person they are not, and the
    truth lies outside more often.

    Args:
        num_hits: How many clips have what is counted.
        num_clips: How many there are.

    Returns:
        The share and its interval; all NaN where there are no clips.

    Raises:
        ConfigError: There are more hits than clips, or fewer than none.

    Example:
        >>> found = wilson(1, 40)
        >>> round(found.low, 4), found.value, round(found.high, 4)
        (0.0044, 0.025, 0.1288)

    Source:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    if not 0 <= num_hits <= num_clips:
        raise ConfigError(
            f"need hits between none and all, got {num_hits} of {num_clips} clips; count again"
        )
    if num_clips == 0:
        return Interval(math.nan, math.nan, math.nan)
    from scipy.stats import binomtest

    ends = binomtest(num_hits, num_clips).proportion_ci(method="wilson")
    return Interval(num_hits / num_clips, float(ends.low), float(ends.high))
