"""Chooses thresholds and calibration on validation clips.

Focal loss with a small weight on fakes leaves scores low, so one half means nothing by
itself. The choice is made on clips that the network did not learn from, and the checkpoint
says what it was made for. Thresholds are on the network's own scale; a report shows them,
and all scores, as probabilities.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Calibration, CalibrationMethod, LocalizationConfig
from mmmsba_plugin.config.operating_point import NUM_QUANTILES
from mmmsba_plugin.localization.calibrate import apply, calibrate
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.model.targets import fake_labels
from mmmsba_plugin.schema import ALTERED_BY_MODALITY, ScoreThreshold
from mmmsba_plugin.training.data import Clip, Source, ground_truth

#: Share of real validation clips, or snippets, that may be called fake if nothing is said.
FALSE_POSITIVE_RATE = 0.1
#: Shares of real clips for which a checkpoint has a threshold, where its clips can tell them.
FALSE_POSITIVE_RATES = (0.01, 0.05, 0.1)
#: Names the scores from all modalities together, beside those of each alone.
TOGETHER = "all"

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Thresholds and calibration that were chosen on validation clips, with their metrics.

    Attributes:
        score_threshold: Score from which a clip counts as fake by default.
        localization: The settings with the onset and offset that suit this network.
        score_thresholds: The same for stated false-positive rates, lowest rate first.
        calibration: The curve that turns scores into probabilities.
        real_scores: Scores of the real validation clips at each percent of them, rising; none
            where they are fewer than ten.
        metrics: Metrics of the validation clips at these thresholds.
    """

    score_threshold: ScoreThreshold
    localization: LocalizationConfig
    score_thresholds: tuple[ScoreThreshold, ...]
    calibration: Calibration
    real_scores: tuple[float, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)


def choose_operating_point(
    held_out: Sequence[tuple[Ensemble, Sequence[Clip]]],
    source: Source,
    config: LocalizationConfig,
    *,
    calibration: CalibrationMethod = "none",
    false_positive_rate: float = FALSE_POSITIVE_RATE,
    min_overlap: float = 0.0,
    score_threshold: float | None = None,
) -> OperatingPoint:
    """Choose thresholds and calibration on validation clips.

    A clip counts as fake from the score that at most a stated share of the real clips reach,
    and a segment opens there too: a clip is fake exactly if a segment of it is. It closes
    at the score that tells fake from real snippets with the best F1. With too few real
    clips to tell that share, a tenth is taken; with fewer than ten, the threshold with the best
    balanced accuracy, for no stated rate. A modality that is evaluated alone has a threshold of
    its own, since with less to go by its scores lie elsewhere: the one that a tenth of real
    snippets reach.

    Args:
        held_out: Validation clips, real and fake, with the network that did not learn from
            them; in evaluation mode or not, it is not changed. Of an ensemble, several members
            each with clips of their own. All of it varies less than a member, so that thresholds
            and probabilities should err on the safe side for other clips of the same kind.
        source: Source of the clips' features.
        config: The settings that the thresholds are put into.
        calibration: Method of calibration; fitted to the clips' scores.
        false_positive_rate: The share of real clips that may be called fake.
        min_overlap: Share of a snippet that must be fake for it to be labelled so.
        score_threshold: Score from which a clip counts as fake, in place of one that is chosen.
    """
    highest_scores = []
    # Scores and labels of the snippets of each clip: from all modalities, and from each alone.
    rows: dict[str, list[tuple[Scores, Labels]]] = {}
    for network, clips in held_out:
        for clip in clips:
            features = source.features(clip.media)
            prediction = predict(network, features, config)
            highest_scores.append(float(np.nanmax(prediction.scores)))
            truth = ground_truth(clip.record)
            for name, scores in {TOGETHER: prediction.scores, **prediction.by_modality}.items():
                view = truth[ALTERED_BY_MODALITY.get(name, "all")]
                labels = fake_labels(
                    view, features.grid, features.num_snippets, min_overlap=min_overlap
                )
                has_score = ~np.isnan(scores)
                rows.setdefault(name, []).append((scores[has_score], labels[has_score]))
    fake = np.array([clip.record.fake for _, clips in held_out for clip in clips])
    return operating_point_of(
        np.array(highest_scores),
        fake,
        rows,
        config,
        calibration=calibration,
        false_positive_rate=false_positive_rate,
        score_threshold=score_threshold,
    )


