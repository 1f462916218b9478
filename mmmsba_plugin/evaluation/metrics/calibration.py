"""Calibration metrics: of 100 clips at 0.7, are about 70 fake?

Here it is asked of P(fake) itself. Work on classifiers of many classes asks it of the
probability of the class that was chosen, which is never below one half for two classes, and
gets other numbers from the same scores.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.evaluation.metrics.detection import Flags, Labels, Scores, check_scores

_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Reliability diagram: mean score and share of fake clips, bin by bin.

    Attributes:
        edges: Where bins begin and the last one ends, float64, shape ``(bin + 1,)``. A bin
            holds its lower edge; the last one both.
        mean_scores: Mean score in each bin, shape ``(bin,)``; NaN where it is empty.
        shares_fake: Share of its clips that are fake; NaN where it is empty.
        counts: How many clips it holds, int64.
    """

    edges: Scores
    mean_scores: Scores
    shares_fake: Scores
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"Reliability({len(self.counts)} bins, {int(self.counts.sum())} clips)"


def reliability(scores: ArrayLike, fake: Labels, *, bins: int = 15) -> Reliability:
    """Compute mean score and share of fake clips in each bin of scores.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        fake: Whether each clip is fake, shape ``(clip,)``.
        bins: Number of bins of equal width, at least 1.

    Raises:
        ConfigError: No bin is asked for.
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.

    Example:
        >>> seen = reliability([0.1, 0.2, 0.7, 0.9], [False, False, True, True], bins=2)
        >>> seen.mean_scores.round(2).tolist(), seen.shares_fake.tolist(), seen.counts.tolist()
        ([0.15, 0.8], [0.0, 1.0], [2, 2])
    """
    values, labels = check_scores(scores, fake)
    if bins < 1:
        raise ConfigError(f"reliability needs at least one bin, got {bins}; 15 are usual")
    edges = np.arange(bins + 1) / bins
    # By the inner edges alone: the outer ones belong to the first and the last bin.
    index = np.searchsorted(edges[1:-1], values, side="right")
    counts = np.bincount(index, minlength=len(edges) - 1)
    return Reliability(edges, _means(index, values, counts), _means(index, labels, counts), counts)


def expected_calibration_error(scores: ArrayLike, fake: Labels, *, bins: int = 15) -> float:
    """Compute the expected calibration error (ECE) over bins of equal width.

    Few clips look miscalibrated however right the scores are: a bin of five clips misses its
    own mean by chance. So compare figures of like numbers of clips and like bins.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        fake: Whether each clip is fake, shape ``(clip,)``.
        bins: Number of bins, at least 1.

    Returns:
        A number in [0, 1], 0 at best; NaN where there are no clips.

    Raises:
        ConfigError: No bin is asked for.
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.

    Example:
        >>> expected_calibration_error([0.2, 0.2, 0.8, 0.8], [False, False, True, False])
        0.25

    Source:
        Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015,
        on P(fake); Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3,
        has 15 bins.
    """
    diagram = reliability(scores, fake, bins=bins)
    if not diagram.counts.sum():
        return math.nan
    filled = diagram.counts > 0
    gaps = np.abs(diagram.mean_scores - diagram.shares_fake)[filled]
    return float(np.average(gaps, weights=diagram.counts[filled]))


def brier_score(scores: ArrayLike, fake: Labels) -> float:
    """Return the mean squared distance of scores from the truth, 0 at best.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        fake: Whether each clip is fake, shape ``(clip,)``.

    Returns:
        A number in [0, 1]; NaN where there are no clips.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.

    Example:
        >>> brier_score([0.0, 0.5], [False, True])
        0.125

    Source:
        Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950, in the
        form for two classes, which is half of his.
    """
    values, labels = check_scores(scores, fake)
    return float(np.mean((values - labels) ** 2)) if values.size else math.nan


def _means(index: _Counts, values: Scores | Flags, counts: _Counts) -> Scores:
    """Return the mean of the values in each bin; NaN where there are none."""
    sums = np.bincount(index, weights=values, minlength=len(counts))
    means = np.full(len(counts), math.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
