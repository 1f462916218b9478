"""Evaluation of one system on a dataset, and its paired comparison with another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any

from mmmsba_plugin.errors import DatasetError, PredictionsError
from mmmsba_plugin.evaluation.collect import collect_metrics
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval, Metric, bootstrap
from mmmsba_plugin.evaluation.metrics.localization import Mode
from mmmsba_plugin.evaluation.silence_audit import silence_auc
from mmmsba_plugin.evaluation.tables import Flags, GroundTruth, Predictions

#: What is measured if nothing else is asked for, as AV-Deepfake1M's own evaluation does.
TIOUS = (0.5, 0.75, 0.9, 0.95)
NUM_PROPOSALS = (100, 50, 30, 20, 10, 5)


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
        DatasetError: There are no clips.
        PredictionsError: None of the clips was evaluated.
    """
    collected = collect_metrics(
        predictions, ground_truth, mode=mode, tious=tious, num_proposals=num_proposals
    )
    _require_predictions(predictions, ground_truth, collected.has_score)
    intervals = bootstrap(
        {
            **collected.metrics,
            **collected.of_groups(first_ap=f"ap@{tious[0]:g}" if tious else ""),
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


def compare_runs(
    runs: Sequence[tuple[Predictions, Predictions]],
    ground_truth: GroundTruth,
    *,
    mode: Mode = "official",
    tious: Sequence[float] = TIOUS,
    num_proposals: Sequence[int] = NUM_PROPOSALS,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Compute the paired differences of two systems' metrics, averaged over runs.

    A difference is the first system's less the second's. Both, and all runs, are computed from the
    same draws of clips, so that what makes a draw hard for both cancels. An interval that excludes
    zero tells them apart. Detection is compared on the clips that both evaluated.

    Args:
        runs: Predictions of the first and of the second system, for each run, such as of one
            random seed.
        ground_truth: What is true.
        mode: As for :func:`measure`, like all that follow.
        tious: Overlaps.
        num_proposals: Numbers of proposals.
        num_resamples: How often clips are drawn anew.
        seed: Of the draws.
    """
    gains: dict[str, list[Metric]] = {}
    for first, second in runs:
        common = first.scores.keys() & second.scores.keys()
        ours, theirs = (
            collect_metrics(
                replace(predictions, scores={key: predictions.scores[key] for key in common}),
                ground_truth,
                mode=mode,
                tious=tious,
                num_proposals=num_proposals,
            ).metrics
            for predictions in (first, second)
        )
        for name in ours:
            if name in theirs:
                gains.setdefault(name, []).append(_difference(ours[name], theirs[name]))
    return bootstrap(
        {name: _mean(of_runs) for name, of_runs in gains.items() if len(of_runs) == len(runs)},
        clusters=ground_truth.clusters,
        num_resamples=num_resamples,
        seed=seed,
    )


def _difference(first: Metric, second: Metric) -> Metric:
    return lambda draw: first(draw) - second(draw)


def _mean(metrics: Sequence[Metric]) -> Metric:
    return lambda draw: sum(metric(draw) for metric in metrics) / len(metrics)


def _require_predictions(
    predictions: Predictions, ground_truth: GroundTruth, has_score: Flags
) -> None:
    if not len(ground_truth):
        raise DatasetError("there are no clips to measure on; check the filter or the split")
    found_in = predictions.proposals.keys if predictions.proposals is not None else ()
    if not has_score.any() and not found_in:
        raise PredictionsError(
            f"none of {len(ground_truth)} clips was evaluated by {predictions.name}; the first is "
            f"{ground_truth.keys[0]!r}: check that predictions and dataset name clips alike"
        )


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Several systems on one dataset.

    Attributes:
        evaluations: One a system; the first is the one that is asked about.
        gains: By the name of each other system, by how much the first exceeds it.
        silence_auc: How well the silence that a clip starts with tells forged from real by
            itself, whichever of the two has more of it; see
            :func:`mmmsba_plugin.evaluation.silence_audit.leak_auc`. None where none is known.
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
        DatasetError: There are no clips.
        PredictionsError: A system evaluated none of them.
    """
    # No two may be called alike.
    renamed: list[Predictions] = []
    for system in systems:
        used_names = {other.name for other in renamed}
        names = chain([system.name], (f"{system.name} ({n})" for n in count(2)))
        name = next(name for name in names if name not in used_names)
        renamed.append(replace(system, name=name))
    first, *others = systems = renamed
    silence = leading_silence_s or {}
    has_audio = any(length_s is not None for length_s in silence.values())
    draws = {name: settings[name] for name in ("num_resamples", "seed") if name in settings}
    return SideBySide(
        evaluations=tuple(measure(system, ground_truth, **settings) for system in systems),
        gains={
            system.name: compare_runs([(first, system)], ground_truth, **settings)
            for system in others
        },
        silence_auc=silence_auc(silence, ground_truth, **draws) if has_audio else None,
    )
