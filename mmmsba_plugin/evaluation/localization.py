"""How well forged stretches were found: average precision and average recall.

This is the mathematically right form, in float64: all-point interpolation from recall zero
on, tIoU at or above the threshold, each truth found once. Published numbers of this field
come from evaluators that differ in each of these points, so they are close but not equal.

No tolerance is added to tIoU: ``[0.1, 0.3)`` covers half of ``[0.1, 0.5)`` on paper and one
rounding less in float64, so it misses a threshold of 0.5.
"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError, SegmentError
from mmmsba_plugin.segment import Spans, tiou_rows

Key = TypeVar("Key", bound=Hashable)

Scores = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]

#: The thresholds that recall is averaged over, as ActivityNet does: 0.5 to 0.95 by 0.05.
TIOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))

#: Proposals handled at once: keeps the tables of overlap below some 100 MB.
_BLOCK_PROPOSALS = 500_000


def average_precision(
    predictions: Mapping[Key, tuple[Spans, Scores]],
    truths: Mapping[Key, Spans],
    *,
    tiou: float,
) -> float:
    """Return the area under the precision-recall curve of all clips together.

    Proposals of all clips are ranked by score. Each in turn finds, among the truths of its
    clip that are still free, the one it overlaps most, and is right if that tIoU reaches the
    threshold. Precision at a recall is the best precision at that recall or a higher one.

    Args:
        predictions: For each clip, spans of shape ``(proposal, 2)`` in seconds and their
            scores of shape ``(proposal,)``, in any order. Equal scores rank in the order of
            the mapping and of the rows. A clip without proposals may be left out.
        truths: For each clip, its forged stretches, shape ``(truth, 2)`` in seconds; an
            empty one for a genuine clip, whose proposals are all false alarms. A stretch
            without length cannot be found.
        tiou: Overlap from which a truth counts as found, in (0, 1].

    Returns:
        A number in [0, 1]; NaN where there is no truth to find.

    Raises:
        ConfigError: The threshold lies outside (0, 1].
        DatasetError: A clip has proposals but no entry in ``truths``, or shapes disagree.
        ScoreRangeError: A score is NaN.
        SegmentError: A span has an end that is not finite.

    Example:
        >>> import numpy as np
        >>> truths = {"a": np.array([[1.0, 2.0]]), "b": np.zeros((0, 2))}
        >>> spans = np.array([[5.0, 6.0], [1.0, 2.1]])
        >>> average_precision({"a": (spans, np.array([0.4, 0.9]))}, truths, tiou=0.5)
        1.0

    Source:
        Interpolation over all points as in PASCAL VOC 2010; matching as in ActivityNet's
        detection evaluation.
    """
    _check_tiou(tiou)
    num_truths = sum(len(spans) for spans in truths.values())
    if not num_truths:
        return math.nan
    blocks = list(_blocks(predictions, truths))
    scores = np.concatenate([b.scores for b in blocks] or [np.zeros(0)])
    right = np.concatenate([_match(b, tiou) for b in blocks] or [np.zeros(0, dtype=np.bool_)])
    return _area(right[_descending(scores)], num_truths)


def average_recall(
    predictions: Mapping[Key, tuple[Spans, Scores]],
    truths: Mapping[Key, Spans],
    *,
    num_proposals: int,
    tious: Sequence[float] = TIOUS,
) -> float:
    """Return the share of truths that the best proposals of a clip find, averaged over tIoU.

    A truth counts as found if any of its clip's ``num_proposals`` best reaches the
    threshold; one proposal may find several. Genuine clips do not matter.

    Args:
        predictions: As for :func:`average_precision`. Equal scores rank in the order of the
            rows.
        truths: As for :func:`average_precision`.
        num_proposals: How many proposals of each clip count, at least 1.
        tious: Thresholds to average over, each in (0, 1].

    Returns:
        A number in [0, 1] that never falls as ``num_proposals`` grows; NaN where there is
        no truth to find.

    Raises:
        ConfigError: No proposals or thresholds are asked for, or one is out of bounds.
        DatasetError, ScoreRangeError, SegmentError: As for :func:`average_precision`.
    """
    if num_proposals < 1 or not tious:
        raise ConfigError(
            f"average recall needs at least one proposal and one tIoU, got {num_proposals=} and "
            f"{len(tious)} thresholds; AR@100 is num_proposals=100"
        )
    for threshold in tious:
        _check_tiou(threshold)
    num_truths = sum(len(spans) for spans in truths.values())
    if not num_truths:
        return math.nan
    best = np.concatenate(
        [_best_tiou(b, num_proposals) for b in _blocks(predictions, truths)] or [np.zeros(0)]
    )
    found = np.sort(best)
    num_found = len(found) - np.searchsorted(found, np.asarray(tious, dtype=np.float64))
    return float(np.mean(num_found / num_truths))


def _check_tiou(tiou: float) -> None:
    if not 0.0 < tiou <= 1.0:
        raise ConfigError(f"a tIoU threshold must lie in (0, 1], got {tiou}; the field uses 0.5")


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some clips laid end to end, so that they are worked on at once.

    Attributes:
        scores: Of all their proposals, shape ``(proposal,)``.
        num_truths: How many truths they have in all.
        clip: Which clip a pair belongs to, shape ``(pair,)``, not falling.
        proposal: Row of a pair's proposal in ``scores``, shape ``(pair,)``.
        rank: Place of a pair's proposal within its clip, 0 for the best, shape ``(pair,)``.
        truth: Number of a pair's truth, shape ``(pair,)``.
        tiou: Of a pair's proposal and truth, above 0, shape ``(pair,)``.
    """

    scores: Scores
    num_truths: int
    clip: _Ints
    proposal: _Ints
    rank: _Ints
    truth: _Ints
    tiou: NDArray[np.float64]


