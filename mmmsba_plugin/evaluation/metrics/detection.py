"""Metrics of detection: one score a clip or a snippet, against a label.

Where a measure is not defined, such as the AUC of one class, the answer is NaN rather than a
number that looks like a result. All are counted in whole numbers and divided in float64, so
ties and tiny differences count as they stand; none assumes that scores are distinct. The
bootstrap calls them thousands of times on tens of thousands of clips, so each is one sort.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = Sequence[bool] | Flags
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Receiver operating characteristic (ROC), from the strictest threshold to the laxest.

    Attributes:
        false_positive_rates: Share of the real at or above each threshold, float64, shape
            ``(threshold,)``; NaN where nothing is real.
        true_positive_rates: Share of the forged at or above it; NaN where nothing is fake.
        thresholds: Each score that occurs, falling; the first is infinite and flags nothing.
    """

    false_positive_rates: Scores
    true_positive_rates: Scores
    thresholds: Scores

    def __repr__(self) -> str:
        return f"RocCurve({len(self.thresholds)} thresholds)"


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Precision-recall curve, from the strictest threshold to the laxest.

    Attributes:
        precisions: Share of the flagged that is fake, float64, shape ``(threshold,)``.
        recalls: Share of the forged that is flagged; NaN where nothing is fake.
        thresholds: Each score that occurs, falling.
    """

    precisions: Scores
    recalls: Scores
    thresholds: Scores

    def __repr__(self) -> str:
        return f"PrecisionRecallCurve({len(self.thresholds)} thresholds)"


def auc(scores: ArrayLike, fake: Labels) -> float:
    """Compute the area under the ROC curve (AUC); a tie between real and fake counts half.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        fake: Whether each clip is fake, shape ``(clip,)``.

    Returns:
        The area under the ROC curve, in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        0.75
    """
    return partial_auc(scores, fake, max_false_positive_rate=1.0)


def partial_auc(scores: ArrayLike, fake: Labels, *, max_false_positive_rate: float = 0.1) -> float:
    """Return the area under the ROC curve where few real clips are flagged, standardised.

    The raw area up to a rate ``r`` lies between ``r² / 2``, which is chance, and ``r``. Here
    it is stretched so that chance is 0.5 and perfection 1, whatever ``r``: the numbers can be
    set beside an AUC. Toolkits that divide the raw area by ``r`` instead call chance
    ``r / 2``, so a partial AUC is comparable only where its norm is named. A detector that
    does worse than chance comes out below 0.5, at worst at ``(1 - r / (2 - r)) / 2``.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.
        max_false_positive_rate: Where the area ends, in (0, 1].

    Returns:
        A number in [0, 1]; NaN where only one class is there.

    Raises:
        ConfigError: The rate lies outside (0, 1].
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> partial_auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        0.7368421052631579

    Source:
        McClish, "Analyzing a Portion of the ROC Curve", 1989, equation 5; the same norm as
        ``max_fpr`` of scikit-learn.
    """
    values, labels = checked(scores, fake)
    highest = max_false_positive_rate
    if not 0.0 < highest <= 1.0:
        raise ConfigError(
            f"max_false_positive_rate must lie in (0, 1], got {highest}; 0.1 is usual"
        )
    if not _both_classes(labels):
        return math.nan
    flagged_fake, flagged_real, _ = _counts(values, labels)
    num_fake, num_real = int(flagged_fake[-1]), int(flagged_real[-1])
    reached, cost = _up_to(flagged_fake, flagged_real, highest * num_real)
    raw = float(np.sum(np.diff(cost) * (reached[1:] + reached[:-1])))
    area = raw / (2 * num_fake * num_real)
    if highest == 1.0:
        return area
    chance = highest**2 / 2
    return (1.0 + (area - chance) / (highest - chance)) / 2


def eer(scores: ArrayLike, fake: Labels) -> float:
    """Return the rate at which as many real clips are flagged as fake ones are missed.

    The two rates move in steps; between the last step before they cross and the first after
    it, both are taken to be straight lines. Toolkits that take the nearest step instead
    differ by up to that step: one over the number of clips of the smaller class, or more
    where many clips share a score.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.

    Returns:
        The equal error rate, in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> eer([0.1, 0.6, 0.4, 0.8], [False, False, True, True])
        0.5
    """
    values, labels = checked(scores, fake)
    if not _both_classes(labels):
        return math.nan
    flagged_fake, flagged_real, _ = _counts(values, labels)
    false_positive_rates = flagged_real / flagged_real[-1]
    # Climbs from -1, where nothing is flagged, to 1, where everything is.
    lead = false_positive_rates - (1.0 - flagged_fake / flagged_fake[-1])
    after = int(np.argmax(lead >= 0.0))
    before = after - 1
    share = -lead[before] / (lead[after] - lead[before])
    step = false_positive_rates[after] - false_positive_rates[before]
    return float(false_positive_rates[before] + share * step)


def detection_average_precision(scores: ArrayLike, fake: Labels) -> float:
    """Return the mean precision at which fake clips are found, best score first.

    Each precision weighs as much as the recall that it adds; nothing is interpolated, unlike
    in the average precision of localization. Chance is not one half but the share of clips
    that are fake, so numbers of datasets with other shares do not compare.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.

    Returns:
        A number in [0, 1]; NaN where only one class is there, as precision is 1 among forged
        clips alone whatever is said of them.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> detection_average_precision([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        0.8333333333333333

    Source:
        The step form of ``average_precision_score`` of scikit-learn.
    """
    values, labels = checked(scores, fake)
    if not _both_classes(labels):
        return math.nan
    flagged_fake, flagged_real, _ = _counts(values, labels)
    hits = flagged_fake[1:]
    precisions = hits / (hits + flagged_real[1:])
    return float(np.sum(np.diff(flagged_fake) * precisions) / flagged_fake[-1])


def accuracy(scores: ArrayLike, fake: Labels, *, threshold: float) -> float:
    """Return the share of clips that are classified rightly.

    It flatters a detector that always says the same wherever most clips are of one class;
    :func:`balanced_accuracy` does not.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.
        threshold: A score at or above it counts as fake, in [0, 1].

    Returns:
        A number in [0, 1]; NaN where there are no clips.

    Raises:
        ScoreRangeError: A score or the threshold lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> accuracy([0.1, 0.7, 0.9, 0.8], [False, False, True, True], threshold=0.5)
        0.75
    """
    flagged, labels = _flagged(scores, fake, threshold)
    return _share(flagged == labels)


def balanced_accuracy(scores: ArrayLike, fake: Labels, *, threshold: float) -> float:
    """Return the mean of the shares of fake and of real clips that are classified rightly.

    Plain accuracy flatters a detector that calls everything forged wherever most clips are.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.
        threshold: A score at or above it counts as fake, in [0, 1].

    Returns:
        A number in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score or the threshold lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> balanced_accuracy([0.1, 0.7, 0.9, 0.8], [False, False, True, True], threshold=0.5)
        0.75
    """
    flagged, labels = _flagged(scores, fake, threshold)
    return (_share(flagged[labels]) + _share(~flagged[~labels])) / 2


def true_positive_rate(scores: ArrayLike, fake: Labels, *, threshold: float) -> float:
    """Return the share of fake clips that are flagged; NaN where none is fake.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.
        threshold: A score at or above it counts as fake, in [0, 1].

    Raises:
        ScoreRangeError: A score or the threshold lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> true_positive_rate([0.1, 0.7, 0.4, 0.8], [False, False, True, True], threshold=0.5)
        0.5
    """
    flagged, labels = _flagged(scores, fake, threshold)
    return _share(flagged[labels])


def false_positive_rate(scores: ArrayLike, fake: Labels, *, threshold: float) -> float:
    """Return the share of real clips that are flagged; NaN where none is real.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.
        threshold: A score at or above it counts as fake, in [0, 1].

    Raises:
        ScoreRangeError: A score or the threshold lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> false_positive_rate([0.1, 0.7, 0.4, 0.8], [False, False, True, True], threshold=0.5)
        0.5
    """
    flagged, labels = _flagged(scores, fake, threshold)
    return _share(flagged[~labels])


def roc_curve(scores: ArrayLike, fake: Labels) -> RocCurve:
    """Return the ROC curve with all its steps, for a plot.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> curve = roc_curve([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        >>> curve.true_positive_rates.tolist(), curve.false_positive_rates.tolist()
        ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    flagged_fake, flagged_real, thresholds = _counts(*checked(scores, fake))
    return RocCurve(_rates(flagged_real), _rates(flagged_fake), thresholds)


def precision_recall_curve(scores: ArrayLike, fake: Labels) -> PrecisionRecallCurve:
    """Return the precision-recall curve with all its steps, for a plot.

    Args:
        scores: As for :func:`auc`.
        fake: As for :func:`auc`.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> curve = precision_recall_curve([0.1, 0.4, 0.8], [False, False, True])
        >>> curve.recalls.tolist(), curve.precisions.round(2).tolist()
        ([1.0, 1.0, 1.0], [1.0, 0.5, 0.33])
    """
    flagged_fake, flagged_real, thresholds = _counts(*checked(scores, fake))
    hits = flagged_fake[1:]
    return PrecisionRecallCurve(
        hits / (hits + flagged_real[1:]), _rates(flagged_fake)[1:], thresholds[1:]
    )


def checked(scores: ArrayLike, fake: Labels) -> tuple[Scores, Flags]:
    """Return scores as float64 and labels as bool, one label a score.

    Raises:
        ScoreRangeError: A score lies outside [0, 1], or is NaN.
        DatasetError: There is not one label a score.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(fake, dtype=np.bool_)
    if values.ndim != 1 or values.shape != labels.shape:
        raise DatasetError(
            f"give one label a score, got shapes {values.shape} for scores and {labels.shape} for "
            "labels"
        )
    # Ranks would survive a logit, but thresholds and calibration would not. Written so that
    # NaN, which is neither above nor below, is caught too.
    if len(wrong := values[~((values >= 0.0) & (values <= 1.0))]):
        raise ScoreRangeError(f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits?")
    return values, labels


def _counts(values: Scores, labels: Flags) -> tuple[_Counts, _Counts, Scores]:
    """Count the fake and real clips that reach each threshold, and return the thresholds.

    The first threshold is infinite and reached by none; then each score that occurs follows
    once, falling. Equal scores fall on the same side of any threshold.
    """
    order = np.argsort(-values)
    falling, fake = values[order], labels[order]
    last = np.flatnonzero(np.append(np.diff(falling) != 0, np.ones(min(1, falling.size), bool)))
    flagged = np.concatenate([[0], last + 1])
    flagged_fake = np.concatenate([[0], np.cumsum(fake, dtype=np.int64)[last]])
    thresholds = np.concatenate([[math.inf], falling[last]])
    return flagged_fake, flagged - flagged_fake, thresholds


def _up_to(reached: _Counts, cost: _Counts, limit: float) -> tuple[Scores, Scores]:
    """Return a rising curve as far as ``limit`` of its cost, its last piece cut there."""
    behind = int(np.searchsorted(cost, limit, side="right"))
    if behind == len(cost):
        return reached.astype(np.float64), cost.astype(np.float64)
    last_step = slice(behind - 1, behind + 1)
    at_limit = np.interp(limit, cost[last_step], reached[last_step])
    return np.append(reached[:behind], at_limit), np.append(cost[:behind], limit)


def _rates(counts: _Counts) -> Scores:
    return counts / counts[-1] if counts[-1] else np.full(len(counts), math.nan)


def _flagged(scores: ArrayLike, fake: Labels, threshold: float) -> tuple[Flags, Flags]:
    """Compare scores with a threshold, and return flags and labels."""
    values, labels = checked(scores, fake)
    if not 0.0 <= threshold <= 1.0:
        raise ScoreRangeError(f"the threshold must lie in [0, 1], got {threshold}; 0.5 is usual")
    return values >= threshold, labels


def _share(flags: Flags) -> float:
    return float(flags.mean()) if flags.size else math.nan


def _both_classes(labels: Flags) -> bool:
    return bool(labels.any() and not labels.all())
