"""How well forged clips are told from genuine ones, one score a clip.

Where only one class is there, none of these is defined, and the answer is NaN rather than a
number that looks like a result. torchmetrics computes rates in float32, so they are good to
about 1e-7.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import DatasetError, ScoreRangeError


def auc(scores: ArrayLike, forged: Sequence[bool] | NDArray[np.bool_]) -> float:
    """Return how often a forged clip scores above a genuine one; a tie counts half.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        forged: Whether each clip is forged, shape ``(clip,)``.

    Returns:
        The area under the ROC curve, in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
        0.75
    """
    values, labels = _checked(scores, forged)
    if not _both_classes(labels):
        return math.nan
    import torch
    from torchmetrics.functional.classification import binary_auroc

    return float(binary_auroc(torch.from_numpy(values), torch.from_numpy(labels).long()))


def eer(scores: ArrayLike, forged: Sequence[bool] | NDArray[np.bool_]) -> float:
    """Return the rate at which as many genuine clips are flagged as forged ones are missed.

    The two rates move in steps; between the last step before they cross and the first after
    it, both are taken to be straight lines. Toolkits that take the nearest step instead
    differ by up to one over the number of clips of the smaller class.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        forged: Whether each clip is forged, shape ``(clip,)``.

    Returns:
        The equal error rate, in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> eer([0.1, 0.6, 0.4, 0.8], [False, False, True, True])
        0.5
    """
    values, labels = _checked(scores, forged)
    if not _both_classes(labels):
        return math.nan
    import torch
    from torchmetrics.functional.classification import binary_roc

    rates = binary_roc(torch.from_numpy(values), torch.from_numpy(labels).long())
    false_positive_rate, true_positive_rate = (
        rate.numpy().astype(np.float64) for rate in rates[:2]
    )
    # Climbs from -1, where nothing is flagged, to 1, where everything is.
    lead = false_positive_rate - (1.0 - true_positive_rate)
    after = int(np.argmax(lead >= 0.0))
    before = after - 1
    share = -lead[before] / (lead[after] - lead[before])
    step = false_positive_rate[after] - false_positive_rate[before]
    return float(false_positive_rate[before] + share * step)


def balanced_accuracy(
    scores: ArrayLike, forged: Sequence[bool] | NDArray[np.bool_], *, threshold: float
) -> float:
    """Return the mean of the shares of forged and of genuine clips that are judged rightly.

    Plain accuracy flatters a detector that calls everything forged wherever most clips are.

    Args:
        scores: P(fake) of each clip, in [0, 1], shape ``(clip,)``.
        forged: Whether each clip is forged, shape ``(clip,)``.
        threshold: A score at or above it counts as forged.

    Returns:
        A number in [0, 1]; NaN where only one class is there.

    Raises:
        ScoreRangeError: A score or the threshold lies outside [0, 1].
        DatasetError: There is not one label a score.

    Example:
        >>> balanced_accuracy([0.1, 0.7, 0.9, 0.8], [False, False, True, True], threshold=0.5)
        0.75
    """
    values, labels = _checked(scores, forged)
    if not 0.0 <= threshold <= 1.0:
        raise ScoreRangeError(f"the threshold must lie in [0, 1], got {threshold}")
    if not _both_classes(labels):
        return math.nan
    flagged = values >= threshold
    return float((flagged[labels].mean() + (~flagged[~labels]).mean()) / 2)


def _checked(
    scores: ArrayLike, forged: Sequence[bool] | NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(forged, dtype=np.bool_)
    if values.ndim != 1 or values.shape != labels.shape:
        raise DatasetError(
            f"give one label a score, got shapes {values.shape} for scores and {labels.shape} for "
            "labels"
        )
    # torchmetrics puts all scores through a sigmoid if one lies outside [0, 1], and says nothing.
    if len(wrong := values[~((values >= 0.0) & (values <= 1.0))]):
        raise ScoreRangeError(f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits?")
    return values, labels


def _both_classes(labels: NDArray[np.bool_]) -> bool:
    return bool(labels.any() and not labels.all())
