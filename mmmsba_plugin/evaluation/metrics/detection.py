"""Metrics of detection: one score a clip or a snippet, against a label.

All of them are properties of a :class:`Ranking`, which sorts once. Where a metric is not
defined, such as the AUC of one class, it is NaN rather than a number that looks like a result.
All are counted in whole numbers and divided in float64, so ties and tiny differences count as
they stand; none assumes that scores are distinct.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import ConfigError, ScoreRangeError, ShapeError

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = Sequence[bool] | Flags
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Numbers of fake and of real clips that reach each score that occurs.

    Attributes:
        thresholds: Each score that occurs, falling, float64, shape ``(threshold,)``; the first
            is infinite and reached by none. Equal scores fall on the same side of each.
        num_fake: Number of fake clips at or above each threshold, int64, same shape.
        num_real: Number of real clips at or above each threshold.

    Example:
        >>> ranking = Ranking.of([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        >>> ranking.auc, ranking.eer, round(ranking.average_precision, 4)
        (0.75, 0.5, 0.8333)
        >>> ranking.true_positive_rate(0.5), ranking.false_positive_rate(0.5)
        (0.5, 0.0)
        >>> ranking.true_positive_rates.tolist(), ranking.false_positive_rates.tolist()
        ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """

    thresholds: Scores
    num_fake: Counts
    num_real: Counts

    @classmethod
    def of(cls, scores: ArrayLike, fake: Labels) -> "Ranking":
        """Rank clips by score.

        Args:
            scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
            fake: Whether each clip is fake, shape ``(clip,)``.

        Raises:
            ScoreRangeError: A score lies outside [0, 1].
            ShapeError: There is not one label a score.
        """
        return SortedClips.of(scores, fake).ranking

    def __repr__(self) -> str:
        return f"Ranking({self.num_fake[-1]} fake, {self.num_real[-1]} real)"

    @property
    def both_classes(self) -> bool:
        """True if there are fake clips and real ones."""
        return bool(self.num_fake[-1] and self.num_real[-1])

    @property
    def auc(self) -> float:
        """Area under the ROC curve (AUC), in [0, 1]; NaN where only one class is there.

        A tie between a real and a fake clip counts half.
        """
        return self.partial_auc(1.0)

    def partial_auc(self, max_false_positive_rate: float = 0.1) -> float:
        """Compute the area under the ROC curve where few real clips are flagged, standardised.

        The raw area up to a rate ``r`` lies between ``r² / 2``, which is chance, and ``r``.
        Here it is stretched so that chance is 0.5 and perfection 1, whatever ``r``: the numbers
        can be set beside an AUC. Toolkits that divide the raw area by ``r`` instead call chance
        ``r / 2``, so a partial AUC is comparable only where its norm is named. A detector that
        does worse than chance comes out below 0.5, at worst at ``(1 - r / (2 - r)) / 2``.

        Args:
            max_false_positive_rate: Where the area ends, in (0, 1].

        Returns:
            A number in [0, 1]; NaN where only one class is there.

        Raises:
            ConfigError: The rate lies outside (0, 1].

        Example:
            >>> Ranking.of([0.1, 0.4, 0.35, 0.8], [False, False, True, True]).partial_auc(0.1)
            0.7368421052631579

        Source:
            McClish, "Analyzing a Portion of the ROC Curve", 1989, equation 5; the same norm as
            ``max_fpr`` of scikit-learn.
        """
        highest = max_false_positive_rate
        if not 0.0 < highest <= 1.0:
            raise ConfigError(
                f"max_false_positive_rate must lie in (0, 1], got {highest}; 0.1 is usual"
            )
        if not self.both_classes:
            return math.nan
        limit = highest * int(self.num_real[-1])
        x, y = self.num_real.astype(np.float64), self.num_fake.astype(np.float64)
        behind = int(np.searchsorted(x, limit, side="right"))
        if behind < len(x):
            # The last step is cut where the area ends.
            last_step = slice(behind - 1, behind + 1)
            y = np.append(y[:behind], np.interp(limit, x[last_step], y[last_step]))
            x = np.append(x[:behind], limit)
        raw = float(np.sum(np.diff(x) * (y[1:] + y[:-1])))
        area = raw / (2 * int(self.num_fake[-1]) * int(self.num_real[-1]))
        if highest == 1.0:
            return area
        chance = highest**2 / 2
        return (1.0 + (area - chance) / (highest - chance)) / 2

    @property
    def eer(self) -> float:
        """Equal error rate (EER), where as many real clips are flagged as fake ones are missed.

        In [0, 1]; NaN where only one class is there. The two rates move in steps; between the
        last step before they cross and the first after it, both are taken to be straight lines.
        Toolkits that take the nearest step instead differ by up to that step: one over the
        number of clips of the smaller class, or more where many clips share a score.
        """
        if not self.both_classes:
            return math.nan
        rates = self.false_positive_rates
        # Climbs from -1, where nothing is flagged, to 1, where everything is.
        lead = rates - (1.0 - self.true_positive_rates)
        after = int(np.argmax(lead >= 0.0))
        before = after - 1
        share = -lead[before] / (lead[after] - lead[before])
        return float(rates[before] + share * (rates[after] - rates[before]))

    @property
    def average_precision(self) -> float:
        """Mean precision at which fake clips are found, best score first, in [0, 1].

        Each precision weighs as much as the recall that it adds; nothing is interpolated, unlike
        in the average precision of localization, and as in ``average_precision_score`` of
        scikit-learn. Chance is not one half but the share of clips that are fake, so numbers of
        datasets with other shares do not compare. NaN where only one class is there, as precision
        is 1 among fake clips alone whatever their scores.
        """
        if not self.both_classes:
            return math.nan
        return float(np.sum(np.diff(self.num_fake) * self.precisions) / self.num_fake[-1])

    def true_positive_rate(self, threshold: float) -> float:
        """Compute the share of fake clips at or above a threshold; NaN where none is fake.

        Args:
            threshold: In [0, 1].

        Raises:
            ScoreRangeError: The threshold lies outside [0, 1].
        """
        return float(self.true_positive_rates[self._index(threshold)])

    def false_positive_rate(self, threshold: float) -> float:
        """Compute the share of real clips at or above a threshold; NaN where none is real.

        Args:
            threshold: In [0, 1].

        Raises:
            ScoreRangeError: The threshold lies outside [0, 1].
        """
        return float(self.false_positive_rates[self._index(threshold)])

    def accuracy(self, threshold: float) -> float:
        """Compute the share of clips that are classified rightly; NaN where there are no clips.

        It flatters a detector that always gives the same answer wherever most clips are of one
        class; :meth:`balanced_accuracy` does not.

        Args:
            threshold: A score at or above it counts as fake, in [0, 1].

        Raises:
            ScoreRangeError: The threshold lies outside [0, 1].
        """
        index = self._index(threshold)
        num_clips = int(self.num_fake[-1] + self.num_real[-1])
        num_right = int(self.num_fake[index] + self.num_real[-1] - self.num_real[index])
        return num_right / num_clips if num_clips else math.nan

    def balanced_accuracy(self, threshold: float) -> float:
        """Compute the mean of the shares of fake and of real clips that are classified rightly.

        NaN where only one class is there.

        Args:
            threshold: A score at or above it counts as fake, in [0, 1].

        Raises:
            ScoreRangeError: The threshold lies outside [0, 1].
        """
        index = self._index(threshold)
        if not self.both_classes:
            return math.nan
        num_real = int(self.num_real[-1])
        true_negative_rate = (num_real - int(self.num_real[index])) / num_real
        return (float(self.true_positive_rates[index]) + true_negative_rate) / 2

    @property
    def true_positive_rates(self) -> Scores:
        """Share of the fake clips at or above each threshold, shape ``(threshold,)``.

        It is the recall too; NaN where nothing is fake.
        """
        return _shares(self.num_fake)

    @property
    def false_positive_rates(self) -> Scores:
        """Share of the real clips at or above each threshold; NaN where nothing is real."""
        return _shares(self.num_real)

    @property
    def precisions(self) -> Scores:
        """Share of the flagged clips that are fake, shape ``(threshold - 1,)``.

        The infinite threshold flags nothing, and has none.
        """
        return self.num_fake[1:] / (self.num_fake[1:] + self.num_real[1:])

    def _index(self, threshold: float) -> int:
        """Find the lowest score that occurs at or above a threshold."""
        if not 0.0 <= threshold <= 1.0:
            raise ScoreRangeError(
                f"the threshold must lie in [0, 1], got {threshold}; 0.5 is usual"
            )
        return int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1


