"""Chooses, on validation clips, what scores mean and from which one speaks of a forgery.

Focal loss with a small weight on fakes leaves scores low, so one half means nothing by
itself. The choice is made on clips that the network did not learn from, and the checkpoint
says what it was made for. Lines are drawn on the network's own scale; a report shows them,
and all scores, as probabilities.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Calibration, CalibrationMethod, LocalizationConfig
from mmmsba_plugin.localization.calibrate import apply, calibrate
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import Prediction, predict
from mmmsba_plugin.model.targets import fake_labels
from mmmsba_plugin.schema import ALTERED_BY_MODALITY, ScoreThreshold
from mmmsba_plugin.structures import ClipFeatures
from mmmsba_plugin.training.data import Clip, Source, ground_truth

#: Share of real validation clips, or snippets, that may be called fake if nothing is said.
FALSE_POSITIVE_RATE = 0.1
#: Shares of real clips for which a checkpoint has a line, where its clips can tell them.
FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1)
_TOGETHER = "all"

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Thresholds and calibration that were chosen on validation clips, with their metrics.

    Attributes:
        score_threshold: Score from which a clip counts as fake by default.
        localization: The settings with the onset and offset that suit this network.
        score_thresholds: The same for stated false-positive rates, lowest rate first.
        calibration: What turns scores into probabilities.
        metrics: What was seen at these lines, on the validation clips.
    """

    score_threshold: ScoreThreshold
    localization: LocalizationConfig
    score_thresholds: tuple[ScoreThreshold, ...]
    calibration: Calibration
    metrics: dict[str, float] = field(default_factory=dict)


def choose_operating_point(
    held_out: Sequence[tuple[Ensemble, Sequence[Clip]]],
    source: Source,
    config: LocalizationConfig,
    *,
    calibration: CalibrationMethod = "none",
    false_positive_rate: float = FALSE_POSITIVE_RATE,
) -> OperatingPoint:
    """Return the lines for a network, or for an ensemble of networks.

    A clip counts as forged from the score that at most a stated share of the real clips reach,
    and a segment opens there too: a clip is fake exactly if a segment of it is. It closes
    at the score that tells forged from real snippets with the best F1. With too few real
    clips to tell that share, a tenth is taken; with fewer than ten, the line with the best
    balanced accuracy, for no stated rate. A modality shown alone is evaluated by a line of its own,
    since with less to go by its scores lie elsewhere: the one that a tenth of real snippets
    reach.

    Args:
        held_out: Validation clips, real and fake, with the network that did not learn from
            them; in evaluation mode or not, it is not changed. Of a ensemble, several parts
            each with clips of their own. All of it varies less than a part, so that lines and
            probabilities should err on the safe side for other clips of the same kind.
        source: How their features are had.
        config: The settings that the lines are put into.
        calibration: How scores become probabilities; fitted to the clips' scores.
        false_positive_rate: The share of real clips that may be called fake.
    """
    predictions = _ClipPredictions()
    for network, clips in held_out:
        for clip in clips:
            features = source.features(clip.media)
            predictions.add(clip, features, predict(network, features, config))
    level, f1 = predictions.best_f1(_TOGETHER)
    fake = np.array([clip.record.fake for _, clips in held_out for clip in clips])
    highest = np.array(predictions.highest)
    line = clip_threshold(highest, fake, false_positive_rate)
    thresholds = stated_thresholds(highest[~fake])
    curve = calibrate(calibration, highest, fake)
    lines = {
        "onset": line.value,
        "offset": min(level, line.value),
        "modality_thresholds": {
            m: predictions.real_line(m) for m in held_out[0][0].dims if predictions.real(m)
        },
    }
    return OperatingPoint(
        score_threshold=line,
        localization=config.model_copy(update=lines),
        score_thresholds=thresholds,
        calibration=curve,
        metrics={
            **_clip_metrics(highest, fake, line),
            "snippet_f1": f1,
            **_rates(highest, fake, thresholds),
            **_calibration_metrics(highest, fake, curve),
        },
    )


def _clip_metrics(scores: Scores, fake: Flags, line: ScoreThreshold) -> dict[str, float]:
    from mmmsba_plugin.evaluation.metrics.detection import Ranking

    return {
        "clip_auc": Ranking.of(scores, fake).auc,
        "clip_true_positive_rate": float(np.mean(scores[fake] >= line.value)),
        "clip_false_positive_rate": float(np.mean(scores[~fake] >= line.value)),
    }


def _rates(scores: Scores, fake: Flags, lines: Sequence[ScoreThreshold]) -> dict[str, float]:
    """Compute the shares of real and fake clips that reach each threshold."""
    kinds = {"true": scores[fake], "false": scores[~fake]}
    return {
        f"clip_{kind}_positive_rate@{line.false_positive_rate:g}": float(np.mean(of >= line.value))
        for line in lines
        for kind, of in kinds.items()
    }


