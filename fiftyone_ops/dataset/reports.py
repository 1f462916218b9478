"""Conversion of reports to labels, and of labels back to reports; see :mod:`.labels`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.schema import (
    Curves,
    FakeSegment,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    Threshold,
)
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock, Grid

from .labels import (
    LABELS,
    VERDICTS,
    Detection,
    Detections,
    Document,
    Fields,
    Verdict,
    clock_attributes,
    curve_names,
    detection,
    detections,
    modality_scores,
    opt_out_label,
    opt_out_modality,
    score_attribute,
)


def segments_of(report: Report, clock: FrameClock) -> Detections:
    """Return the fake segments of a report as labels.

    Args:
        report: Report on the clip.
        clock: Presentation times of its frames, from its zero.
    """
    return segment_labels(report.segments, lambda: clock)


def segment_labels(segments: Iterable[FakeSegment], clock: Callable[[], FrameClock]) -> Detections:
    """Return fake segments as labels.

    Args:
        segments: Fake segments of a clip.
        clock: Returns the presentation times of its frames, from its zero; called only where
            there is a segment.
    """
    return fo.TemporalDetections(
        detections=[
            detection(
                Segment(segment.start_s, segment.end_s),
                clock(),
                label=segment.modality or LABELS[-1],
                confidence=segment.score,
                track=segment.track,
                words=segment.words,
            )
            for segment in segments
        ]
    )


def verdict_label(report: Report) -> str:
    """Return the label of the verdict of a report."""
    if report.status == "ok":
        return VERDICTS[0] if report.fake else VERDICTS[1]
    return report.status


def verdict_of(report: Report, *, made_by: str, notes: Sequence[str] = ()) -> Verdict:
    """Build the label of the whole clip from a report.

    Args:
        report: Report on the clip.
        made_by: Weights and settings behind it; a key of the run's ``makers``.
        notes: Further warnings, besides the report's.
    """
    threshold = report.threshold
    return fo.Classification(
        label=verdict_label(report),
        confidence=report.score,
        threshold=None if threshold is None else threshold.value,
        false_positive_rate=None if threshold is None else threshold.false_positive_rate,
        status=report.status,
        reason=None if report.problem is None else report.problem.message,
        warnings=[*report.warnings, *notes],
        duration_s=report.media.duration_s,
        made_by=made_by,
        judged_at=datetime.now(UTC),
        **{
            score_attribute(modality): modality_report.score
            for modality, modality_report in report.modalities.items()
        },
    )


def opt_outs_of(report: Report, clock: FrameClock) -> Detections:
    """Return the segments that were not evaluated as labels, named by modality.

    One shorter than a snippet, as where the audio ends just before the video, tells nobody
    anything.
    """
    shortest_s = report.curves.stride_s if report.curves else 0.0
    return fo.TemporalDetections(
        detections=[
            detection(
                Segment(opt_out.start_s, opt_out.end_s),
                clock,
                label=opt_out_label(modality),
                reason=opt_out.reason,
            )
            for modality, modality_report in report.modalities.items()
            for opt_out in modality_report.opt_outs
            if opt_out.end_s - opt_out.start_s >= shortest_s
        ]
    )


def curves_of(curves: Curves | None, clock: FrameClock) -> Document | None:
    """Return scores along time as one document of vectors; None where there are none.

    Args:
        curves: Scores along time.
        clock: Presentation times of the clip's frames, from its zero, which are kept with them.
    """
    if curves is None:
        return None
    vectors = {"score": curves.score, **curves.by_modality}
    return fo.DynamicEmbeddedDocument(
        start_s=curves.start_s,
        stride_s=curves.stride_s,
        **clock_attributes(clock),
        **{name: _vector(scores) for name, scores in vectors.items()},
    )


def proposals_of(report: Report) -> NDArray[np.float64]:
    """Return ranked candidates, shape ``(proposal, 3)``: start and end in seconds, score."""
    rows = [(proposal.start_s, proposal.end_s, proposal.score) for proposal in report.proposals]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def frame_scores_of(curves: Curves, clock: FrameClock) -> dict[int, float]:
    """Return P(fake) of each frame by its number, of those that could be evaluated."""
    grid = Grid(start_s=curves.start_s, stride_s=curves.stride_s)
    cells = grid.indices_at(clock.starts_s)
    scores = _vector(curves.score)
    within = (cells >= 0) & (cells < len(scores))
    return {
        int(frame) + 1: float(scores[cells[frame]])
        for frame in np.flatnonzero(within)
        if not np.isnan(scores[cells[frame]])
    }


def _vector(scores: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if s is None else s for s in scores], dtype=np.float64)


def report_paths(fields: Fields) -> dict[str, str]:
    """Return the fields that :func:`report_of` reads, by their names in rows."""
    names = ("segments", "verdict", "opt_outs", "curves", "proposals")
    return {name: getattr(fields, name) for name in names}


def report_of(values: Mapping[str, Any], maker: Mapping[str, Any]) -> Report:
    """Return the report that labels were made from, as far as they hold it.

    Args:
        values: ``filepath``, ``metadata``, ``segments``, ``verdict``, ``opt_outs``, ``curves`` and
            ``proposals`` of a sample; None for what was not written.
        maker: The detector's ``info``, from the run's ``makers``.
    """
    verdict, ranked = values["verdict"], values["proposals"]
    return Report(
        status=verdict.status,
        media=Media(
            path=values["filepath"],
            size_bytes=getattr(values["metadata"], "size_bytes", None),
            duration_s=verdict.duration_s,
        ),
        score=verdict.confidence,
        threshold=None
        if verdict.threshold is None
        else Threshold(value=verdict.threshold, false_positive_rate=verdict.false_positive_rate),
        segments=tuple(map(fake_segment_of, detections(values["segments"]))),
        modalities=modality_reports_of(verdict, values["opt_outs"])
        if verdict.status == "ok"
        else {},
        proposals=tuple(
            Proposal(start_s=start_s, end_s=end_s, score=score)
            for start_s, end_s, score in ([] if ranked is None else ranked.reshape(-1, 3).tolist())
        ),
        warnings=tuple(verdict.warnings or ()),
        problem=Problem(kind=verdict.status, message=verdict.reason) if verdict.reason else None,
        provenance=provenance_of(maker).model_copy(
            update={"created_utc": verdict.judged_at.isoformat(timespec="seconds")}
        ),
        curves=None if values["curves"] is None else report_curves_of(values["curves"]),
    )


def provenance_of(maker: Mapping[str, Any]) -> Provenance:
    """Return the provenance of what a detector predicts.

    Args:
        maker: The detector's ``info``, from the run's ``makers``.
    """
    stated = {name: value for name, value in maker.items() if name in Provenance.model_fields}
    unknown = {"package_version": "", "api_version": "", "formula_version": 0}
    return Provenance(**{**unknown, "detector": str(maker.get("name", "")), **stated})


def fake_segment_of(label: Detection) -> FakeSegment:
    """Return the fake segment of a report that a label was made from."""
    return FakeSegment(
        start_s=label.start_s,
        end_s=label.end_s,
        score=label.confidence,
        modality=None if label.label == LABELS[-1] else label.label,
        track=label.track,
        # Labels of earlier versions have none.
        words=getattr(label, "words", None),
    )


def modality_reports_of(verdict: Verdict, opt_outs: Detections | None) -> dict[str, ModalityReport]:
    """Return the part of a report on each modality: its own score, and its opt-outs."""
    scores = modality_scores(verdict)
    opt_outs_of_modality: dict[str, list[OptOut]] = {name: [] for name in scores}
    for label in detections(opt_outs):
        opt_out = OptOut(start_s=label.start_s, end_s=label.end_s, reason=label.reason)
        opt_outs_of_modality.setdefault(opt_out_modality(label), []).append(opt_out)
    return {
        name: ModalityReport(score=scores.get(name), opt_outs=tuple(parts))
        for name, parts in opt_outs_of_modality.items()
    }


def report_curves_of(document: Document) -> Curves:
    """Return the curves of a report that a document was made from; NaN becomes None."""
    vectors = {
        name: tuple(None if np.isnan(value) else value for value in document[name].tolist())
        for name in curve_names(document)
    }
    score = vectors.pop("score")
    return Curves(
        start_s=document.start_s, stride_s=document.stride_s, score=score, by_modality=vectors
    )
