"""Evaluation of one system on a dataset, and its paired comparison with another."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation import leakage
from mmmsba_plugin.evaluation.metrics import detection
from mmmsba_plugin.evaluation.metrics.bootstrap import (
    Draw,
    Interval,
    Ints,
    Metric,
    bootstrap,
    rows_of,
)
from mmmsba_plugin.evaluation.metrics.calibration import brier_score, expected_calibration_error
from mmmsba_plugin.evaluation.metrics.localization import Mode, match
from mmmsba_plugin.evaluation.metrics.snippets import Snippets, snippets_of, together
from mmmsba_plugin.evaluation.tables import Flags, GroundTruth, Predictions, Scores, SpanTable
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.schema import ALTERED_BY_MODALITY, Curves
from mmmsba_plugin.segment import Segment

#: What is measured if nothing else is asked for, as AV-Deepfake1M's own evaluation does.
TIOUS = (0.5, 0.75, 0.9, 0.95)
NUM_PROPOSALS = (100, 50, 30, 20, 10, 5)

#: Groups of fewer clips have figures that say nothing.
_MIN_GROUP = 2
#: What is measured of a group, besides the first average precision.
_OF_GROUPS = ("auc", "partial_auc", "eer", "true_positive_rate", "snippet_auc")

_Ranks = Callable[[Scores, Flags], float]
#: Figures of the clip's score that need no threshold.
_RANKING: Mapping[str, _Ranks] = {
    "auc": detection.auc,
    "partial_auc": detection.partial_auc,
    "eer": detection.eer,
    "detection_ap": detection.detection_average_precision,
    "ece": expected_calibration_error,
    "brier": brier_score,
}
#: Figures of all snippets of all clips together.
_BY_SNIPPET: Mapping[str, _Ranks] = {
    "snippet_auc": detection.auc,
    "snippet_eer": detection.eer,
    "snippet_ap": detection.detection_average_precision,
}
#: Figures of the clip's score at the threshold that the system states.
_AT_THRESHOLD = {
    "accuracy": detection.accuracy,
    "balanced_accuracy": detection.balanced_accuracy,
    "true_positive_rate": detection.true_positive_rate,
    "false_positive_rate": detection.false_positive_rate,
}


@dataclass(frozen=True, slots=True)
class Group:
    """The fake clips of one kind, measured against all real ones."""

    num_fake: int
    intervals: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of one system on a dataset, with intervals.

    Attributes:
        system: Its name.
        mode: How localization was measured.
        intervals: By name, such as ``auc`` and ``ap@0.5``, each with its interval; NaN where one
            is not defined, as an AUC of fake clips alone.
        groups: Figures of some of the fake clips against all real ones, by what was
            altered (``altered: audio``) and by how it was made (``kind: splice``).
        num_real: Real clips that were evaluated.
        num_fake: Fake clips that were evaluated.
        not_evaluated: Keys of clips without a score: they count in no figure of detection, and
            nothing was found in them.
    """

    system: str
    mode: Mode
    intervals: Mapping[str, Interval]
    groups: Mapping[str, Group] = field(default_factory=dict)
    num_real: int = 0
    num_fake: int = 0
    not_evaluated: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MetricSet:
    """Metrics of one system as functions of a draw of the dataset's clips."""

    metrics: Mapping[str, Metric]
    groups: Mapping[str, NDArray[np.bool_]]
    has_score: Flags