def _blocks(
    predictions: Mapping[Key, tuple[Spans, Scores]], truths: Mapping[Key, Spans]
) -> Iterator[_Block]:
    """Yield clips in the order of ``predictions``, many at a time."""
    keys: list[Key] = []
    num_proposals = 0
    for key, (spans, scores) in predictions.items():
        _check_clip(key, spans, scores, truths)
        keys.append(key)
        num_proposals += len(scores)
        if num_proposals >= _BLOCK_PROPOSALS:
            yield _lay_out(keys, predictions, truths)
            keys, num_proposals = [], 0
    if keys:
        yield _lay_out(keys, predictions, truths)


def _check_clip(key: Key, spans: Spans, scores: Scores, truths: Mapping[Key, Spans]) -> None:
    if key not in truths:
        raise DatasetError(
            f"clip {key!r} has proposals but no truth; a genuine clip needs an empty one, and "
            "other clips must be left out of the predictions"
        )
    if np.shape(spans) != (len(scores), 2) or np.shape(truths[key])[1:] != (2,):
        raise DatasetError(
            f"clip {key!r} needs spans of shape (proposal, 2) with a score each and truth of shape "
            f"(truth, 2), got {np.shape(spans)}, {np.shape(scores)} and {np.shape(truths[key])}"
        )


def _lay_out(
    keys: Sequence[Key],
    predictions: Mapping[Key, tuple[Spans, Scores]],
    truths: Mapping[Key, Spans],
) -> _Block:
    spans = np.concatenate([np.asarray(predictions[k][0], dtype=np.float64) for k in keys])
    scores = np.concatenate([np.asarray(predictions[k][1], dtype=np.float64) for k in keys])
    truth_spans = np.concatenate([np.asarray(truths[k], dtype=np.float64) for k in keys])
    _check_numbers(spans, scores, truth_spans)
    num_proposals = np.array([len(predictions[k][1]) for k in keys])
    num_truths = np.array([len(truths[k]) for k in keys])

    clip = np.repeat(np.arange(len(keys)), num_proposals)
    proposal, truth = _pairs(clip, num_truths)
    tiou = tiou_rows(spans[proposal], truth_spans[truth])
    meet = np.flatnonzero(tiou > 0)
    proposal, truth = proposal[meet], truth[meet]
    return _Block(
        scores=scores,
        num_truths=len(truth_spans),
        clip=clip[proposal],
        proposal=proposal,
        rank=_ranks(scores, clip, num_proposals)[proposal],
        truth=truth,
        tiou=tiou[meet],
    )


def _pairs(clip: _Ints, num_truths: _Ints) -> tuple[_Ints, _Ints]:
    """Return the numbers of proposal and truth of all pairs within one clip.

    Args:
        clip: Which clip each proposal belongs to, shape ``(proposal,)``.
        num_truths: How many truths each clip has, shape ``(clip,)``.
    """
    num_partners = num_truths[clip]
    proposal = np.repeat(np.arange(len(clip)), num_partners)
    first_truth = np.cumsum(num_truths) - num_truths
    return proposal, np.repeat(first_truth[clip], num_partners) + _count_up(num_partners)


def _check_numbers(spans: Spans, scores: Scores, truth_spans: Spans) -> None:
    if np.isnan(scores).any():
        raise ScoreRangeError("a proposal has the score NaN, which has no rank; drop it or score 0")
    if not (np.isfinite(spans).all() and np.isfinite(truth_spans).all()):
        raise SegmentError("a span has an end that is NaN or infinite; clip it to its media")


def _descending(scores: Scores) -> _Ints:
    """Return the order from the highest score; equal ones stay as they were."""
    return np.argsort(-scores, kind="stable")


def _count_up(lengths: _Ints) -> _Ints:
    """Return 0, 1, … for each length, end to end."""
    total = int(lengths.sum())
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _ranks(scores: Scores, clip: _Ints, num_proposals: _Ints) -> _Ints:
    """Return each proposal's place within its clip, 0 for the best, shape ``(proposal,)``."""
    order = np.lexsort((-scores, clip))
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[order] = _count_up(num_proposals)
    return ranks


def _match(block: _Block, tiou: float) -> _Bools:
    """Return which proposals are right, shape ``(proposal,)``.

    Truths are only shared within a clip, so the best pair left of every clip can be settled
    at once. That takes as many rounds as a clip has truths, and few have more than three.
    """
    right = np.zeros(len(block.scores), dtype=np.bool_)
    pairs = np.flatnonzero(block.tiou >= tiou)
    pairs = pairs[np.lexsort((-block.tiou[pairs], block.rank[pairs], block.clip[pairs]))]
    taken = np.zeros(block.num_truths, dtype=np.bool_)
    while len(pairs):
        clip = block.clip[pairs]
        best = pairs[np.flatnonzero(np.diff(clip, prepend=-1))]
        right[block.proposal[best]] = True
        taken[block.truth[best]] = True
        pairs = pairs[~right[block.proposal[pairs]] & ~taken[block.truth[pairs]]]
    return right


def _area(right: _Bools, num_truths: int) -> float:
    """Return the area under interpolated precision, for proposals in order of rank."""
    num_right = np.cumsum(right)
    precision = num_right / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    # Recall rises by one truth at each right proposal, the first one included.
    return float(best_from_here[right].sum() / num_truths)


def _best_tiou(block: _Block, num_proposals: int) -> NDArray[np.float64]:
    """Return the best tIoU that each truth meets among the first proposals, shape ``(truth,)``."""
    best = np.zeros(block.num_truths)
    counted = block.rank < num_proposals
    np.maximum.at(best, block.truth[counted], block.tiou[counted])
    return best
