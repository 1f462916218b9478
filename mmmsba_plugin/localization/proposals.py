"""Turns scores and distances into ranked candidates for fake segments.

Candidates serve evaluation: many, overlapping, down to low scores, because precision and
recall are measured over all thresholds. What people see is made in
:mod:`mmmsba_plugin.localization.binarize`.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import FeatureError, ScoreRangeError
from mmmsba_plugin.localization.suppress import Scores, suppress
from mmmsba_plugin.segment import Spans
from mmmsba_plugin.timebase import EDGE_TOLERANCE, Grid

#: Without distances, runs are cut at these shares of the clip's own highest score. Relative,
#: because ranking must work for a clip whose scores are all low, too.
_LEVELS = np.arange(1, 10) / 10


def propose(
    scores: NDArray[np.floating],
    distances: NDArray[np.floating] | None,
    grid: Grid,
    *,
    end_s: float,
    config: LocalizationConfig | None = None,
) -> tuple[Spans, Scores]:
    """Return candidates for fake segments, before any is suppressed.

    With distances, each snippet proposes the segment that it sees itself in, at its own
    score. Without, the runs of cells at or above several levels are proposed, each at the
    mean score of its cells; the levels are tenths of the clip's highest score, and a run
    that several levels agree on is proposed once.

    Args:
        scores: P(fake) of each snippet, in [0, 1], shape ``(snippet,)``.
        distances: From the middle of each cell to the start and the end of the forged
            segment that holds it, in cells, shape ``(snippet, 2)``; or None.
        grid: Where the snippets lie in time.
        end_s: Where the clip ends, in seconds; candidates are clipped to it.
        config: Candidates shorter than ``min_segment_s`` or below ``min_score`` are
            dropped. With ``min_score`` 0.5 this is the paper's literal reading: only
            snippets that are classified fake propose.

    Returns:
        Start and end in seconds, shape ``(proposal, 2)``, and scores, shape ``(proposal,)``,
        in order of time of the snippets.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        FeatureError: There is not one pair of distances a snippet.
    """
    config = config or LocalizationConfig()
    of_snippets = checked_scores(scores)
    if distances is None:
        levels = _LEVELS * of_snippets.max(initial=0.0)
        # Positive ones alone: in a clip that is surely real, all reach the level of nothing.
        level_runs = [runs_of((of_snippets >= level) & (of_snippets > 0)) for level in levels]
        runs = np.unique(np.concatenate(level_runs), axis=0)
        spans = run_spans(runs, grid)
        ranks = np.array([of_snippets[start:behind].mean() for start, behind in runs.tolist()])
    else:
        spans = regressed_spans(distances, grid, num_snippets=of_snippets.size)
        ranks = of_snippets
    spans = clipped(spans, grid, end_s)
    is_usable = long_enough(spans, config.min_segment_s) & (ranks >= config.min_score)
    return spans[is_usable], ranks[is_usable]


def ranked_proposals(
    scores: NDArray[np.floating],
    distances: NDArray[np.floating] | None,
    grid: Grid,
    *,
    end_s: float,
    config: LocalizationConfig | None = None,
) -> tuple[Spans, Scores]:
    """Return :func:`propose`'s candidates after suppression, best first."""
    config = config or LocalizationConfig()
    return suppress(*propose(scores, distances, grid, end_s=end_s, config=config), config)


def checked_scores(scores: NDArray[np.floating]) -> Scores:
    """Return scores as float64.

    Raises:
        ScoreRangeError: A score lies outside [0, 1], or is NaN.
    """
    checked = np.asarray(scores, dtype=np.float64)
    # Written so that NaN, which is neither above nor below, is caught too.
    if (wrong := checked[~((checked >= 0) & (checked <= 1))]).size:
        raise ScoreRangeError(
            f"scores must lie in [0, 1], got {wrong[0]:g}; are these logits? "
            "Pass them through a softmax first"
        )
    return checked


def regressed_spans(distances: NDArray[np.floating], grid: Grid, *, num_snippets: int) -> Spans:
    """Return the segment that each snippet sees itself in, shape ``(snippet, 2)``.

    Args:
        distances: To start and end, in cells, shape ``(snippet, 2)``.
        grid: Where the snippets lie in time.
        num_snippets: How many there must be.

    Raises:
        FeatureError: There is not one pair of distances a snippet, or one is negative or
            not finite.
    """
    cells = np.asarray(distances, dtype=np.float64)
    possible = np.isfinite(cells) & (cells >= 0)
    if cells.shape != (num_snippets, 2) or not possible.all():
        raise FeatureError(
            f"distances must be finite, not negative, and of shape ({num_snippets}, 2), as there "
            f"are {num_snippets} scores; got shape {cells.shape}. Pass None if the model has no "
            "boundary head"
        )
    centers_s = grid.centers_s(num_snippets)
    to_start_s, to_end_s = grid.cells_to_s(cells).T
    return np.stack([centers_s - to_start_s, centers_s + to_end_s], axis=1)


def clipped(spans: Spans, grid: Grid, end_s: float) -> Spans:
    """Return spans cut to the clip, which is from the grid's start to ``end_s``."""
    return np.clip(spans, grid.start_s, max(grid.start_s, end_s))


def long_enough(spans: Spans, min_duration_s: float) -> NDArray[np.bool_]:
    """Select spans that have a length, and at least that one, shape ``(span,)``.

    A span of exactly that length stays, though its ends were rounded.
    """
    durations_s = spans[:, 1] - spans[:, 0]
    return (durations_s > 0) & (durations_s >= min_duration_s * (1 - EDGE_TOLERANCE))


def runs_of(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find runs of True: start and end (the index behind), shape ``(run, 2)``.

    Example:
        >>> runs_of(np.array([True, True, False, True])).tolist()
        [[0, 2], [3, 4]]
    """
    padded = np.concatenate([[False], flags, [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def run_spans(runs: NDArray[np.int64], grid: Grid) -> Spans:
    """Return the segments that runs of cells cover, shape ``(run, 2)``, in seconds."""
    edges = [(grid.cell(start)[0], grid.cell(behind - 1)[1]) for start, behind in runs.tolist()]
    return np.array(edges, dtype=np.float64).reshape(-1, 2)
