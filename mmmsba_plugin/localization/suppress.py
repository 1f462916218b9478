"""Keeps the best of many proposals that mean the same segment.

The paper says non-maximum suppression and cites Soft-NMS, so that is what is done unless
asked otherwise. Both kinds give the same answer whatever the order of the proposals: equal
scores are ranked by start, then by end.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.segment import Spans, tiou_table

Scores = NDArray[np.float64]


def suppress(spans: Spans, scores: Scores, config: LocalizationConfig) -> tuple[Spans, Scores]:
    """Return the proposals that survive the suppression that ``config`` asks for, best first.

    Args:
        spans: Start and end in seconds, shape ``(proposal, 2)``.
        scores: In [0, 1], shape ``(proposal,)``.
        config: Kind of suppression, its constants, and how many to keep.
    """
    if config.suppression == "soft":
        return soft_nms(
            spans,
            scores,
            sigma=config.sigma,
            min_score=config.min_score,
            max_proposals=config.max_proposals,
        )
    spans, scores = nms(spans, scores, tiou=config.tiou)
    chosen = np.flatnonzero(scores >= config.min_score)[: config.max_proposals]
    return spans[chosen], scores[chosen]


def soft_nms(
    spans: Spans,
    scores: Scores,
    *,
    sigma: float = 0.5,
    min_score: float = 1e-3,
    max_proposals: int = 100,
) -> tuple[Spans, Scores]:
    """Return proposals best first, each weakened by better ones that it overlaps.

    Args:
        spans: Start and end in seconds, shape ``(proposal, 2)``.
        scores: Shape ``(proposal,)``.
        sigma: Width of the Gaussian: a proposal loses the factor ``exp(-tIoU² / sigma)`` to
            each better one. The larger, the milder.
        min_score: What has faded below it is dropped.
        max_proposals: How many to keep at most.

    Returns:
        Spans and their faded scores, which never rise from one to the next.

    Example:
        >>> spans = np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 3.0]])
        >>> soft_nms(spans, np.array([0.9, 0.8, 0.7]))[1].round(3).tolist()
        [0.9, 0.7, 0.108]

    Source:
        Bodla et al., "Soft-NMS", ICCV 2017, the Gaussian form, in one dimension.
    """
    spans, scores = _ranked(spans, scores)
    kept_spans: list[Spans] = []
    kept_scores: list[float] = []
    while scores.size and len(kept_scores) < max_proposals:
        best = int(scores.argmax())
        if scores[best] < min_score:
            break
        kept_spans.append(spans[best])
        kept_scores.append(float(scores[best]))
        overlaps = tiou_table(spans, spans[best : best + 1])[:, 0]
        scores = scores * np.exp(-(overlaps**2) / sigma)
        scores[best] = -math.inf
    return np.array(kept_spans).reshape(-1, 2), np.array(kept_scores, dtype=np.float64)


def nms(spans: Spans, scores: Scores, *, tiou: float = 0.5) -> tuple[Spans, Scores]:
    """Return proposals best first, without those that overlap a better one too much.

    Args:
        spans: Start and end in seconds, shape ``(proposal, 2)``.
        scores: Shape ``(proposal,)``.
        tiou: A proposal goes if it overlaps one that is kept by more than this.
    """
    spans, scores = _ranked(spans, scores)
    alive = np.ones(len(scores), dtype=np.bool_)
    survivors = []
    for index in range(len(scores)):
        if alive[index]:
            survivors.append(index)
            alive &= tiou_table(spans, spans[index : index + 1])[:, 0] <= tiou
    return spans[survivors], scores[survivors]


def _ranked(spans: Spans, scores: Scores) -> tuple[Spans, Scores]:
    """Return proposals by falling score, then start, then end."""
    spans = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
    scores = np.asarray(scores, dtype=np.float64)
    order = np.lexsort((spans[:, 1], spans[:, 0], -scores))
    return spans[order], scores[order]
