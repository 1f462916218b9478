"""What one system said about a corpus, and what is true of it: two tables, clip by clip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.evaluation.table import Scores, SpanTable, offsets_of
from mmmsba_plugin.schema import Curves, Report
from mmmsba_plugin.segment import Spans, as_spans

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one system said about the clips of a corpus.

    Attributes:
        name: What tables call the system.
        scores: P(fake) of each clip by its key. A clip that is missing was not judged.
        proposals: Ranked spans of each clip; None for a system that does not localize.
        threshold: The score from which it calls a clip forged; None if it does not say.
        by_modality: P(fake) of each clip by each modality alone.
        curves: Scores of each clip along time.
        unknown: Names of predictions that are no clip of the corpus, once they were matched.
        missing: Clips of the corpus of which nothing was said, once they were matched.
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
    def of_reports(cls, name: str, reports: Iterable[tuple[str, Report]]) -> "Answers":
        """Return what reports say, each given with the key of its clip.

        A clip whose report has no score was not judged, and nothing was found in it.
        """
        judged = {key: report for key, report in reports if report.score is not None}
        by_modality: dict[str, dict[str, float]] = {}
        for key, report in judged.items():
            for modality, said in report.modalities.items():
                if said.score is not None:
                    by_modality.setdefault(modality, {})[key] = said.score
        thresholds = {r.threshold.value for r in judged.values() if r.threshold is not None}
        return cls(
            name=name,
            scores={key: float(report.score or 0.0) for key, report in judged.items()},
            proposals=SpanTable.of_proposals({k: _proposals(r) for k, r in judged.items()}),
            # Reports of several checkpoints have no one threshold.
            threshold=thresholds.pop() if len(thresholds) == 1 else None,
            by_modality=by_modality,
            curves={key: r.curves for key, r in judged.items() if r.curves is not None},
        )


class TruthRow(NamedTuple):
    """What is known of one clip; see :class:`Truths`."""

    key: str
    forged: bool
    spans: Spans
    cluster: str | None = None
    kind: str | None = None
    altered: str = "forged"
    located: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """What is known of the clips of a corpus, in its order.

    Attributes:
        keys: What the corpus calls each clip.
        forged: Whether each is forged, shape ``(clip,)``.
        spans: Where, in seconds, as the corpus lists it: evaluators count its stretches one by
            one, though two may touch.
        clusters: What each clip is alike with: who is in it, or the clip it was made from.
        kinds: How each was made, in the corpus's words; None where it does not say.
        altered: ``genuine``, ``audio``, ``visual``, ``both``, or ``forged`` where it is not
            told apart.
        located: Whether it is known where each is forged, shape ``(clip,)``; genuine clips
            are. What is found in others is neither right nor wrong.
    """

    keys: Sequence[str]
    forged: Flags
    spans: SpanTable
    clusters: Sequence[str | None]
    kinds: Sequence[str | None]
    altered: Sequence[str]
    located: Flags

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Truths":
        """Return the table of records; one pass, and no record is kept."""
        return cls.of_rows(map(_row, records))

    @classmethod
    def of_rows(cls, rows: Iterable[TruthRow]) -> "Truths":
        """Return the table of rows, one a clip.

        Raises:
            DatasetError: A clip comes twice.
        """
        columns = list(zip(*rows, strict=True)) or [()] * len(TruthRow._fields)
        keys, forged, spans, clusters, kinds, modalities, located = columns
        return cls(
            keys=keys,
            forged=np.array(forged, dtype=np.bool_),
            spans=_table(keys, spans),
            clusters=clusters,
            kinds=kinds,
            altered=modalities,
            located=np.array(located, dtype=np.bool_),
        )

    def __len__(self) -> int:
        return len(self.keys)


def _table(keys: Sequence[str], spans: Sequence[Spans]) -> SpanTable:
    joined = np.concatenate([np.zeros((0, 2)), *spans])
    return SpanTable(keys, offsets_of([len(one) for one in spans]), joined)


def _row(record: Record) -> TruthRow:
    whole = record.whole_clip
    return TruthRow(
        key=record.key or str(record.media),
        forged=record.forged,
        spans=as_spans(() if whole else record.truth if record.listed is None else record.listed),
        cluster=record.identity or record.original or record.key or None,
        kind=record.kind,
        altered=record.altered,
        located=not whole,
    )


def _proposals(report: Report) -> tuple[Spans, Scores]:
    spans = np.array([(p.start_s, p.end_s) for p in report.proposals], dtype=np.float64)
    return spans.reshape(-1, 2), np.array([p.score for p in report.proposals], dtype=np.float64)
