"""Scores and truth a snippet instead of a clip, so that the same measures apply to either.

One score a clip is what a verdict rests on. One a snippet also says whether a detector knows
when: a clip that is called fake for the wrong moment is right by clip and wrong by snippet.
Snippets of one clip are alike, so intervals must be drawn over clips or people, never over
snippets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmmsba_plugin.evaluation.metrics.detection import Flags, Scores
from mmmsba_plugin.schema import Curves
from mmmsba_plugin.segment import Segment, clip
from mmmsba_plugin.timebase import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Snippets:
    """Scores and labels of snippets; those without a score are left out.

    Attributes:
        scores: P(fake) of each, in [0, 1], float64, shape ``(snippet,)``.
        fake: Whether any forged time lies in its cell, shape ``(snippet,)``.
    """

    scores: Scores
    fake: Flags

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"Snippets({len(self)}, {int(self.fake.sum())} forged)"


def snippets_of(curves: Curves, truth: Sequence[Segment]) -> Snippets:
    """Return the snippets of one clip.

    Args:
        curves: The clip's scores along time, as its report has them.
        truth: Its fake segments in any order, in seconds; the whole of a clip may be given
            as a segment that reaches beyond it.

    Example:
        >>> curves = Curves(start_s=0.0, stride_s=0.2, score=(0.1, 0.8, None, 0.3))
        >>> found = snippets_of(curves, [Segment(0.3, 0.5)])
        >>> found.scores.tolist(), found.fake.tolist()
        ([0.1, 0.8, 0.3], [False, True, False])

    Source:
        A sequence is fake if any of it is, as the labels of MMMS-BA are made.
    """
    # None, where a snippet could not be evaluated, becomes NaN.
    scores = np.array(curves.score, dtype=np.float64)
    has_score = ~np.isnan(scores)
    fake = _fake(truth, Grid(curves.start_s, curves.stride_s), len(scores))
    return Snippets(scores[has_score], fake[has_score])


def together(parts: Iterable[Snippets]) -> Snippets:
    """Return the snippets of many clips as one row.

    Example:
        >>> one = Snippets(np.array([0.2]), np.array([False]))
        >>> together([one, one])
        Snippets(2, 0 forged)
    """
    clips = list(parts)
    return Snippets(
        np.concatenate([clip_snippets.scores for clip_snippets in clips] or [np.zeros(0)]),
        np.concatenate(
            [clip_snippets.fake for clip_snippets in clips] or [np.zeros(0, dtype=np.bool_)]
        ),
    )


def _fake(truth: Sequence[Segment], grid: Grid, num_snippets: int) -> Flags:
    """Label the snippets that share time with a fake segment, shape ``(snippet,)``."""
    fake = np.zeros(num_snippets, dtype=np.bool_)
    if not num_snippets:
        return fake
    covered = Segment(grid.start_s, grid.cell(num_snippets)[0])
    for true_segment in truth:
        if segment := clip(true_segment, covered):
            cells = grid.overlapping(segment.start_s, segment.end_s)
            fake[cells.start : cells.stop] = True
    return fake