def _calibration_metrics(scores: Scores, fake: Flags, curve: Calibration) -> dict[str, float]:
    from mmmsba_plugin.evaluation.metrics.calibration import expected_calibration_error

    metrics = {"clip_ece_uncalibrated": expected_calibration_error(scores, fake)}
    if curve.method != "none":
        probabilities = apply(curve, scores)
        metrics["clip_ece_calibrated"] = expected_calibration_error(probabilities, fake)
    return metrics


class _ClipPredictions:
    """Scores of snippets and their truth: of all modalities together, and of each alone."""

    def __init__(self) -> None:
        self.highest: list[float] = []
        self._scores: dict[str, list[Scores]] = {}
        self._labels: dict[str, list[NDArray[np.int64]]] = {}

    def add(self, clip: Clip, features: ClipFeatures, prediction: Prediction) -> None:
        """Take in what was said about a clip."""
        truth = ground_truth(clip.record)
        self.highest.append(float(np.nanmax(prediction.scores)))
        for name, scores in {_TOGETHER: prediction.scores, **prediction.by_modality}.items():
            view = truth[ALTERED_BY_MODALITY.get(name, "all")]
            labels = fake_labels(view, features.grid, features.num_snippets)
            has_score = ~np.isnan(scores)
            self._scores.setdefault(name, []).append(scores[has_score])
            self._labels.setdefault(name, []).append(labels[has_score])

    def real(self, name: str) -> bool:
        """Return whether any real snippet has a score."""
        return any((labels == 0).any() for labels in self._labels[name])

    def real_line(self, name: str) -> float:
        """Return the score that at most a tenth of the real snippets reach."""
        scores, labels = np.concatenate(self._scores[name]), np.concatenate(self._labels[name])
        return threshold_at(scores[labels == 0], FALSE_POSITIVE_RATE)

    def best_f1(self, name: str) -> tuple[float, float]:
        """Return the line with the best F1, and that F1."""
        return best_f1(np.concatenate(self._scores[name]), np.concatenate(self._labels[name]))


def clip_threshold(
    scores: Scores, fake: Flags, false_positive_rate: float = FALSE_POSITIVE_RATE
) -> ScoreThreshold:
    """Return the score from which a clip counts as fake, and the rate it was chosen for.

    Args:
        scores: In [0, 1], shape ``(clip,)``.
        fake: The truth, the same shape; some clips of either kind.
        false_positive_rate: The rate that is wanted; a tenth where too few clips tell it.
    """
    real = scores[~fake]
    for rate in (false_positive_rate, max(false_positive_rate, FALSE_POSITIVE_RATE)):
        if len(real) >= clips_to_tell(rate):
            return ScoreThreshold(value=threshold_at(real, rate), false_positive_rate=rate)
    lines = np.unique(scores)
    gained = [np.mean(scores[fake] >= line) - np.mean(real >= line) for line in lines]
    return ScoreThreshold(value=float(lines[int(np.argmax(gained))]))


def stated_thresholds(real_scores: Scores) -> tuple[ScoreThreshold, ...]:
    """Return a line for each of :data:`FALSE_POSITIVE_RATES` that so many clips can tell.

    Where so many score exactly 1 that no line keeps to a rate, there is none for it either.

    Args:
        real_scores: Scores of real clips, in [0, 1], shape ``(clip,)``.
    """
    lines = []
    for rate in FALSE_POSITIVE_RATES:
        if len(real_scores) >= clips_to_tell(rate):
            value = threshold_at(real_scores, rate)
            if np.mean(real_scores >= value) <= rate:
                lines.append(ScoreThreshold(value=value, false_positive_rate=rate))
    return tuple(lines)


def clips_to_tell(false_positive_rate: float) -> int:
    """Return the number of real clips of which such a share is one clip.

    Example:
        >>> [clips_to_tell(rate) for rate in FALSE_POSITIVE_RATES]
        [100, 20, 10]
    """
    return math.ceil(1 / false_positive_rate)


def best_f1(scores: Scores, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Return the score at and above which F1 is best, and that F1.

    Args:
        scores: In [0, 1], shape ``(snippet,)``.
        labels: 1 where fake, the same shape.

    Example:
        >>> best_f1(np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1]))
        (0.6, 1.0)
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(1, int(labels.sum())))
    # Equal scores fall on the same side of any line, so only the last of them counts.
    last = np.append(np.diff(scores[order]) != 0, True)
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(scores[order][best]), float(f1[best])


def threshold_at(real_scores: Scores, false_positive_rate: float) -> float:
    """Return the lowest score that at most that share of real clips reaches.

    The lowest that a network can give, that is, which computes in float32: a line nearer to
    the score below would not stay apart from it once both are probabilities.

    Example:
        >>> round(threshold_at(np.array([0.1, 0.2, 0.3, 0.4]), 0.25), 6)
        0.3
    """
    allowed = int(false_positive_rate * len(real_scores))
    highest = float(np.sort(real_scores)[::-1][allowed])
    rounded = np.float32(highest)
    above = rounded if rounded > highest else np.nextafter(rounded, np.float32(2))
    return min(1.0, float(above))
