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


def localize(
    scores: NDArray[np.floating],
    distances: NDArray[np.floating] | None,
    grid: Grid,
    *,
    end_s: float,
    config: LocalizationConfig | None = None,
) -> list[tuple[Segment, float]]:
    """Turn scores into the fake segments of a clip, each with its score.

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

    Example:
        >>> scores = np.array([0.1, 0.8, 0.6, 0.4, 0.1])
        >>> config = LocalizationConfig(onset=0.7, offset=0.3)
        >>> localize(scores, None, Grid(stride_s=0.5), end_s=2.5, config=config)
        [(Segment(start_s=0.5, end_s=2.0), 0.8)]

    Source:
        Hysteresis thresholding, as in pyannote.audio ``utils/signal.py``.
    """
    config = config or LocalizationConfig()
    scores = checked_scores(scores)
    #   snippet    0     1     2     3     4          onset 0.7
    #   score     0.1   0.8   0.6   0.4   0.1         offset 0.3
    #   decides   shut  open   .     .    shut        "." is as the one before
    opens, shuts = scores >= config.onset, scores < config.offset
    decided = np.maximum.accumulate(np.where(opens | shuts, np.arange(scores.size), -1))
    runs = runs_of((decided >= 0) & opens[decided])
    spans = clipped(run_spans(runs, grid), grid, end_s)
    if distances is not None:
        proposed = regressed_spans(distances, grid, num_snippets=scores.size)
        spans = _refined(spans, runs, clipped(proposed, grid, end_s), scores)
    segments = [
        (Segment(*span), float(scores[start:behind].max()))
        for span, (start, behind), is_long in zip(
            spans.tolist(), runs.tolist(), long_enough(spans, config.min_segment_s), strict=True
        )
        if is_long
    ]
    # Those whose votes made them meet are one manipulation.
    return [
        (whole, max(score for segment, score in segments if overlap_s(whole, segment) > 0))
        for whole in merge(segment for segment, _ in segments)
    ]


def _refined(spans: Spans, runs: NDArray[np.int64], proposed: Spans, scores: Scores) -> Spans:
    """Return the spans of runs with the ends that the snippets of each run vote for.

    Voters weigh as much as their scores. A median, not a mean: the cells at either end of a
    run are merely grazed by the manipulation and never learned a distance, and a mean would
    follow them. The median start is not after the median end, because no voter's is.
    """
    refined = spans.copy()
    for index, (start, behind) in enumerate(runs.tolist()):
        has_length = long_enough(proposed[start:behind], 0.0)
        if has_length.any():
            votes, weights = proposed[start:behind][has_length], scores[start:behind][has_length]
            order = votes.argsort(axis=0, kind="stable")
            # The first at or below which half of all weight lies.
            reached = weights[order].cumsum(axis=0)
            median = (reached >= reached[-1] / 2).argmax(axis=0)
            refined[index] = votes[order[median, [0, 1]], [0, 1]]
    return refined
