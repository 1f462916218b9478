"""Rules of localization as AV-Deepfake1M's own evaluator has them, to the last bit.

Numbers are only comparable with published ones if they are computed alike, and what is
published for LAV-DF and AV-Deepfake1M comes from two programs of one algorithm. Where it
differs from the textbook, and therefore from :mod:`mmmsba_plugin.evaluation.metrics.voc`:

- tIoU must exceed the threshold, not just reach it, and is computed in float32. With times of
  two decimals that alone moves AP@0.95 by up to 0.005.
- Each truth, in the order of its list, takes the first proposal in the order of its rows that
  is not taken yet and overlaps enough. Scores do not matter within a clip.
- The strip between recall zero and the first proposal of the ranking is left out of the area:
  if that proposal is right, one truth's worth of AP is missing. A perfect detector of four
  truths scores 0.75.
- The N proposals of AR@N are the first N rows of a clip, whatever their scores.

The sum of the area is formed in float32 in the order in which that program forms it, eight
sums side by side, since AP of millions of proposals depends on it from the fifth digit on.
What it cannot take, such as a clip without proposals, is defined here and documented in
:mod:`mmmsba_plugin.evaluation.metrics.localization`.

Source:
    Observed behaviour of ``avdeepfake1m`` 0.0.4 (the evaluation of the 1M-Deepfakes Detection
    Challenge; Cai et al., "AV-Deepfake1M", 2024), which the tests run beside this.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.evaluation.metrics import voc
from mmmsba_plugin.evaluation.metrics.matching import Bools, Floats, Ints, Pairs
from mmmsba_plugin.evaluation.tables import Offsets, Scores, SpanTable

_Singles = NDArray[np.float32]

#: Sums that are formed side by side.
_LANES = 8


def times(table: SpanTable) -> _Singles:
    """Return the spans in float32; what is too large for it becomes infinite."""
    return _single(table.spans)


def tiou(a: Floats, b: Floats) -> Floats:
    """Return tIoU of spans in the same place, both of shape ``(pair, 2)``.

    It is NaN, and no match, where nothing lies between the outer ends.
    """
    shared_s = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    between_s = np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.maximum(shared_s, np.float32(0)) / between_s)


def reaching(tiou: Floats, threshold: float) -> Bools:
    """Return whether overlaps are above a threshold."""
    return np.asarray(tiou > np.float32(threshold))


def ranks(scores: Scores, offsets: Offsets, rows: Ints, clips: Ints) -> Ints:
    """Return the places of some rows within their clips as they are written."""
    return rows - offsets[clips]


def in_line(pairs: Pairs) -> Pairs:
    """Return pairs by clip, then truth, then row, which is how they come."""
    return pairs


def best_first(scores: Scores) -> Ints:
    """Return all rows from the highest score in float32 down; equal ones keep their order.

    Score and row are sorted as one integer, which is five times as fast as a stable sort of
    scores: the upper half is the score, as bits that rise as it falls.
    """
    # Zero less a score, and not its negative, so that 0.0 and -0.0 are one.
    falling = (np.float32(0) - _single(scores)).view(np.uint32)
    negative = falling >> np.uint32(31) == 1
    falling ^= np.where(negative, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    packed = falling.astype(np.uint64) << np.uint64(32)
    packed |= np.arange(len(scores), dtype=np.uint64)
    packed.sort()
    packed &= np.uint64(0xFFFFFFFF)
    return packed.astype(np.int64)


def area(places: Ints, num_rows: int, num_ground_truth: int) -> float:
    """Return the area under interpolated precision in float32, but for its first strip."""
    num_hits = np.arange(1, len(places) + 1)
    precision = num_hits.astype(np.float32) / (places + 1).astype(np.float32)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    recall = num_hits.astype(np.float32) / np.float32(num_ground_truth)
    strips = np.diff(recall, prepend=np.float32(0)) * best_from_here
    above_zero = places > 0
    return _sum_in_lanes(strips[above_zero][::-1], (num_rows - places[above_zero])[::-1], num_rows)


def area_of_draw(num_seen: Ints, copies: Ints, num_ground_truth: int) -> float:
    """Return the same where a row can stand for several, in float64."""
    whole = voc.area_of_draw(num_seen, copies, num_ground_truth)
    if not len(num_seen) or num_seen[0] > copies[0]:
        return whole
    # Of the first proposal's copies, one is the first of the ranking.
    precision = np.cumsum(copies) / num_seen
    return whole - float(precision.max()) / num_ground_truth


def mean_recall(num_found: Ints, num_ground_truth: int) -> float:
    """Return the mean share of truths that are found, summed in float32 one by one."""
    recalls = num_found.astype(np.float32) / np.float32(num_ground_truth)
    return float(np.cumsum(recalls)[-1] / np.float32(len(recalls)))


def _single(values: NDArray[np.float64]) -> _Singles:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _sum_in_lanes(terms: _Singles, at: Ints, length: int) -> float:
    """Return the sum of an array that is zero but for a few terms.

    It is summed from its front in eight lanes, term ``i`` in lane ``i % 8``. Then lanes 0 and
    4, 1 and 5, and so on are added to the total, and last the few terms beyond the last full
    eight. Zeros change no sum, so they need not be there.

    Args:
        terms: Those that are not zero, in order.
        at: Where each stands, rising.
        length: How many terms there are in all, with the zeros.
    """
    in_lanes = at < length - length % _LANES
    # Sums are formed from front to back, which ``np.sum`` does not promise.
    zero = np.zeros(1, dtype=np.float32)
    lanes = [
        np.cumsum(np.append(zero, terms[in_lanes & (at % _LANES == lane)]), dtype=np.float32)[-1]
        for lane in range(_LANES)
    ]
    total = np.float32(0)
    for lane in range(_LANES // 2):
        total += lanes[lane] + lanes[lane + _LANES // 2]
    for term in terms[~in_lanes]:
        total += term
    return float(total)
