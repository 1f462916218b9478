"""How far a measured number can be trusted: bootstrap intervals over clips.

Clips of one person are alike, so a test set of 500 clips of 20 people tells about as much as
one of some 20 clips. Drawn by person instead of by clip, the interval says so.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mmmsba_plugin.errors import ConfigError, DatasetError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


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
    metric: Callable[[Sequence[int]], float],
    *,
    clusters: Sequence[Hashable],
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a metric with its percentile bootstrap interval.

    Args:
        metric: Computes the number from the indices of the clips to use. An index may come
            several times, and then stands for as many clips; :func:`drawn` keeps them apart
            in a mapping by key.
        clusters: Who is seen in each clip, one a clip. Clips of one cluster are drawn
            together. None is nobody known, and each such clip a cluster by itself; so
            ``[None] * n`` draws clip by clip.
        num_resamples: How often clips are drawn anew.
        level: Share of the resampled numbers that lie inside the interval, in (0, 1).
        seed: Of the draws. The same seed gives the same interval.

    Returns:
        The interval. Draws for which the metric is NaN, such as an AUC of one class, are left
        out. Its ends are NaN where there are fewer than two clusters, or no draw counts.

    Raises:
        ConfigError: ``num_resamples`` or ``level`` is out of bounds.
        DatasetError: There are no clips.

    Example:
        >>> errors = [0.0, 0.0, 1.0, 1.0]
        >>> def error_rate(clips):
        ...     return sum(errors[i] for i in clips) / len(clips)
        >>> bootstrap(error_rate, clusters=["ann", "ann", "bob", "bob"])
        Interval(value=0.5, low=0.0, high=1.0)

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; drawing
        whole clusters as in Davison and Hinkley, "Bootstrap Methods", 1997, section 3.8.
    """
    if num_resamples < 1 or not 0.0 < level < 1.0:
        raise ConfigError(
            f"need num_resamples of 1 or more and a level in (0, 1), got {num_resamples=} and "
            f"{level=}; 1000 and 0.95 are usual"
        )
    if not clusters:
        raise DatasetError("there are no clips to draw from; check the filter or the split")
    value = metric(range(len(clusters)))
    members = _members(clusters)
    if len(members) == 1:
        return Interval(value, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(members), size=len(members)) for _ in range(num_resamples))
    values = [metric([i for cluster in draw for i in members[cluster]]) for draw in draws]
    return Interval(value, *_percentiles(values, level))


def drawn(
    table: Mapping[Key, Value], keys: Sequence[Key], indices: Sequence[int]
) -> dict[tuple[int, Key], Value]:
    """Return the clips that were drawn; one that was drawn twice stays two clips.

    Args:
        table: What is known by clip: predictions or truths.
        keys: The clips that indices count.
        indices: Which of them were drawn, as :func:`bootstrap` hands them to its metric.

    Returns:
        The drawn entries by place and key. A clip that is not in ``table`` is left out.

    Example:
        >>> drawn({"a": 0.2, "b": 0.9}, ["a", "b"], [1, 1])
        {(0, 'b'): 0.9, (1, 'b'): 0.9}
    """
    clips = enumerate(keys[index] for index in indices)
    return {(place, key): table[key] for place, key in clips if key in table}


def _members(clusters: Sequence[Hashable]) -> list[list[int]]:
    """Return the clips of each cluster, in order of first appearance."""
    members: dict[Hashable, list[int]] = {}
    for index, cluster in enumerate(clusters):
        name = ("alone", index) if cluster is None else ("cluster", cluster)
        members.setdefault(name, []).append(index)
    return list(members.values())


def _percentiles(values: Sequence[float], level: float) -> tuple[float, float]:
    defined = [value for value in values if not math.isnan(value)]
    if not defined:
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
