"""Rules of localization in the mathematically right form, in float64.

Each proposal, from the highest score down, finds the free truth that it overlaps most. The
area is that of all-point interpolation from recall zero on.
"""

import numpy as np

from mmmsba_plugin.errors import SegmentError
from mmmsba_plugin.evaluation.metrics.matching import Bools, Floats, Ints, Pairs
from mmmsba_plugin.evaluation.tables import Offsets, Scores, SpanTable
from mmmsba_plugin.segment import Spans, tiou_rows

#: What tIoU is rounded to, and compared in. Times are read from decimals, so that an overlap
#: of one half on paper can be one rounding less here. Two overlaps of times in whole
#: milliseconds that differ on paper differ by more than 1e-9 if unions are below 30 s, and
#: one differs by more from any threshold in steps of 0.05 if they are below 50 000 s.
_DECIMALS = 9


def times(table: SpanTable) -> Spans:
    """Return the spans as they are.

    Raises:
        SegmentError: An end is NaN or infinite.
    """
    if not np.isfinite(table.spans).all():
        raise SegmentError("a span has an end that is NaN or infinite; clip it to its media")
    return table.spans


def tiou(a: Floats, b: Floats) -> Floats:
    """Return tIoU of spans in the same place, both of shape ``(pair, 2)``."""
    tious = tiou_rows(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    return np.round(tious, _DECIMALS)


def reaching(tiou: Floats, threshold: float) -> Bools:
    """Return whether overlaps are at or above a threshold; none at all is never enough."""
    return np.asarray((tiou >= round(threshold, _DECIMALS)) & (tiou > 0))


def ranks(scores: Scores, offsets: Offsets, rows: Ints, clips: Ints) -> Ints:
    """Return the places of some rows within their clips by score; equal ones keep their order."""
    starts = np.zeros(len(scores) + 1, dtype=np.bool_)
    starts[offsets] = True
    # Where no score is higher than the one before it in its clip, rows are places already.
    if not starts[1:-1][scores[1:] > scores[:-1]].all():
        clip_of_row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        rows = np.argsort(np.lexsort((-scores, clip_of_row)))[rows]
    return rows - offsets[clips]


def in_line(pairs: Pairs) -> Pairs:
    """Return pairs by clip, then the proposal's rank, then the highest tIoU."""
    return pairs[np.lexsort((-pairs.tiou, pairs.rank, pairs.clip))]


def best_first(scores: Scores) -> Ints:
    """Return all rows from the highest score down; equal ones keep their order."""
    return np.argsort(-scores, kind="stable")


def area(places: Ints, num_rows: int, num_ground_truth: int) -> float:
    """Return the area under interpolated precision, all of it.

    Source:
        PASCAL VOC 2010, interpolation over all points.
    """
    return area_of_draw(places + 1, np.ones_like(places), num_ground_truth)


def area_of_draw(num_seen: Ints, copies: Ints, num_ground_truth: int) -> float:
    """Return the same where a row can stand for several.

    Precision rises over a run of copies that are all right, so the best one of each of them is
    at least that of the last, which is what is computed.
    """
    precision = np.cumsum(copies) / num_seen
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    # Recall rises by one truth at each right proposal, the first one included.
    return float((best_from_here * copies).sum() / num_ground_truth)


def mean_recall(num_found: Ints, num_ground_truth: int) -> float:
    """Return the mean share of truths that are found."""
    return float(np.mean(num_found / num_ground_truth))
