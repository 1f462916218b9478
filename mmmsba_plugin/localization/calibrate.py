"""Turns scores into probabilities: what a score meant among clips with known truth.

Focal loss leaves scores low, and the highest of many snippets is high in any long clip, so
a network's scores rank clips but say little by themselves. A curve is fitted to clips that
the network did not learn from, and every score that a report shows passes it.

The curve changes no ranking, no AUC, and no decision at a threshold that passes it too,
because it rises strictly. From all float64 numbers of [0, 1] into themselves only the
identity does that, so the promise is made for the numbers that float32 can hold: those are
what a network gives. Between them the curve never falls by more than rounding.

A probability holds where forgeries are as frequent as among the clips it was fitted to.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.config import Calibration, CalibrationMethod
from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Fewer clips than this tell too little to fit anything.
MIN_CLIPS = 10

#: Half the smallest step of float32 from either end. A score of exactly 0 or 1 was rounded,
#: and log-odds of it would be infinite.
_LOW, _HIGH = 2.0**-150, 1 - 2.0**-25
_LOGIT_LOW, _LOGIT_HIGH = (math.log(p) - math.log1p(-p) for p in (_LOW, _HIGH))
#: How much of a straight line in log-odds is mixed into every curve: where the curve is flat,
#: neighbouring float32 numbers still come out some 40 float64 steps apart. No probability
#: below half of it, or as near to 1, is ever told.
_STRAIGHT = 1e-5

#: Slopes outside of what these allow are no calibration but a verdict, or none.
_TEMPERATURES = (0.05, 20.0)
#: Holds every shift that a curve can want: log-odds reach -104, and 20 times the log of the
#: number of clips may come on top.
_SHIFTS = (-500.0, 500.0)
_NO_RISE = "higher scores are not more often forged"
#: Halves the widest range above to less than 1e-9.
_HALVINGS = 40


def calibrate(method: CalibrationMethod, scores: ArrayLike, fake: ArrayLike) -> Calibration:
    """Return the curve of a method for the scores of clips with known truth.

    Args:
        method: ``none`` leaves scores as they are.
        scores: The network's score of each clip, in [0, 1], shape ``(clip,)``.
        fake: The truth, the same shape.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one truth a score.
    """
    return _FITS[method](scores, fake)


def fit_temperature(scores: ArrayLike, fake: ArrayLike) -> Calibration:
    """Return the straight line in log-odds that fits best: ``(logit + shift) / temperature``.

    A temperature alone cannot move even odds away from a score of one half, and with focal
    loss that is where they are wrong by most; so there is a shift too. Truths are taken for
    ``(n + 1) / (n + 2)`` and ``1 / (n + 2)`` where a class has ``n`` clips, so that classes
    which lie wholly apart do not ask for a temperature of zero.

    Args:
        scores: The network's score of each clip, in [0, 1], shape ``(clip,)``.
        fake: The truth, the same shape.

    Returns:
        The curve; of method ``none``, with the reason, where there are fewer than ten clips
        or one class of them, where higher scores are not more often forged, or where the log
        loss on these very clips would be worse.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one truth a score.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2, for
        the temperature; Platt, "Probabilistic Outputs for Support Vector Machines", 1999,
        for the shift and the softened truths.
    """
    values, truth = _checked_pairs(scores, fake)
    if reason := _why_not(values, truth):
        return Calibration(reason=reason)
    logits, targets = _logits(values), _softened(truth)

    def excess(temperature: float, shift: float) -> Scores:
        return _sigmoid((logits + shift) / temperature) - targets

    def shift_at(temperature: float) -> float:
        return _root(lambda shift: float(excess(temperature, shift).sum()), *_SHIFTS)

    # The log loss is convex in the slope when the shift is always the best one, so its
    # derivative rises through zero once, or lies wholly on one side.
    def steepness(slope: float) -> float:
        return float((excess(1 / slope, shift_at(1 / slope)) * logits).sum())

    temperature = 1 / _root(steepness, *(1 / t for t in reversed(_TEMPERATURES)))
    calibration = Calibration(
        method="temperature", temperature=temperature, shift=shift_at(temperature)
    )
    return _unless_worse(calibration, values, truth)


def fit_isotonic(scores: ArrayLike, fake: ArrayLike) -> Calibration:
    """Return the rising curve that fits best, whatever its shape.

    Neighbouring clips are pooled until the share of fake ones rises from block to block.
    Between the middles of blocks the curve is a straight line over log-odds, and flat beyond
    the outer ones. One fake clip is imagined at score 0 and one real at score 1: however
    well the classes lie apart, ``n`` clips then claim no more than ``n / (n + 1)``.

    Args:
        scores: The network's score of each clip, in [0, 1], shape ``(clip,)``.
        fake: The truth, the same shape.

    Returns:
        The curve; of method ``none``, with the reason, as :func:`fit_temperature` has it.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        DatasetError: There is not one truth a score.

    Source:
        Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass
        Probability Estimates", KDD 2002, section 3.2.
    """
    values, truth = _checked_pairs(scores, fake)
    if reason := _why_not(values, truth):
        return Calibration(reason=reason)
    levels, which = np.unique(values, return_inverse=True)
    num_fake = np.bincount(which, weights=truth).astype(np.int64)
    num_clips = np.bincount(which)
    blocks = pool_adjacent_violators([1, *num_fake, 0], [1, *num_clips, 1])
    if len(blocks) == 1:
        return Calibration(reason=_NO_RISE)
    # What is only imagined has a truth, but no weight where the middles lie.
    middles = _middles(blocks, [0.0, *levels, 1.0], [0, *num_clips, 0])
    calibration = Calibration(
        method="isotonic", scores=middles, probabilities=tuple(block.share for block in blocks)
    )
    return _unless_worse(calibration, values, truth)


class Block(NamedTuple):
    """Neighbouring levels of scores that were pooled.

    Attributes:
        num_levels: How many levels.
        num_fake: Fake clips at them.
        num_clips: All clips at them.
    """

    num_levels: int
    num_fake: int
    num_clips: int

    @property
    def share(self) -> float:
        """Share of the clips that are fake."""
        return self.num_fake / self.num_clips


def pool_adjacent_violators(num_fake: Iterable[int], num_clips: Iterable[int]) -> list[Block]:
    """Return the pools in which the share of fake clips rises strictly.

    Args:
        num_fake: Fake clips at each level of scores, in rising order of scores.
        num_clips: All clips at each, at least one.

    Example:
        >>> [block.share for block in pool_adjacent_violators([0, 1, 0, 2], [1, 1, 1, 2])]
        [0.0, 0.5, 1.0]

    Source:
        Ayer et al., "An Empirical Distribution Function for Sampling with Incomplete
        Information", 1955.
    """
    blocks: list[Block] = []
    for fake, clips in zip(num_fake, num_clips, strict=True):
        block = Block(1, int(fake), int(clips))
        # Whole numbers, crosswise: no rounding decides whether two shares are equal.
        while blocks and (
            blocks[-1].num_fake * block.num_clips >= block.num_fake * blocks[-1].num_clips
        ):
            block = Block(*(a + b for a, b in zip(blocks.pop(), block, strict=True)))
        blocks.append(block)
    return blocks


def apply(calibration: Calibration, scores: ArrayLike) -> Scores:
    """Return scores as probabilities, in the same shape; NaN stays NaN.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].

    Example:
        >>> curve = Calibration(method="temperature", temperature=0.5, shift=1.0)
        >>> apply(curve, [0.1, 0.2689, 0.5]).round(3).tolist()
        [0.084, 0.5, 0.881]
    """
    values = _checked(scores)
    if calibration.method == "none":
        return values
    logits = _logits(values)
    straight = (logits - _LOGIT_LOW) / (_LOGIT_HIGH - _LOGIT_LOW)
    curve = _CURVES[calibration.method](calibration, logits)
    return (1 - 2 * _STRAIGHT) * curve + _STRAIGHT * (0.5 + straight)


def lowest_score(calibration: Calibration, probability: float) -> float:
    """Return the lowest score whose probability reaches ``probability``: :func:`apply`, undone.

    Args:
        calibration: The curve.
        probability: In [0, 1].

    Raises:
        ConfigError: Even a score of 1 has a lower probability.
        ScoreRangeError: The probability lies outside [0, 1].

    Example:
        >>> curve = Calibration(method="temperature", temperature=0.5, shift=1.0)
        >>> round(lowest_score(curve, 0.5), 4)
        0.2689
    """
    _checked(probability)
    if (highest := float(apply(calibration, 1.0))) < probability:
        raise ConfigError(
            f"no clip can reach a threshold of {probability:g}: the calibration gives "
            f"{highest:.6f} at most; choose a lower one"
        )
    # Floats from 0 to 1 rise as their bits do, so halving bits ends at the very float.
    low, high = 0, int(np.float64(1.0).view(np.int64))
    while low < high:
        middle = (low + high) // 2
        reaches = apply(calibration, np.int64(middle).view(np.float64)) >= probability
        low, high = (low, middle) if reaches else (middle + 1, high)
    return float(np.int64(low).view(np.float64))


def _temperature_curve(calibration: Calibration, logits: Scores) -> Scores:
    return _sigmoid((logits + calibration.shift) / calibration.temperature)


def _isotonic_curve(calibration: Calibration, logits: Scores) -> Scores:
    knots = _logits(np.array(calibration.scores))
    return np.interp(logits, knots, calibration.probabilities)


_FITS: dict[CalibrationMethod, Callable[[ArrayLike, ArrayLike], Calibration]] = {
    "none": lambda *_: Calibration(),
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
}
_CURVES: dict[CalibrationMethod, Callable[[Calibration, Scores], Scores]] = {
    "temperature": _temperature_curve,
    "isotonic": _isotonic_curve,
}


def _why_not(scores: Scores, fake: Flags) -> str:
    """Explain why nothing can be fitted; empty if something can."""
    if len(scores) < MIN_CLIPS:
        return f"{len(scores)} clips are too few; it takes {MIN_CLIPS}"
    if fake.all() or not fake.any():
        return f"all clips are {'fake' if fake.all() else 'real'}"
    if scores.min() == scores.max():
        return "all clips have the same score"
    # Its sign is that of the best slope.
    covariance = np.cov(_logits(scores), fake)[0, 1]
    return "" if covariance > 0 else _NO_RISE


def _unless_worse(calibration: Calibration, scores: Scores, fake: Flags) -> Calibration:
    """Return the curve, or none if it makes the truth of these very clips more surprising.

    Softened truths and imagined clips make a curve more careful than the clips ask for; where
    scores were right and sure before, that would be a step back.
    """
    if _log_loss(apply(calibration, scores), fake) <= _log_loss(scores, fake):
        return calibration
    return Calibration(reason=f"the {calibration.method} curve fits these clips worse than none")


def _softened(fake: Flags) -> Scores:
    num_fake, num_real = int(fake.sum()), int((~fake).sum())
    return np.where(fake, (num_fake + 1) / (num_fake + 2), 1 / (num_real + 2))


def _middles(
    blocks: Iterable[Block], levels: Sequence[float], weights: Sequence[int]
) -> tuple[float, ...]:
    """Return the mean score of the clips of each block."""
    middles, start = [], 0
    for block in blocks:
        levels_of_block = slice(start, start := start + block.num_levels)
        inside = [
            x
            for x, weight in zip(levels[levels_of_block], weights[levels_of_block], strict=True)
            if weight
        ]
        mean = np.average(levels[levels_of_block], weights=weights[levels_of_block])
        # A mean of nearly equal numbers can round to beyond them, and into the next block.
        middles.append(float(np.clip(mean, inside[0], inside[-1])))
    return tuple(middles)


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function that never falls goes through zero; an end if it does not."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def _logits(scores: Scores) -> Scores:
    inside = np.clip(scores, _LOW, _HIGH)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(logits: Scores) -> Scores:
    # Unlike 1 / (1 + exp), it does not overflow. What it loses near 0 is far below _STRAIGHT.
    probabilities: Scores = (1 + np.tanh(logits / 2)) / 2
    return probabilities


def _log_loss(scores: Scores, fake: Flags) -> float:
    inside = np.clip(scores, _LOW, _HIGH)
    return float(-np.where(fake, np.log(inside), np.log1p(-inside)).mean())


def _checked(scores: ArrayLike) -> Scores:
    # Contiguous, so that a score comes out alike alone and in a row, to the last bit.
    values = np.ascontiguousarray(scores, dtype=np.float64).reshape(np.shape(scores))
    if (wrong := values[(values < 0) | (values > 1)]).size:
        raise ScoreRangeError(
            f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits? "
            "Pass them through a softmax first"
        )
    return values


def _checked_pairs(scores: ArrayLike, fake: ArrayLike) -> tuple[Scores, Flags]:
    values, truth = _checked(scores), np.asarray(fake, dtype=np.bool_)
    if values.ndim != 1 or values.shape != truth.shape:
        raise DatasetError(
            f"give one truth a score, got shapes {values.shape} for scores and {truth.shape} for "
            "ground_truth"
        )
    return values, truth
