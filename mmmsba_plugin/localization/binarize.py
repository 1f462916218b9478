"""Turns one score a snippet into the segments that a person is shown.

Two thresholds, like a Schmitt trigger: a segment opens when the score reaches ``onset`` and
closes when it drops below ``offset``. A score that trembles around a single threshold would
shatter one forgery into many, and most shards then fail the tIoU test.

Cells are coarse, so where the network says how far the forgery reaches, the snippets of a
run vote on its two ends.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.localization.proposals import (
    checked_scores,
    clipped,
    long_enough,
    regressed_spans,
    run_spans,
    runs_of,
)
from mmmsba_plugin.localization.suppress import Scores
from mmmsba_plugin.segment import Segment, Spans, merge, overlap_s
from mmmsba_plugin.timebase import Grid


def binarize(
    scores: NDArray[np.floating],
    grid: Grid,
    *,
    onset: float = 0.5,
    offset: float | None = None,
    end_s: float | None = None,
    min_duration_s: float = 0.0,
) -> list[Segment]:
    """Return the segments where ``scores`` say "forged", at the edges of cells.

    Args:
        scores: P(fake) of each snippet, in [0, 1], shape ``(snippet,)``.
        grid: Where the snippets lie in time.
        onset: Score at which a segment opens.
        offset: Score below which it closes again; ``onset`` if not given.
        end_s: Where the clip ends, in seconds; the last cell may reach beyond. Segments are
            not clipped if not given.
        min_duration_s: Shorter segments are dropped, in seconds.

    Returns:
        Segments in time order. Two never touch.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        ConfigError: ``offset`` is above ``onset``.

    Example:
        >>> grid = Grid(stride_s=0.5)
        >>> binarize(np.array([0.1, 0.8, 0.6, 0.4, 0.1]), grid, onset=0.7, offset=0.3)
        [Segment(start_s=0.5, end_s=2.0)]

    Source:
        Hysteresis thresholding, as in pyannote.audio ``utils/signal.py``.
    """
    offset = onset if offset is None else offset
    spans = run_spans(_open_runs(checked_scores(scores), onset, offset), grid)
    if end_s is not None:
        spans = clipped(spans, grid, end_s)
    long_spans = spans[long_enough(spans, min_duration_s)]
    return [Segment(start_s, end_s) for start_s, end_s in long_spans.tolist()]


def localize(
    scores: NDArray[np.floating],
    distances: NDArray[np.floating] | None,
    grid: Grid,
    *,
    end_s: float,
    config: LocalizationConfig | None = None,
) -> list[tuple[Segment, float]]:
    """Return the fake segments of a clip and how sure each is.

    Args:
        scores: P(fake) of each snippet, in [0, 1], shape ``(snippet,)``.
        distances: From the middle of each cell to the start and the end of the forged
            segment that holds it, in cells, shape ``(snippet, 2)``. Without them, segments
            end at the edges of cells.
        grid: Where the snippets lie in time.
        end_s: Where the clip ends, in seconds.
        config: Thresholds and the shortest segment.

    Returns:
        Segments in time order, of which two never touch, each with the highest score of its
        snippets: as the clip's score is the maximum over its snippets, the surest segment
        is as sure as the clip.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        FeatureError: There is not one pair of distances a snippet.
    """
    config = config or LocalizationConfig()
    scores = checked_scores(scores)
    runs = _open_runs(scores, config.onset, config.offset)
    spans = clipped(run_spans(runs, grid), grid, end_s)
    if distances is not None:
        proposed = regressed_spans(distances, grid, num_snippets=scores.size)
        spans = _refined(spans, runs, clipped(proposed, grid, end_s), scores)
    highest = np.array([scores[start:behind].max() for start, behind in runs.tolist()])
    is_long = long_enough(spans, config.min_segment_s)
    return _joined(spans[is_long], highest[is_long])


def _open_runs(scores: Scores, onset: float, offset: float) -> NDArray[np.int64]:
    """Return the runs of snippets during which a segment is open, shape ``(run, 2)``."""
    if offset > onset:
        raise ConfigError(
            f"offset {offset:g} must not be above onset {onset:g}: a segment would close as "
            "it opens; lower offset"
        )
    #   snippet    0     1     2     3     4          onset 0.7
    #   score     0.1   0.8   0.6   0.4   0.1         offset 0.3
    #   decides   shut  open   .     .    shut        "." is as the one before
    opens, shuts = scores >= onset, scores < offset
    decided = np.maximum.accumulate(np.where(opens | shuts, np.arange(scores.size), -1))
    return runs_of((decided >= 0) & opens[decided])


def _refined(spans: Spans, runs: NDArray[np.int64], proposed: Spans, scores: Scores) -> Spans:
    """Return the spans of runs with the ends that the snippets of each run vote for.

    Voters weigh as much as their scores. A median, not a mean: the cells at either end of a
    run are merely grazed by the forgery and never learned a distance, and a mean would
    follow them. The median start is not after the median end, because no voter's is.
    """
    refined = spans.copy()
    for index, (start, behind) in enumerate(runs.tolist()):
        votes, weights = proposed[start:behind], scores[start:behind]
        has_length = long_enough(votes, 0.0)
        if has_length.any():
            ends = [_weighted_median(votes[has_length, k], weights[has_length]) for k in (0, 1)]
            refined[index] = ends
    return refined


def _weighted_median(values: NDArray[np.float64], weights: Scores) -> float:
    """Return the smallest value at or below which half of all weight lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _joined(spans: Spans, scores: Scores) -> list[tuple[Segment, float]]:
    """Return segments in time order; those whose votes made them meet are one forgery."""
    parts = [
        (Segment(*span), score) for span, score in zip(spans.tolist(), scores.tolist(), strict=True)
    ]
    return [
        (whole, max(score for member, score in parts if overlap_s(whole, member) > 0))
        for whole in merge(member for member, _ in parts)
    ]
