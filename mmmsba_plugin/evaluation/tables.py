"""Predictions of one system and the ground truth of a dataset, as two tables, clip by clip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import DatasetError, PredictionsError, ShapeError
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Curves, Report
from mmmsba_plugin.segment import Spans, as_spans

Flags = NDArray[np.bool_]


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
        ShapeError: Shapes disagree.
        PredictionsError: A clip comes twice among proposals.
        DatasetError: A clip comes twice in a ground truth, which has no scores.

    Example:
        >>> table = SpanTable.of_ground_truth({"a.mp4": [[1.0, 2.0], [4.0, 5.5]], "b.mp4": []})
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
            raise ShapeError(
                f"{len(self.keys)} clips with {rows} rows need as many spans and scores, got "
                f"{self.spans.shape} and {None if self.scores is None else self.scores.shape}; "
                "build the table with of_ground_truth or of_proposals",
                shape=self.spans.shape,
            )
        if self.offsets[0] != 0 or (np.diff(self.offsets) < 0).any():
            raise ShapeError(
                "the offsets of a table must start at 0 and never fall; build it with "
                "of_ground_truth or of_proposals"
            )
        object.__setattr__(self, "places", {key: place for place, key in enumerate(self.keys)})
        if len(self.places) != len(self.keys):
            twice = next(key for place, key in enumerate(self.keys) if self.places[key] != place)
            message = f"clip {twice!r} comes twice in one table; keep one entry a clip"
            raise DatasetError(message) if self.scores is None else PredictionsError(message)

    @classmethod
    def of_ground_truth(cls, ground_truth: Mapping[str, ArrayLike]) -> Self:
        """Build the table of true segments by clip, each of shape ``(truth, 2)`` in seconds.

        Raises:
            ShapeError: The segments of a clip have another shape.
        """
        spans = [_spans_of(key, rows) for key, rows in ground_truth.items()]
        return cls(list(ground_truth), offsets_of([len(rows) for rows in spans]), _joined(spans))

    @classmethod
    def of_proposals(cls, proposals: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Self:
        """Build the table of proposals by clip: spans ``(proposal, 2)``, scores ``(proposal,)``.

        Raises:
            ShapeError: The proposals of a clip have another shape, or not a score each.
        """
        spans = [_spans_of(key, rows) for key, (rows, _) in proposals.items()]
        scores = [np.asarray(scores, dtype=np.float64) for _, scores in proposals.values()]
        for key, rows, row_scores in zip(proposals, spans, scores, strict=True):
            if row_scores.shape != (len(rows),):
                raise ShapeError(
                    f"clip {key!r} needs a score for each of its {len(rows)} spans, got scores of "
                    f"shape {row_scores.shape}; drop what has no score",
                    shape=row_scores.shape,
                )
        joined_scores = np.concatenate([np.zeros(0), *scores])
        offsets = offsets_of([len(row_scores_of_clip) for row_scores_of_clip in scores])
        return cls(list(proposals), offsets, _joined(spans), joined_scores)

    @property
    def counts(self) -> Offsets:
        """Number of rows of each clip, shape ``(clip,)``."""
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
        places = np.array([self.places.get(key, lacking) for key in keys], dtype=np.int64)
        offsets = offsets_of(np.append(self.counts, 0)[places])
        rows = rows_of(self.offsets[places], np.diff(offsets))
        scores = None if self.scores is None else self.scores[rows]
        return type(self)(list(keys), offsets, self.spans[rows], scores)


def offsets_of(counts: Sequence[int] | Offsets) -> Offsets:
    """Compute where each clip's rows start, and the last one's end, from their counts."""
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))]).astype(np.int64)


def rows_of(starts: Offsets, lengths: Offsets) -> Offsets:
    """Return the integers of each segment ``[start, start + length)``, end to end.

    Example:
        >>> rows_of(np.array([7, 2]), np.array([3, 2]))
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
        raise ShapeError(
            f"clip {key!r} needs spans of shape (span, 2), got {spans.shape}; give start and end "
            "in seconds",
            shape=spans.shape,
        )
    return spans


