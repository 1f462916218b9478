"""Pairing of predicted with true segments, for error views: hit, false alarm or miss.

For a person who goes through errors one by one. Figures are computed from ranked proposals
instead, in :mod:`mmmsba_plugin.evaluation.metrics.localization`.
"""

from collections.abc import Sequence

from mmmsba_plugin.segment import Segment, as_spans, tiou_table


def pair(
    predicted: Sequence[Segment],
    scores: Sequence[float],
    ground_truth: Sequence[Segment],
    *,
    tiou: float,
) -> list[int | None]:
    """Match each predicted segment with a true one; None for a false alarm.

    The best scored one chooses first, the truth it overlaps most; a truth is found once.

    Args:
        predicted: What a system reports of one clip.
        scores: How sure it is, one a segment.
        ground_truth: What is true of the clip.
        tiou: Overlap over union from which two are the same, in (0, 1].

    Example:
        >>> found = [Segment(0.0, 1.0), Segment(0.1, 1.0), Segment(5.0, 6.0)]
        >>> pair(found, [0.9, 0.8, 0.7], [Segment(0.0, 1.1)], tiou=0.5)
        [0, None, None]
    """
    table = tiou_table(as_spans(predicted), as_spans(ground_truth))
    chosen: list[int | None] = [None] * len(predicted)
    free = set(range(len(ground_truth)))
    for row in sorted(range(len(predicted)), key=lambda index: -scores[index]):
        best = max(free, key=lambda truth: table[row, truth], default=None)
        if best is not None and table[row, best] >= tiou:
            chosen[row] = best
            free.discard(best)
    return chosen