def measure(
    predictions: Predictions,
    ground_truth: GroundTruth,
    *,
    mode: Mode = "official",
    tious: Sequence[float] = TIOUS,
    num_proposals: Sequence[int] = NUM_PROPOSALS,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Return the figures of one system, with 95 % intervals clustered by identity.

    Clips of nobody known are clustered with those that were forged from them.

    Args:
        predictions: What the system said, by the keys of ``ground_truth``.
        ground_truth: What is true.
        mode: ``official`` equals AV-Deepfake1M's evaluator to the bit, ``voc`` is the
            mathematically right form; see :mod:`mmmsba_plugin.evaluation.metrics.localization`.
        tious: Overlaps at which average precision is measured.
        num_proposals: Numbers of proposals for which average recall is measured.
        num_resamples: How often clips are drawn anew for the intervals; 0 for none.
        seed: Of the draws.

    Raises:
        DatasetError: There are no clips, or none was evaluated.
    """
    collected = collect_metrics(
        predictions, ground_truth, mode=mode, tious=tious, num_proposals=num_proposals
    )
    _require_predictions(predictions, ground_truth, collected.has_score)
    intervals = bootstrap(
        {
            **collected.metrics,
            **_of_groups(collected, first_ap=f"ap@{tious[0]:g}" if tious else ""),
        },
        clusters=ground_truth.clusters,
        num_resamples=num_resamples,
        seed=seed,
    )
    return Evaluation(
        system=predictions.name,
        mode=mode,
        intervals={name: intervals[name] for name in collected.metrics},
        groups={
            group: Group(
                num_fake=int((in_group & ground_truth.fake & collected.has_score).sum()),
                intervals={
                    name.removeprefix(f"{group}/"): number
                    for name, number in intervals.items()
                    if name.startswith(f"{group}/")
                },
            )
            for group, in_group in collected.groups.items()
        },
        num_real=int((collected.has_score & ~ground_truth.fake).sum()),
        num_fake=int((collected.has_score & ground_truth.fake).sum()),
        not_evaluated=[
            key
            for key, has_score in zip(ground_truth.keys, collected.has_score, strict=True)
            if not has_score
        ],
    )


def compare(
    first: Predictions,
    second: Predictions,
    ground_truth: GroundTruth,
    *,
    mode: Mode = "official",
    tious: Sequence[float] = TIOUS,
    num_proposals: Sequence[int] = NUM_PROPOSALS,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return by how much the first system's figures exceed the second's, paired.

    Both are computed from the same draws of clips, so that what makes a draw hard for both
    cancels. An interval that excludes zero tells them apart. Detection is compared on the
    clips that both evaluated.

    Args:
        first: One system's answers.
        second: Another's.
        ground_truth: What is true.
        mode: As for :func:`measure`, like all that follow.
        tious: Overlaps.
        num_proposals: Numbers of proposals.
        num_resamples: How often clips are drawn anew.
        seed: Of the draws.
    """
    evaluations = [
        collect_metrics(
            predictions, ground_truth, mode=mode, tious=tious, num_proposals=num_proposals
        )
        for predictions in _on_common_clips(first, second)
    ]
    both = [name for name in evaluations[0].metrics if name in evaluations[1].metrics]

    def gain(name: str) -> Metric:
        predictions, second_predictions = (measured.metrics[name] for measured in evaluations)
        return lambda draw: predictions(draw) - second_predictions(draw)

    return bootstrap(
        {name: gain(name) for name in both},
        clusters=ground_truth.clusters,
        num_resamples=num_resamples,
        seed=seed,
    )


def collect_metrics(
    predictions: Predictions,
    ground_truth: GroundTruth,
    *,
    mode: Mode,
    tious: Sequence[float],
    num_proposals: Sequence[int],
) -> MetricSet:
    """Collect the metrics of one system; arguments are those of :func:`measure`."""
    scores = np.array(
        [predictions.scores.get(key, math.nan) for key in ground_truth.keys], dtype=np.float64
    )
    has_score = ~np.isnan(scores)
    metrics = _detection(scores, ground_truth.fake, has_score, predictions.threshold)
    metrics |= _by_modality(predictions, ground_truth)
    if predictions.curves:
        metrics |= _by_snippet(predictions, ground_truth)
    if predictions.proposals is not None:
        metrics |= _localization(predictions.proposals, ground_truth, mode, tious, num_proposals)
    return MetricSet(metrics=metrics, groups=_groups(ground_truth, has_score), has_score=has_score)


def _require_predictions(
    predictions: Predictions, ground_truth: GroundTruth, has_score: Flags
) -> None:
    if not len(ground_truth):
        raise DatasetError("there are no clips to measure on; check the filter or the split")
    found_in = predictions.proposals.keys if predictions.proposals is not None else ()
    if not has_score.any() and not found_in:
        raise DatasetError(
            f"none of {len(ground_truth)} clips was evaluated by {predictions.name}; the first is "
            f"{ground_truth.keys[0]!r}: check that predictions and dataset name clips alike"
        )


def _on_common_clips(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    both = first.scores.keys() & second.scores.keys()
    return (
        replace(first, scores={key: first.scores[key] for key in both}),
        replace(second, scores={key: second.scores[key] for key in both}),
    )


def _detection(
    scores: Scores, fake: Flags, has_score: Flags, threshold: float | None
) -> dict[str, Metric]:
    def of(figure: Callable[..., float], **setting: float) -> Metric:
        def metric(draw: Draw) -> float:
            clips = draw.clips[has_score[draw.clips]]
            return figure(scores[clips], fake[clips], **setting)

        return metric

    at_threshold = {
        name: (lambda _: math.nan) if threshold is None else of(figure, threshold=threshold)
        for name, figure in _AT_THRESHOLD.items()
    }
    return {**{name: of(figure) for name, figure in _RANKING.items()}, **at_threshold}


def _by_modality(predictions: Predictions, ground_truth: GroundTruth) -> dict[str, Metric]:
    """Compute the AUC of each modality alone, for manipulations of that modality itself."""
    metrics: dict[str, Metric] = {}
    altered = np.array(ground_truth.altered)
    is_by_modality = altered != "forged"
    for modality, by_key in predictions.by_modality.items():
        scores = np.array(
            [by_key.get(key, math.nan) for key in ground_truth.keys], dtype=np.float64
        )
        own = np.isin(altered, ["both", ALTERED_BY_MODALITY.get(modality, "both")])
        usable = is_by_modality & ~np.isnan(scores)
        metrics[f"{modality}_auc"] = _detection(scores, own, usable, None)["auc"]
    return metrics


def _by_snippet(predictions: Predictions, ground_truth: GroundTruth) -> dict[str, Metric]:
    """Compute the metrics of snippets; all of a clip are drawn together."""
    clips = [
        _snippets(predictions.curves.get(key), ground_truth, at)
        for at, key in enumerate(ground_truth.keys)
    ]
    all_of_them = together(clips)
    starts = np.cumsum([0, *(len(snippets) for snippets in clips)])

    def of(figure: _Ranks) -> Metric:
        def metric(draw: Draw) -> float:
            rows = rows_of(draw.clips, starts)
            return figure(all_of_them.scores[rows], all_of_them.fake[rows])

        return metric

    return {name: of(figure) for name, figure in _BY_SNIPPET.items()}


def _snippets(curves: Curves | None, ground_truth: GroundTruth, clip: int) -> Snippets:
    if curves is None:
        return together(())
    if ground_truth.fake[clip] and not ground_truth.located[clip]:
        return snippets_of(curves, [WHOLE_CLIP])
    spans = ground_truth.spans.spans[
        ground_truth.spans.offsets[clip] : ground_truth.spans.offsets[clip + 1]
    ]
    return snippets_of(curves, [Segment(start, end) for start, end in spans if start < end])


def _localization(
    proposals: SpanTable,
    ground_truth: GroundTruth,
    mode: Mode,
    tious: Sequence[float],
    num_proposals: Sequence[int],
) -> dict[str, Metric]:
    matched = match(proposals, ground_truth.spans, tious=tious, mode=mode)

    def counts(draw: Draw) -> Ints | None:
        return draw.within(ground_truth.located).counts(len(ground_truth))

    def precision(tiou: float) -> Metric:
        return lambda draw: matched.average_precision(tiou, counts(draw))

    def recall(num: int) -> Metric:
        return lambda draw: matched.average_recall(num, counts(draw))

    return {
        **{f"ap@{tiou:g}": precision(tiou) for tiou in tious},
        **{f"ar@{num}": recall(num) for num in num_proposals},
    }


def _groups(ground_truth: GroundTruth, has_score: Flags) -> dict[str, Flags]:
    """Select the clips of each group of fake ones; real ones belong to all.

    A group of too few clips that were evaluated, or of the same clips as one before, is left out.
    """
    groups: dict[str, Flags] = {}
    for word, labels in (("altered", ground_truth.altered), ("kind", ground_truth.kinds)):
        names = np.array([label or "" for label in labels])
        for name in sorted(set(names[ground_truth.fake]) - {""}):
            in_group = ~ground_truth.fake | (names == name)
            enough = int((in_group & ground_truth.fake & has_score).sum()) >= _MIN_GROUP
            if (
                enough
                and not in_group.all()
                and not any((in_group == g).all() for g in groups.values())
            ):
                groups[f"{word}: {name}"] = in_group
    return groups


def _of_groups(collected: MetricSet, *, first_ap: str) -> dict[str, Metric]:
    def within(metric: Metric, in_group: Flags) -> Metric:
        return lambda draw: metric(draw.within(in_group))

    names = [name for name in (*_OF_GROUPS, first_ap) if name in collected.metrics]
    return {
        f"{group}/{name}": within(collected.metrics[name], clips)
        for group, clips in collected.groups.items()
        for name in names
    }


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Several systems on one dataset.

    Attributes:
        evaluations: One a system; the first is the one that is asked about.
        gains: By the name of each other system, by how much the first exceeds it.
        silence_auc: How well the silence that a clip starts with tells forged from real by
            itself, whichever of the two has more of it; see
            :func:`mmmsba_plugin.evaluation.leakage.leak_auc`. None where none was listened to.
    """

    evaluations: tuple[Evaluation, ...]
    gains: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    silence_auc: Interval | None = None


def side_by_side(
    systems: Sequence[Predictions],
    ground_truth: GroundTruth,
    *,
    leading_silence_s: Mapping[str, float | None] | None = None,
    **settings: Any,
) -> SideBySide:
    """Return the figures of systems, and paired differences of the first to each other.

    Args:
        systems: What each said, by the keys of ``ground_truth``.
        ground_truth: What is true.
        leading_silence_s: How long the silence is that each clip starts with, by key; None
            for a clip without audio.
        **settings: As for :func:`mmmsba_plugin.evaluation.evaluate.measure`.

    Raises:
        DatasetError: There are no clips, or a system evaluated none of them.
    """
    first, *others = systems = _named_apart(systems)
    silence = leading_silence_s or {}
    has_audio = any(length_s is not None for length_s in silence.values())
    draws = {name: settings[name] for name in ("num_resamples", "seed") if name in settings}
    return SideBySide(
        evaluations=tuple(measure(system, ground_truth, **settings) for system in systems),
        gains={system.name: compare(first, system, ground_truth, **settings) for system in others},
        silence_auc=leakage.silence_auc(silence, ground_truth, **draws) if has_audio else None,
    )


def _named_apart(systems: Sequence[Predictions]) -> list[Predictions]:
    """Return systems of which no two are called alike."""
    renamed: list[Predictions] = []
    used_names: set[str] = set()
    for system in systems:
        choices = chain([system.name], (f"{system.name} ({n})" for n in count(2)))
        name = next(name for name in choices if name not in used_names)
        used_names.add(name)
        renamed.append(replace(system, name=name))
    return renamed