def operating_point_of(
    highest: Scores,
    fake: Flags,
    rows: Mapping[str, Sequence[tuple[Scores, Labels]]],
    config: LocalizationConfig,
    *,
    calibration: CalibrationMethod = "none",
    false_positive_rate: float = FALSE_POSITIVE_RATE,
    score_threshold: float | None = None,
) -> OperatingPoint:
    """Choose thresholds and calibration by the scores of validation clips.

    Args:
        highest: The highest score of each clip, shape ``(clip,)``.
        fake: Labels of the clips, the same shape; some of either kind.
        rows: Scores and labels of the snippets of each clip, under :data:`TOGETHER` from all
            modalities, and under the name of each from it alone.
        config: The settings that the thresholds are put into.
        calibration: Method of calibration.
        false_positive_rate: The share of real clips that may be called fake.
        score_threshold: Score from which a clip counts as fake, in place of one that is chosen.
    """
    snippets = {
        name: (
            np.concatenate([scores for scores, _ in of_clips]),
            np.concatenate([labels for _, labels in of_clips]),
        )
        for name, of_clips in rows.items()
    }
    closing, f1 = best_f1(*snippets[TOGETHER])
    if score_threshold is None:
        threshold = clip_threshold(highest, fake, false_positive_rate)
    else:
        threshold = ScoreThreshold(value=score_threshold)
    localization = {
        "onset": threshold.value,
        "offset": min(closing, threshold.value),
        "modality_thresholds": {
            name: threshold_at(scores[labels == 0], FALSE_POSITIVE_RATE)
            for name, (scores, labels) in snippets.items()
            if name != TOGETHER and (labels == 0).any()
        },
    }
    point = OperatingPoint(
        score_threshold=threshold,
        localization=config.model_copy(update=localization),
        score_thresholds=stated_thresholds(highest[~fake]),
        calibration=calibrate(calibration, highest, fake),
        real_scores=_quantiles(highest[~fake]),
    )
    return replace(point, metrics={**_clip_metrics(highest, fake, point), "snippet_f1": f1})


def _quantiles(real_scores: Scores) -> tuple[float, ...]:
    """Return the scores at each percent of real clips; none of fewer than ten."""
    if len(real_scores) < clips_to_tell(FALSE_POSITIVE_RATE):
        return ()
    return tuple(np.quantile(real_scores, np.linspace(0.0, 1.0, NUM_QUANTILES)).tolist())


def _clip_metrics(scores: Scores, fake: Flags, point: OperatingPoint) -> dict[str, float]:
    """Compute how well validation clips are told apart, flagged at each threshold, calibrated."""
    from mmmsba_plugin.evaluation.metrics.calibration import expected_calibration_error
    from mmmsba_plugin.evaluation.metrics.detection import Ranking

    metrics = {"clip_auc": Ranking.of(scores, fake).auc}
    thresholds = {"": point.score_threshold}
    thresholds |= {f"@{t.false_positive_rate:g}": t for t in point.score_thresholds}
    for suffix, threshold in thresholds.items():
        is_flagged = scores >= threshold.value
        metrics[f"clip_true_positive_rate{suffix}"] = float(np.mean(is_flagged[fake]))
        metrics[f"clip_false_positive_rate{suffix}"] = float(np.mean(is_flagged[~fake]))
    metrics["clip_ece_uncalibrated"] = expected_calibration_error(scores, fake)
    if point.calibration.method != "none":
        probabilities = apply(point.calibration, scores)
        metrics["clip_ece_calibrated"] = expected_calibration_error(probabilities, fake)
    return metrics


def clip_threshold(
    scores: Scores, fake: Flags, false_positive_rate: float = FALSE_POSITIVE_RATE
) -> ScoreThreshold:
    """Choose the score from which a clip counts as fake.

    Args:
        scores: In [0, 1], shape ``(clip,)``.
        fake: Labels, the same shape; some clips of either kind.
        false_positive_rate: The rate to keep to; a tenth where too few clips tell it.
    """
    real = scores[~fake]
    for rate in (false_positive_rate, max(false_positive_rate, FALSE_POSITIVE_RATE)):
        if len(real) >= clips_to_tell(rate):
            return ScoreThreshold(value=threshold_at(real, rate), false_positive_rate=rate)
    values = np.unique(scores)
    gains = [np.mean(scores[fake] >= value) - np.mean(real >= value) for value in values]
    return ScoreThreshold(value=float(values[int(np.argmax(gains))]))


def stated_thresholds(real_scores: Scores) -> tuple[ScoreThreshold, ...]:
    """Choose a threshold for each of :data:`FALSE_POSITIVE_RATES` that so many clips can tell.

    Where so many score exactly 1 that no threshold keeps to a rate, there is none for it either.

    Args:
        real_scores: Scores of real clips, in [0, 1], shape ``(clip,)``.
    """
    thresholds = []
    for rate in FALSE_POSITIVE_RATES:
        if len(real_scores) >= clips_to_tell(rate):
            value = threshold_at(real_scores, rate)
            if np.mean(real_scores >= value) <= rate:
                thresholds.append(ScoreThreshold(value=value, false_positive_rate=rate))
    return tuple(thresholds)


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
    # Equal scores fall on the same side of any threshold, so only the last of them counts.
    last = np.append(np.diff(scores[order]) != 0, True)
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(scores[order][best]), float(f1[best])


def threshold_at(real_scores: Scores, false_positive_rate: float) -> float:
    """Return the lowest score that at most that share of real clips reaches.

    The lowest that a network can give, that is, which computes in float32: a threshold nearer
    to the score below would not stay apart from it once both are probabilities.

    Example:
        >>> round(threshold_at(np.array([0.1, 0.2, 0.3, 0.4]), 0.25), 6)
        0.3
    """
    allowed = int(false_positive_rate * len(real_scores))
    highest = float(np.sort(real_scores)[::-1][allowed])
    rounded = np.float32(highest)
    above = rounded if rounded > highest else np.nextafter(rounded, np.float32(2))
    return min(1.0, float(above))