@dataclass(frozen=True, slots=True, eq=False)
class SortedClips:
    """Clips sorted by score once, to be ranked as often as a bootstrap draws from them.

    Attributes:
        ranking: Ranking of all clips, each once.
        fake: Index of the clip of each fake row, best score first, int64, shape ``(fake,)``.
        real: The same of the real rows, shape ``(real,)``.
    """

    ranking: Ranking
    fake: Counts
    real: Counts

    @classmethod
    def of(cls, scores: ArrayLike, fake: Labels, *, clips: Counts | None = None) -> Self:
        """Sort clips by score, or rows of several to a clip.

        Args:
            scores: P(fake) of each row, in [0, 1], shape ``(row,)``.
            fake: Whether each is fake, shape ``(row,)``.
            clips: Index of the clip that each is of, shape ``(row,)``; a clip a row if not given.

        Raises:
            ScoreRangeError: A score lies outside [0, 1].
            ShapeError: There is not one label a score.
        """
        values, labels = check_scores(scores, fake)
        order = np.argsort(-values)
        falling, is_fake = np.append(math.inf, values[order]), labels[order]
        ends = np.flatnonzero(np.append(np.diff(falling) != 0, [True]))
        num_fake = np.append(0, np.cumsum(is_fake, dtype=np.int64))[ends]
        ranking = Ranking(falling[ends], num_fake, ends - num_fake)
        order = order if clips is None else clips[order]
        return cls(ranking, order[is_fake], order[~is_fake])

    def rank(self, counts: Counts | None = None) -> Ranking:
        """Rank the clips, each as often as it was drawn, without sorting again.

        Args:
            counts: How often each clip was drawn, shape ``(clip,)``; None for once each.

        Example:
            >>> clips = SortedClips.of([0.1, 0.4, 0.8], [False, True, False])
            >>> clips.rank().auc, clips.rank(np.array([3, 1, 1])).auc
            (0.5, 0.75)
        """
        if counts is None:
            return self.ranking
        num_fake = np.append(0, np.cumsum(counts[self.fake]))[self.ranking.num_fake]
        num_real = np.append(0, np.cumsum(counts[self.real]))[self.ranking.num_real]
        occurs = np.append(True, np.diff(num_fake + num_real) > 0)
        return Ranking(self.ranking.thresholds[occurs], num_fake[occurs], num_real[occurs])


def check_scores(scores: ArrayLike, fake: Labels) -> tuple[Scores, Flags]:
    """Convert scores to float64 and labels to bool, one label a score.

    Raises:
        ScoreRangeError: A score lies outside [0, 1], or is NaN.
        ShapeError: There is not one label a score.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(fake, dtype=np.bool_)
    if values.ndim != 1 or values.shape != labels.shape:
        raise ShapeError(
            f"give one label a score, got shapes {values.shape} for scores and {labels.shape} for "
            "labels"
        )
    # Ranks would survive a logit, but thresholds and calibration would not. Written so that
    # NaN, which is neither above nor below, is caught too.
    if len(wrong := values[~((values >= 0.0) & (values <= 1.0))]):
        raise ScoreRangeError(f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits?")
    return values, labels


def _shares(counts: Counts) -> Scores:
    return counts / counts[-1] if counts[-1] else np.full(len(counts), math.nan)
