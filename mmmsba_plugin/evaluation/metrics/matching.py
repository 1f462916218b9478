"""Matching of proposals with ground truth, done once for a dataset.

Whatever the rules, each clip is settled greedily: its pairs of proposal and truth stand in
line, the first one is taken, all that share its proposal or its truth fall out, and so on.
Rules differ in how overlap is computed, in what counts as enough of it, and in the line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.evaluation.tables import Offsets, Scores, SpanTable, offsets_of, rows_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: Of whichever precision the rules ask for.
Floats = NDArray[np.floating[Any]]

#: Pairs looked at once: few enough to stay in the cache of a core.
BLOCK_PAIRS = 100_000


class Rules(Protocol):
    """One way to measure localization. A module with these functions is one."""

    def times(self, table: SpanTable) -> Floats:
        """Return spans in the precision that overlap is computed in, shape ``(row, 2)``."""

    def tiou(self, a: Floats, b: Floats) -> Floats:
        """Return tIoU of spans in the same place, both of shape ``(pair, 2)``."""

    def reaching(self, tiou: Floats, threshold: float) -> Bools:
        """Return whether overlaps are large enough."""

    def ranks(self, scores: Scores, offsets: Offsets, rows: Ints, clips: Ints) -> Ints:
        """Return the places of some rows within their clips, 0 for the best, shape ``(row,)``."""

    def in_line(self, pairs: "Pairs") -> "Pairs":
        """Return the pairs in the order in which each clip is settled; clips do not fall."""

    def best_first(self, scores: Scores) -> Ints:
        """Return all rows from the highest score down."""

    def area(self, places: Ints, num_rows: int, num_ground_truth: int) -> float:
        """Return average precision, given at which places of ``best_first`` rows are right."""

    def area_of_draw(self, num_seen: Ints, copies: Ints, num_ground_truth: int) -> float:
        """Return average precision where a row can stand for several.

        Args:
            num_seen: How many rows were seen up to each right one and its copies, rising.
            copies: For how many rows each right one stands, above 0.
            num_ground_truth: How many truths there are, above 0.
        """

    def mean_recall(self, num_found: Ints, num_ground_truth: int) -> float:
        """Return average recall, given how many truths are found at each threshold."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Proposals and truths of one clip that overlap, each array of shape ``(pair,)``.

    Attributes:
        clip: Which clip they belong to.
        row: The proposal's row in its table.
        rank: The proposal's place within its clip, 0 for the best.
        truth: The truth's row in its table.
        tiou: Of the two.
    """

    clip: Ints
    row: Ints
    rank: Ints
    truth: Ints
    tiou: Floats

    def __getitem__(self, which: Ints | Bools) -> "Pairs":
        return Pairs(
            self.clip[which], self.row[which], self.rank[which], self.truth[which], self.tiou[which]
        )

    def __len__(self) -> int:
        return len(self.tiou)


def overlapping(
    predictions: SpanTable, ground_truth: SpanTable, scores: Scores, rules: Rules, *, least: float
) -> Pairs:
    """Return the pairs whose tIoU reaches ``least``: by clip, then truth, then row.

    Args:
        predictions: Proposals, by the same clips as ``ground_truth``.
        ground_truth: Fake segments.
        scores: Of the proposals, shape ``(row,)``.
        rules: How overlap is computed, and what is enough.
        least: A tIoU.
    """
    clips = np.repeat(np.arange(len(ground_truth.keys)), ground_truth.counts)
    num_rows = predictions.counts[clips]
    times, truth_times = rules.times(predictions), rules.times(ground_truth)
    pairs = [(np.zeros((2, 0), dtype=np.int64), np.zeros(0, dtype=times.dtype))]
    for block in _blocks(num_rows):
        row = rows_of(predictions.offsets[clips[block]], num_rows[block])
        truth = np.repeat(np.arange(block.start, block.stop), num_rows[block])
        tiou = rules.tiou(times.take(row, axis=0), truth_times.take(truth, axis=0))
        enough = np.flatnonzero(rules.reaching(tiou, least))
        pairs.append((np.stack([row[enough], truth[enough]]), tiou[enough]))
    row, truth = np.concatenate([pair for pair, _ in pairs], axis=1)
    clip = clips[truth]
    rank = rules.ranks(scores, predictions.offsets, row, clip)
    return Pairs(clip, row, rank, truth, np.concatenate([tiou for _, tiou in pairs]))


def settle(pairs: Pairs, num_rows: int, num_ground_truth: int) -> Ints:
    """Return the rows that find a truth which none before them in line has found, rising.

    Truths are only shared within a clip, so the first pair left of every clip can be taken at
    once. That takes as many rounds as a clip has truths, and few have more than three.
    """
    right = np.zeros(num_rows, dtype=np.bool_)
    is_matched = np.zeros(num_ground_truth, dtype=np.bool_)
    clip, row, truth = pairs.clip, pairs.row, pairs.truth
    while len(clip):
        first = np.flatnonzero(np.diff(clip, prepend=-1))
        right[row[first]] = True
        is_matched[truth[first]] = True
        left = np.flatnonzero(~right[row] & ~is_matched[truth])
        clip, row, truth = clip[left], row[left], truth[left]
    return np.flatnonzero(right)


def best_of_each_truth(pairs: Pairs, num_ground_truth: int) -> Floats:
    """Return the highest tIoU that each truth meets, 0 where none, shape ``(truth,)``."""
    best = np.zeros(num_ground_truth, dtype=pairs.tiou.dtype)
    np.maximum.at(best, pairs.truth, pairs.tiou)
    return best


def _blocks(num_rows: Ints) -> Iterator[slice]:
    """Yield segments of truths with few pairs each; one truth may have more by itself."""
    ends = offsets_of(num_rows)
    start = 0
    while start < len(num_rows):
        fitting = int(np.searchsorted(ends, ends[start] + BLOCK_PAIRS, side="right")) - 1
        stop = max(fitting, start + 1)
        yield slice(start, stop)
        start = stop