def _joined(spans: Sequence[Spans]) -> Spans:
    return np.concatenate([np.zeros((0, 2)), *spans])


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of one system for the clips of a dataset.

    Attributes:
        name: What tables call the system.
        scores: P(fake) of each clip by its key. A clip that is missing was not evaluated.
        proposals: Ranked spans of each clip; None for a system that does not localize.
        threshold: The score from which it calls a clip forged; None if it does not say.
        by_modality: P(fake) of each clip by each modality alone.
        curves: Scores of each clip along time.
        unknown: Names of predictions that are no clip of the dataset, once they were matched.
        missing: Clips of the dataset of which nothing was said, once they were matched.
    """

    name: str
    scores: Mapping[str, float]
    proposals: SpanTable | None = None
    threshold: float | None = None
    by_modality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curves: Mapping[str, Curves] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    missing: Sequence[str] = ()

    @classmethod
    def of_reports(cls, name: str, reports: Iterable[tuple[str, Report]]) -> "Predictions":
        """Build predictions from reports, each given with the key of its clip.

        A clip whose report has no score was not evaluated, and nothing was found in it.
        """
        scored = {key: report for key, report in reports if report.score is not None}
        by_modality: dict[str, dict[str, float]] = {}
        for key, report in scored.items():
            for modality, modality_report in report.modalities.items():
                if modality_report.score is not None:
                    by_modality.setdefault(modality, {})[key] = modality_report.score
        return cls(
            name=name,
            scores={key: float(report.score or 0.0) for key, report in scored.items()},
            proposals=SpanTable.of_proposals({k: _proposals(r) for k, r in scored.items()}),
            threshold=common_threshold(
                report.threshold.value for report in scored.values() if report.threshold
            ),
            by_modality=by_modality,
            curves={key: r.curves for key, r in scored.items() if r.curves is not None},
        )


class GroundTruthRow(NamedTuple):
    """Ground truth of one clip; see :class:`GroundTruth`."""

    key: str
    fake: bool
    spans: Spans
    cluster: str | None = None
    kind: str | None = None
    altered: str = "fake"
    located: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Ground truth of the clips of a dataset, in its order.

    Attributes:
        keys: What the dataset calls each clip.
        fake: Whether each is fake, shape ``(clip,)``.
        spans: Where, in seconds, as the dataset lists it: evaluators count its segments one by
            one, though two may touch.
        clusters: What each clip is alike with: who is in it, or the clip it was made from.
        kinds: How each was made, in the dataset's words; None where it does not say.
        altered: ``real``, ``audio``, ``visual``, ``both``, or ``fake`` where it is not
            told apart.
        located: Whether it is known where each is fake, shape ``(clip,)``; real clips
            are. What is found in others is neither right nor wrong.
    """

    keys: Sequence[str]
    fake: Flags
    spans: SpanTable
    clusters: Sequence[str | None]
    kinds: Sequence[str | None]
    altered: Sequence[str]
    located: Flags

    @classmethod
    def of(cls, records: Iterable[Record]) -> "GroundTruth":
        """Return the table of records; one pass, and no record is kept."""
        return cls.of_rows(map(_row, records))

    @classmethod
    def of_rows(cls, rows: Iterable[GroundTruthRow]) -> "GroundTruth":
        """Return the table of rows, one a clip.

        Raises:
            DatasetError: A clip comes twice.
        """
        columns = list(zip(*rows, strict=True)) or [()] * len(GroundTruthRow._fields)
        keys, fake, spans, clusters, kinds, modalities, located = columns
        return cls(
            keys=keys,
            fake=np.array(fake, dtype=np.bool_),
            spans=_table(keys, spans),
            clusters=clusters,
            kinds=kinds,
            altered=modalities,
            located=np.array(located, dtype=np.bool_),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, values: Mapping[str, float | None]) -> Scores:
        """Return numbers by key in the order of the clips, shape ``(clip,)``; NaN where none is."""
        return np.array([values.get(key) for key in self.keys], dtype=np.float64)


def _table(keys: Sequence[str], spans: Sequence[Spans]) -> SpanTable:
    joined = np.concatenate([np.zeros((0, 2)), *spans])
    return SpanTable(keys, offsets_of([len(rows) for rows in spans]), joined)


def _row(record: Record) -> GroundTruthRow:
    whole = record.whole_clip
    return GroundTruthRow(
        key=record.name,
        fake=record.fake,
        spans=as_spans(() if whole else record.truth if record.listed is None else record.listed),
        cluster=record.identity_key,
        kind=record.kind,
        altered=record.altered,
        located=not whole,
    )


def common_threshold(thresholds: Iterable[float | None]) -> float | None:
    """Return the threshold of all clips that have one; None if there are several, or none.

    Clips of several checkpoints or settings have no one threshold.
    """
    values = {threshold for threshold in thresholds if threshold is not None}
    return values.pop() if len(values) == 1 else None


def _proposals(report: Report) -> tuple[Spans, Scores]:
    spans = np.array([(p.start_s, p.end_s) for p in report.proposals], dtype=np.float64)
    return spans.reshape(-1, 2), np.array([p.score for p in report.proposals], dtype=np.float64)
