"""Spans of many clips, end to end in arrays: what figures are computed from.

A corpus of fifty thousand clips with a hundred proposals each is three arrays here, and would
be five million objects otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.segment import Spans

Scores = NDArray[np.float64]
Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """Spans of many clips, those of one clip next to each other.

    Attributes:
        keys: The clips, each once.
        offsets: Where each clip's rows start, and where the last one's end, shape
            ``(clip + 1,)``.
        spans: Start and end in seconds, shape ``(row, 2)``.
        scores: P(fake) of each row, shape ``(row,)``; None for truths, which have none.
        places: Where each clip stands in ``keys``.

    Raises:
        DatasetError: Shapes disagree, or a clip comes twice.

    Example:
        >>> table = SpanTable.of_truths({"a.mp4": [[1.0, 2.0], [4.0, 5.5]], "b.mp4": []})
        >>> table.counts
        array([2, 0])
        >>> table.of("a.mp4")
        array([[1. , 2. ],
               [4. , 5.5]])
    """

    keys: Sequence[str]
    offsets: Offsets
    spans: Spans
    scores: Scores | None = None
    places: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = int(self.offsets[-1]) if len(self.offsets) else -1
        fits = len(self.offsets) == len(self.keys) + 1 and self.spans.shape == (rows, 2)
        if not fits or (self.scores is not None and self.scores.shape != (rows,)):
            raise DatasetError(
                f"{len(self.keys)} clips with {rows} rows need as many spans and scores, got "
                f"{self.spans.shape} and {None if self.scores is None else self.scores.shape}; "
                "build the table with of_truths or of_proposals"
            )
        if self.offsets[0] != 0 or (np.diff(self.offsets) < 0).any():
            raise DatasetError(
                "the offsets of a table must start at 0 and never fall; build it with of_truths "
                "or of_proposals"
            )
        object.__setattr__(self, "places", {key: place for place, key in enumerate(self.keys)})
        if len(self.places) != len(self.keys):
            twice = next(key for place, key in enumerate(self.keys) if self.places[key] != place)
            raise DatasetError(f"clip {twice!r} comes twice in one table; keep one entry a clip")

    @classmethod
    def of_truths(cls, truths: Mapping[str, ArrayLike]) -> Self:
        """Return the table of truths by clip, each of shape ``(truth, 2)`` in seconds.

        Raises:
            DatasetError: The truth of a clip has another shape.
        """
        spans = [_spans_of(key, rows) for key, rows in truths.items()]
        return cls(list(truths), offsets_of([len(rows) for rows in spans]), _joined(spans))

    @classmethod
    def of_proposals(cls, proposals: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Self:
        """Return the table of proposals by clip: spans ``(proposal, 2)``, scores ``(proposal,)``.

        Raises:
            DatasetError: The proposals of a clip have another shape, or not a score each.
        """
        spans = [_spans_of(key, rows) for key, (rows, _) in proposals.items()]
        scores = [np.asarray(scores, dtype=np.float64) for _, scores in proposals.values()]
        for key, rows, said in zip(proposals, spans, scores, strict=True):
            if said.shape != (len(rows),):
                raise DatasetError(
                    f"clip {key!r} needs a score for each of its {len(rows)} spans, got scores of "
                    f"shape {said.shape}; drop what has no score"
                )
        joined_scores = np.concatenate([np.zeros(0), *scores])
        offsets = offsets_of([len(one) for one in scores])
        return cls(list(proposals), offsets, _joined(spans), joined_scores)

    @property
    def counts(self) -> Offsets:
        """How many rows each clip has, shape ``(clip,)``."""
        return np.diff(self.offsets)

    def of(self, key: str) -> Spans:
        """Return the spans of one clip, shape ``(row, 2)``.

        Raises:
            KeyError: The table has no such clip.
        """
        place = self.places[key]
        return self.spans[self.offsets[place] : self.offsets[place + 1]]

    def aligned(self, keys: Sequence[str]) -> Self:
        """Return the same rows by another list of clips.

        Clips that are not in ``keys`` are left out; those that this table lacks have no rows.
        """
        if list(keys) == list(self.keys):
            return self
        # One row more than there are clips: the place of all that this table lacks.
        lacking = len(self.keys)
        found = np.array([self.places.get(key, lacking) for key in keys], dtype=np.int64)
        offsets = offsets_of(np.append(self.counts, 0)[found])
        rows = stretches(self.offsets[found], np.diff(offsets))
        scores = None if self.scores is None else self.scores[rows]
        return type(self)(list(keys), offsets, self.spans[rows], scores)


def offsets_of(counts: Sequence[int] | Offsets) -> Offsets:
    """Return where each clip's rows start, and the last one's end, given how many each has."""
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))]).astype(np.int64)


def stretches(starts: Offsets, lengths: Offsets) -> Offsets:
    """Return the integers of each stretch ``[start, start + length)``, end to end.

    Example:
        >>> stretches(np.array([7, 2]), np.array([3, 2]))
        array([7, 8, 9, 2, 3])
    """
    before = np.cumsum(lengths) - lengths
    counted: Offsets = np.arange(lengths.sum(), dtype=np.int64)
    counted += np.repeat(starts - before, lengths)
    return counted


def _spans_of(key: str, rows: ArrayLike) -> Spans:
    spans = np.asarray(rows, dtype=np.float64)
    if spans.shape == (0,):
        return spans.reshape(0, 2)
    if spans.shape[1:] != (2,):
        raise DatasetError(
            f"clip {key!r} needs spans of shape (span, 2), got {spans.shape}; give start and end "
            "in seconds"
        )
    return spans


def _joined(spans: Sequence[Spans]) -> Spans:
    return np.concatenate([np.zeros((0, 2)), *spans])
