"""Metrics of localization: average precision (AP) and average recall (AR), in two modes.

``voc`` is the mathematically right form, in float64: proposals are ranked by score, each
finds the free truth that it overlaps most, tIoU at or above the threshold is enough, and the
area is counted from recall zero on.

``official`` equals AV-Deepfake1M's own evaluator to the last bit, so that figures stand beside
published ones: float32, tIoU above the threshold, matching in the order of the file, and an
area that lacks its first strip. :mod:`mmmsba_plugin.evaluation.metrics.official` says it in
full. On many clips the modes differ little; on few, by up to one truth's worth of AP.

What the official evaluator cannot take is defined in both modes alike:

- A clip without proposals, or missing from the predictions: nothing was found in it.
- Fewer proposals than AR asks for: those there are.
- A span without length, or one that ends before it starts, neither finds nor is found.
- No truths at all: NaN (that evaluator says NaN for AP and 0 for AR).
- A score of NaN: an error, since it has no rank. An end that is NaN or infinite is an error in
  ``voc``; in ``official`` such a span neither finds nor is found.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError, PredictionsError, ScoreRangeError, ShapeError
from mmmsba_plugin.evaluation.metrics import official, voc
from mmmsba_plugin.evaluation.metrics.matching import (
    Ints,
    Rules,
    best_of_each_truth,
    overlapping,
    settle,
)
from mmmsba_plugin.evaluation.tables import Scores, SpanTable, offsets_of

Mode = Literal["voc", "official"]

#: The thresholds that recall is averaged over, as ActivityNet does: 0.5 to 0.95 by 0.05.
TIOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))

_RULES: dict[Mode, Rules] = {"voc": voc, "official": official}


class Matched:
    """Proposals of a dataset held against its truths, for every figure and any draw of clips.

    Made by :func:`match`. What is costly is done once and kept: overlaps, the ranking, and
    the matching at each threshold that was asked for.
    """

    def __init__(
        self,
        predictions: SpanTable,
        ground_truth: SpanTable,
        *,
        tious: Sequence[float],
        recall_tious: Sequence[float],
        rules: Rules,
    ) -> None:
        """Compute all overlaps; see :func:`match`, which checks and aligns what goes in here."""
        self._scores = _scores_of(predictions)
        self._rows_of_clip = predictions.counts
        self._ground_truth_of_clip = ground_truth.counts
        self._clip_of_truth = np.repeat(np.arange(len(ground_truth.keys)), ground_truth.counts)
        self._recall_tious = recall_tious
        self._rules = rules
        self._least = min([*tious, *recall_tious])
        pairs = overlapping(predictions, ground_truth, self._scores, rules, least=self._least)
        self._pairs = rules.in_line(pairs)
        self._right: dict[float, Ints] = {}
        self._recalled: dict[int, tuple[Ints, Ints]] = {}
        self._draw_cache: tuple[Ints, Ints] | None = None

    def average_precision(self, tiou: float, counts: NDArray[np.int64] | None = None) -> float:
        """Return the area under the precision-recall curve of all clips together.

        Args:
            tiou: Overlap that finds a truth, one of those that :func:`match` was given or
                higher.
            counts: How often each clip was drawn, shape ``(clip,)``; each once if not given.
                The figure is that of a table in which every clip stands as often, its copies
                side by side. Where proposals of one clip share a score, the copies of the
                earlier one all rank before those of the later. In ``official`` mode the figure
                of a draw is computed in float64, so that draws in which each clip comes once
                differ from ``counts=None`` by a rounding of float32.

        Returns:
            A number in [0, 1]; NaN where there is no truth to find.

        Raises:
            ConfigError: The threshold is out of bounds, or lower than what was matched.
            ShapeError: There is not one count a clip.
        """
        _check_tiou(tiou)
        if tiou < self._least:
            raise ConfigError(
                f"proposals were matched for tIoU from {self._least} on, got {tiou}; name it in "
                "tious of match"
            )
        num_ground_truth = self._num_ground_truth(counts)
        if not num_ground_truth:
            return math.nan
        if tiou not in self._right:
            pairs = self._pairs[self._rules.reaching(self._pairs.tiou, tiou)]
            rows = settle(pairs, len(self._scores), len(self._clip_of_truth))
            self._right[tiou] = np.sort(self._place_of_row[rows])
        # The places of the ranking at which proposals are right, rising.
        places = self._right[tiou]
        if counts is None:
            return self._rules.area(places, len(self._scores), num_ground_truth)
        copies = counts[self._clip_at_place[places]]
        in_draw = np.flatnonzero(copies)
        # The drawn proposals up to each rank are kept: a draw is measured at several tIoU.
        if self._draw_cache is None or not np.array_equal(self._draw_cache[0], counts):
            self._draw_cache = counts.copy(), np.cumsum(counts[self._clip_at_place])
        num_seen = self._draw_cache[1][places[in_draw]]
        return self._rules.area_of_draw(num_seen, copies[in_draw], num_ground_truth)

    def average_recall(self, num_proposals: int, counts: NDArray[np.int64] | None = None) -> float:
        """Return the share of truths that the best proposals of a clip find, averaged over tIoU.

        A truth counts as found if any of its clip's ``num_proposals`` best overlaps it enough;
        one proposal may find several. Real clips do not matter. The best are those of the
        highest scores in ``voc`` mode, and the first rows in ``official`` mode.

        Args:
            num_proposals: How many proposals of each clip count, at least 1.
            counts: How often each clip was drawn, shape ``(clip,)``; each once if not given.

        Returns:
            A number in [0, 1] that never falls as ``num_proposals`` grows; NaN where there is
            no truth to find.

        Raises:
            ConfigError: No proposals or thresholds are asked for.
            ShapeError: There is not one count a clip.
        """
        if num_proposals < 1 or not self._recall_tious:
            raise ConfigError(
                f"average recall needs at least one proposal and one tIoU, got {num_proposals=} "
                f"and {len(self._recall_tious)} thresholds; AR@100 is num_proposals=100"
            )
        num_ground_truth = self._num_ground_truth(counts)
        if not num_ground_truth:
            return math.nan
        if num_proposals not in self._recalled:
            counted = self._pairs[self._pairs.rank < num_proposals]
            best = best_of_each_truth(counted, len(self._clip_of_truth))
            hits = [int(self._rules.reaching(best, t).sum()) for t in self._recall_tious]
            by_best = self._clip_of_truth[np.argsort(-best, kind="stable")]
            self._recalled[num_proposals] = by_best, np.array(hits, dtype=np.int64)
        # The clips of all truths, the best found first, and how many of these each tIoU finds.
        clips, num_found = self._recalled[num_proposals]
        if counts is not None:
            num_found = offsets_of(counts[clips])[num_found]
        return self._rules.mean_recall(num_found, num_ground_truth)

    def _num_ground_truth(self, counts: Ints | None) -> int:
        if counts is None:
            return len(self._clip_of_truth)
        if counts.shape != self._ground_truth_of_clip.shape:
            raise ShapeError(
                f"a draw needs one count for each of {len(self._ground_truth_of_clip)} clips, got "
                f"shape {counts.shape}; count with np.bincount(drawn, minlength=num_clips)",
                shape=counts.shape,
            )
        return int(counts @ self._ground_truth_of_clip)

    @cached_property
    def _place_of_row(self) -> Ints:
        """Rank of each proposal among all."""
        order = self._rules.best_first(self._scores)
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        return places

    @cached_property
    def _clip_at_place(self) -> Ints:
        clips = np.empty_like(self._place_of_row)
        clips[self._place_of_row] = np.repeat(
            np.arange(len(self._rows_of_clip)), self._rows_of_clip
        )
        return clips


def match(
    predictions: SpanTable,
    ground_truth: SpanTable,
    *,
    tious: Sequence[float] = (0.5, 0.75, 0.9, 0.95),
    recall_tious: Sequence[float] = TIOUS,
    mode: Mode = "voc",
) -> Matched:
    """Hold proposals against truths, once for all figures.

    Args:
        predictions: With scores. Equal ones rank in the order of the clips of ``ground_truth`` and
            of the rows. Clips that ``ground_truth`` lacks are left out, so that predictions for a
            whole dataset can be measured on a part of it; clips that this lacks have no proposals.
        ground_truth: Fake segments; a real clip has none, and its proposals are false alarms.
        tious: Overlaps at which average precision will be asked for, each in (0, 1].
        recall_tious: Thresholds to average recall over, each in (0, 1].
        mode: ``voc`` for the mathematically right form, ``official`` for AV-Deepfake1M's;
            the module says how they differ and why.

    Raises:
        ConfigError: A threshold lies outside (0, 1], or there is none.
        PredictionsError: They have no scores, or name none of the clips.
        ScoreRangeError: A score is NaN.
        SegmentError: A span has an end that is not finite, in ``voc`` mode.

    Example:
        >>> ground_truth = SpanTable.of_ground_truth({"a": [[1.0, 2.0]], "b": []})
        >>> said = SpanTable.of_proposals({"b": ([[5.0, 6.0]], [0.9]), "a": ([[1.0, 2.1]], [0.4])})
        >>> matched = match(said, ground_truth)
        >>> matched.average_precision(0.5), matched.average_recall(100)
        (0.5, 0.9)
        >>> matched.average_precision(0.5, counts=np.array([3, 0]))
        1.0
    """
    for threshold in (*tious, *recall_tious):
        _check_tiou(threshold)
    if not (tious or recall_tious):
        raise ConfigError("match needs at least one tIoU threshold; the field uses 0.5")
    if (
        predictions.keys
        and ground_truth.keys
        and ground_truth.places.keys().isdisjoint(predictions.keys)
    ):
        raise PredictionsError(
            f"none of {len(predictions.keys)} clips with proposals has a truth; the first are "
            f"{predictions.keys[0]!r} and {ground_truth.keys[0]!r}: name clips alike in both"
        )
    aligned = predictions.aligned(ground_truth.keys)
    rules = _RULES[mode]
    return Matched(aligned, ground_truth, tious=tious, recall_tious=recall_tious, rules=rules)


def _scores_of(predictions: SpanTable) -> Scores:
    if predictions.scores is None:
        raise PredictionsError("the predictions have no scores; build them with of_proposals")
    if np.isnan(predictions.scores).any():
        raise ScoreRangeError("a proposal has the score NaN, which has no rank; drop it or score 0")
    return predictions.scores


def _check_tiou(tiou: float) -> None:
    if not 0.0 < tiou <= 1.0:
        raise ConfigError(f"a tIoU threshold must lie in (0, 1], got {tiou}; the field uses 0.5")
