"""Turns scores into probabilities: what a score meant among clips with known truth.

Focal loss leaves scores low, and the highest of many snippets is high in any long clip, so
a network's scores rank clips but say little by themselves. A curve is fitted to clips that
the network did not learn from, and every score that a report shows passes it.

The curve changes no ranking, no AUC, and no decision at a threshold that passes it too,
because it rises strictly: were it flat, as isotonic curves are, a clip could reach the
threshold by its probability without a segment that reaches it by its score. The promise is
made for the numbers that float32 can hold, as those are what a network gives.

A probability holds where forgeries are as frequent as among the clips it was fitted to.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.config import Calibration, CalibrationMethod
from mmmsba_plugin.errors import ConfigError, ScoreRangeError, ShapeError

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Fewer clips than this tell too little to fit anything.
MIN_CLIPS = 10

#: Half the smallest step of float32 from either end. A score of exactly 0 or 1 was rounded,
#: and log-odds of it would be infinite.
_LOW, _HIGH = 2.0**-150, 1 - 2.0**-25
#: Share of a straight line in log-odds that is mixed into every curve: where the curve is flat,
#: neighbouring float32 numbers still come out some 40 float64 steps apart. No probability
#: below half of it, or as near to 1, is ever reported.
_STRAIGHT = 1e-5

#: Slopes outside of what these allow are no calibration but a verdict, or none.
_TEMPERATURES = (0.05, 20.0)
_NO_RISE = "higher scores are not more often forged"


def calibrate(method: CalibrationMethod, scores: ArrayLike, fake: ArrayLike) -> Calibration:
    """Return the curve of a method for the scores of clips with known truth.

    Args:
        method: ``none`` leaves scores as they are.
        scores: The network's score of each clip, in [0, 1], shape ``(clip,)``.
        fake: The truth, the same shape.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.
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
        ShapeError: There is not one label a score.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2, for
        the temperature; Platt, "Probabilistic Outputs for Support Vector Machines", 1999,
        for the shift and the softened truths.
    """
    from scipy.optimize import minimize

    values, truth = _checked_pairs(scores, fake)
    if reason := _why_not(values, truth):
        return Calibration(reason=reason)
    num_fake, num_real = int(truth.sum()), int((~truth).sum())
    targets = np.where(truth, (num_fake + 1) / (num_fake + 2), 1 / (num_real + 2))
    logits = _logits(values)

    def log_loss(line: Scores) -> tuple[float, Scores]:
        """Return the mean log loss of slope and intercept, which is convex, and its gradient."""
        log_odds = line[0] * logits + line[1]
        excess = _sigmoid(log_odds) - targets
        loss = (np.logaddexp(0, log_odds) - targets * log_odds).mean()
        return float(loss), np.array([(excess * logits).mean(), excess.mean()])

    slopes = tuple(1 / temperature for temperature in reversed(_TEMPERATURES))
    # As exact as float64 allows, so that the order of the clips does not show.
    options = {"ftol": 0.0, "gtol": 1e-12, "maxiter": 1000}
    slope, intercept = minimize(
        log_loss, (1.0, 0.0), jac=True, bounds=(slopes, (None, None)), options=options
    ).x
    calibration = Calibration(
        method="temperature", temperature=float(1 / slope), shift=float(intercept / slope)
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
        ShapeError: There is not one label a score.

    Source:
        Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass
        Probability Estimates", KDD 2002, section 3.2.
    """
    from scipy.optimize import isotonic_regression

    values, truth = _checked_pairs(scores, fake)
    if reason := _why_not(values, truth):
        return Calibration(reason=reason)
    levels, level_of_clip = np.unique(values, return_inverse=True)
    num_clips = np.bincount(level_of_clip)
    shares = np.bincount(level_of_clip, weights=truth) / num_clips
    # What is only imagined has a truth, but no weight where the middles lie.
    curve = isotonic_regression([1.0, *shares, 0.0], weights=[1, *num_clips, 1]).x[1:-1]
    probabilities, starts, block = np.unique(curve, return_index=True, return_inverse=True)
    if len(probabilities) == 1:
        return Calibration(reason=_NO_RISE)
    middles = np.bincount(block, levels * num_clips) / np.bincount(block, num_clips)
    # A mean of nearly equal numbers can round to beyond them, and into the next block.
    highest = levels[np.append(starts[1:], len(levels)) - 1]
    calibration = Calibration(
        method="isotonic",
        scores=np.clip(middles, levels[starts], highest).tolist(),
        probabilities=probabilities.tolist(),
    )
    return _unless_worse(calibration, values, truth)


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
    if calibration.method == "temperature":
        curve = _sigmoid((logits + calibration.shift) / calibration.temperature)
    else:
        curve = np.interp(logits, _logits(calibration.scores), calibration.probabilities)
    lowest, highest = _logits([0.0, 1.0])
    straight = (logits - lowest) / (highest - lowest)
    probabilities: Scores = (1 - 2 * _STRAIGHT) * curve + _STRAIGHT * (0.5 + straight)
    return probabilities


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


_FITS: dict[CalibrationMethod, Callable[[ArrayLike, ArrayLike], Calibration]] = {
    "none": lambda *_: Calibration(),
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
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
    """Return the curve, or none if it raises the log loss of these very clips.

    Softened truths and imagined clips make a curve more careful than the clips ask for; where
    scores were right and sure before, that would be a step back.
    """
    before, after = (
        -np.log(np.clip(np.where(fake, probs, 1 - probs), _LOW, 1)).mean()
        for probs in (scores, apply(calibration, scores))
    )
    if after <= before:
        return calibration
    return Calibration(reason=f"the {calibration.method} curve fits these clips worse than none")


def _logits(scores: ArrayLike) -> Scores:
    bounded = np.clip(scores, _LOW, _HIGH)
    log_odds: Scores = np.log(bounded) - np.log1p(-bounded)
    return log_odds


def _sigmoid(log_odds: Scores) -> Scores:
    """Return probabilities of log-odds; SciPy's takes a tenth of a second to load."""
    # Of -|x|, which cannot overflow.
    odds = np.exp(-np.abs(log_odds))
    probabilities: Scores = np.where(log_odds < 0, odds, 1.0) / (1 + odds)
    return probabilities


def _checked(scores: ArrayLike) -> Scores:
    values = np.asarray(scores, dtype=np.float64)
    if (wrong := values[(values < 0) | (values > 1)]).size:
        raise ScoreRangeError(
            f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits? "
            "Pass them through a softmax first"
        )
    return values


def _checked_pairs(scores: ArrayLike, fake: ArrayLike) -> tuple[Scores, Flags]:
    values, truth = _checked(scores), np.asarray(fake, dtype=np.bool_)
    if values.ndim != 1 or values.shape != truth.shape:
        raise ShapeError(
            f"give one label a score, got shapes {values.shape} for scores and {truth.shape} for "
            "labels",
            shape=truth.shape,
        )
    return values, truth
