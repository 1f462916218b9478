"""Metrics of one system on a dataset, as functions of a draw of its clips.

A bootstrap computes them thousands of times: scores are sorted and segments matched once, and
a draw only counts how often each clip is in it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import numpy as np

from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Ints, Metric
from mmmsba_plugin.evaluation.metrics.calibration import brier_score, expected_calibration_error
from mmmsba_plugin.evaluation.metrics.detection import Ranking, SortedClips
from mmmsba_plugin.evaluation.metrics.localization import Mode, match
from mmmsba_plugin.evaluation.metrics.snippets import snippets_of, together
from mmmsba_plugin.evaluation.tables import Flags, GroundTruth, Predictions, Scores, SpanTable
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.schema import ALTERED_BY_MODALITY
from mmmsba_plugin.segment import Segment

#: Groups of fewer fake clips have metrics that say nothing.
_MIN_GROUP = 2
#: Metrics of a group, besides the first average precision.
_OF_GROUPS = ("auc", "partial_auc", "eer", "true_positive_rate", "snippet_auc")

#: Metrics of a ranking that need no threshold.
_RANKING: Mapping[str, Callable[[Ranking], float]] = {
    "auc": attrgetter("auc"),
    "partial_auc": Ranking.partial_auc,
    "eer": attrgetter("eer"),
    "detection_ap": attrgetter("average_precision"),
}
#: Those that are computed from all snippets of all clips together.
_BY_SNIPPET = {"snippet_auc": "auc", "snippet_eer": "eer", "snippet_ap": "detection_ap"}
#: Metrics of the clip's score as a probability.
_CALIBRATION = {"ece": expected_calibration_error, "brier": brier_score}
#: Metrics of the clip's score at the threshold that the system states.
_AT_THRESHOLD: Mapping[str, Callable[[Ranking, float], float]] = {
    "accuracy": Ranking.accuracy,
    "balanced_accuracy": Ranking.balanced_accuracy,
    "true_positive_rate": Ranking.true_positive_rate,
    "false_positive_rate": Ranking.false_positive_rate,
}


@dataclass(frozen=True, slots=True, eq=False)
class MetricSet:
    """Metrics of one system as functions of a draw of the dataset's clips.

    Attributes:
        metrics: By name, such as ``auc`` and ``ap@0.5``.
        groups: Clips of each group of fake ones and all real ones, shape ``(clip,)``, by the
            group's name, such as ``altered: audio`` and ``kind: splice``.
        has_score: Whether each clip was evaluated, shape ``(clip,)``.
    """

    metrics: Mapping[str, Metric]
    groups: Mapping[str, Flags]
    has_score: Flags

    def of_groups(self, *, first_ap: str) -> dict[str, Metric]:
        """Return the metrics of each group, by its name and theirs: ``kind: splice/auc``.

        Args:
            first_ap: Name of the average precision that is computed of groups too.
        """
        names = [name for name in (*_OF_GROUPS, first_ap) if name in self.metrics]

        def of_group(clips: Flags) -> dict[str, Metric]:
            # One draw for all metrics of the group, so that they share its ranking.
            @lru_cache(maxsize=1)
            def within(draw: Draw) -> Draw:
                return draw.within(clips)

            def of(metric: Metric) -> Metric:
                return lambda draw: metric(within(draw))

            return {name: of(self.metrics[name]) for name in names}

        return {
            f"{group}/{name}": metric
            for group, clips in self.groups.items()
            for name, metric in of_group(clips).items()
        }


def collect_metrics(
    predictions: Predictions,
    ground_truth: GroundTruth,
    *,
    mode: Mode,
    tious: Sequence[float],
    num_proposals: Sequence[int],
) -> MetricSet:
    """Collect the metrics of one system.

    Args:
        predictions: Predictions of the system, by the keys of ``ground_truth``.
        ground_truth: Labels and fake segments of the clips.
        mode: How localization is evaluated, ``official`` or ``voc``.
        tious: Overlaps at which average precision is computed.
        num_proposals: Numbers of proposals for which average recall is computed.
    """
    scores = ground_truth.column(predictions.scores)
    has_score = ~np.isnan(scores)
    metrics = _detection(scores, ground_truth.fake, has_score, predictions.threshold)
    metrics |= _by_modality(predictions, ground_truth)
    if predictions.curves:
        metrics |= _by_snippet(predictions, ground_truth)
    if predictions.proposals is not None:
        metrics |= _localization(predictions.proposals, ground_truth, mode, tious, num_proposals)
    return MetricSet(metrics=metrics, groups=_groups(ground_truth, has_score), has_score=has_score)


def _rank_draws(rows: SortedClips, num_clips: int) -> Callable[[Draw], Ranking]:
    # The metrics of a draw are computed one after the other, and share its ranking.
    return lru_cache(maxsize=1)(lambda draw: rows.rank(draw.counts(num_clips)))


def _rank_clips(scores: Scores, fake: Flags, has_score: Flags) -> Callable[[Draw], Ranking]:
    clips = np.flatnonzero(has_score)
    return _rank_draws(SortedClips.of(scores[clips], fake[clips], clips=clips), len(scores))


def _detection(
    scores: Scores, fake: Flags, has_score: Flags, threshold: float | None
) -> dict[str, Metric]:
    rank = _rank_clips(scores, fake, has_score)

    def of_ranking(metric: Callable[[Ranking], float]) -> Metric:
        return lambda draw: metric(rank(draw))

    def of_scores(metric: Callable[[Scores, Flags], float]) -> Metric:
        def of_draw(draw: Draw) -> float:
            clips = draw.clips[has_score[draw.clips]]
            return metric(scores[clips], fake[clips])

        return of_draw

    def at_threshold(metric: Callable[[Ranking, float], float]) -> Metric:
        return lambda draw: math.nan if threshold is None else metric(rank(draw), threshold)

    return {
        **{name: of_ranking(metric) for name, metric in _RANKING.items()},
        **{name: of_scores(metric) for name, metric in _CALIBRATION.items()},
        **{name: at_threshold(metric) for name, metric in _AT_THRESHOLD.items()},
    }


def _by_modality(predictions: Predictions, ground_truth: GroundTruth) -> dict[str, Metric]:
    """Compute the AUC of each modality alone, for manipulations of that modality itself."""
    altered = np.array(ground_truth.altered)

    def of(modality: str, by_key: Mapping[str, float]) -> Metric:
        scores = ground_truth.column(by_key)
        own = np.isin(altered, ["both", ALTERED_BY_MODALITY.get(modality, "both")])
        rank = _rank_clips(scores, own, (altered != "fake") & ~np.isnan(scores))
        return lambda draw: rank(draw).auc

    return {f"{name}_auc": of(name, by_key) for name, by_key in predictions.by_modality.items()}


def _by_snippet(predictions: Predictions, ground_truth: GroundTruth) -> dict[str, Metric]:
    """Compute the metrics of snippets; all of a clip are drawn together."""
    clips = []
    for clip, key in enumerate(ground_truth.keys):
        curves = predictions.curves.get(key)
        if curves is None:
            clips.append(together(()))
        elif ground_truth.fake[clip] and not ground_truth.located[clip]:
            clips.append(snippets_of(curves, [WHOLE_CLIP]))
        else:
            spans = ground_truth.spans.spans[slice(*ground_truth.spans.offsets[clip : clip + 2])]
            segments = [Segment(start, end) for start, end in spans if start < end]
            clips.append(snippets_of(curves, segments))
    snippets = together(clips)
    clip_of_row = np.repeat(np.arange(len(clips)), [len(clip) for clip in clips])
    rows = SortedClips.of(snippets.scores, snippets.fake, clips=clip_of_row)
    rank = _rank_draws(rows, len(clips))

    def of(metric: Callable[[Ranking], float]) -> Metric:
        return lambda draw: metric(rank(draw))

    return {name: of(_RANKING[metric]) for name, metric in _BY_SNIPPET.items()}


def _localization(
    proposals: SpanTable,
    ground_truth: GroundTruth,
    mode: Mode,
    tious: Sequence[float],
    num_proposals: Sequence[int],
) -> dict[str, Metric]:
    matched = match(proposals, ground_truth.spans, tious=tious, mode=mode)

    @lru_cache(maxsize=1)
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
