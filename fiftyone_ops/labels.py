"""The one seam: what a report says becomes labels, and seconds become frame numbers.

A run writes these fields, where ``forgeries`` stands for the label field that was chosen. All
seconds count from the clip's zero, and segments are half-open, ``[start_s, end_s)``.

``forgeries``
    ``fo.TemporalDetections``, one a fake segment. ``label``: ``audio``, ``visual``, ``both``
    or ``unknown``; ``confidence``: P(fake) of the segment; ``support``: first and last stored
    frame, numbered from 1, both within; ``start_s`` and ``end_s``: the exact seconds, which
    figures are computed from; ``exact_for``: the support that these seconds belong to, so that
    one which was moved in the App is known by it; ``track``: the face it was seen on, or None.
    Labels are made by :func:`detection` and read by :func:`seconds_of`, by nobody else.
``forgeries_verdict``
    ``fo.Classification``. ``label``: ``forged``, ``genuine``, ``abstained`` or ``error``, where
    ``genuine`` says no more than that the score lies below the threshold: it is the word of a
    dataset's truth, which FiftyOne's own evaluation of classifications compares with;
    ``confidence``: calibrated P(fake) of the clip, None unless judged; ``threshold`` and
    ``false_positive_rate``; ``status``: as the report says; ``reason``: why there is no score;
    ``warnings``: a list of sentences; ``score_<modality>``: what each modality says alone, such as
    ``score_audio``; ``duration_s``; ``made_by``: which weights and settings, a key of ``makers`` in
    the run that is registered as ``forgeries``; ``judged_at``: when.
``forgeries_opt_outs``
    ``fo.TemporalDetections``, one a segment that a modality could not be evaluated in. ``label``:
    the modality; ``reason``; ``support``, ``start_s``, ``end_s`` as above.
``forgeries_curves``
    ``fo.DynamicEmbeddedDocument``. ``start_s`` and ``stride_s`` of the grid; ``score``: vector
    of P(fake), one a snippet, NaN where none could be evaluated; ``<modality>``: the same by one
    modality alone, such as ``audio``.
``forgeries_proposals``
    Array of shape ``(proposal, 3)``: start and end in seconds, score; best first.
``frames.forgeries_score``
    P(fake) of each frame, only on request.

Truth that a dataset states lies in a field of its own, ``ground_truth``, made as ``forgeries``
is (``label`` may be ``forged`` where modalities are not told apart); what a person decided lies
in ``forgeries_reviewed``, and who and when in ``forgeries_review`` (see :mod:`.review`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.record import Record
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
from mmmsba_plugin.segment import Segment, merge
from mmmsba_plugin.timebase import FrameClock

#: What the label of a segment can be; the last one where that is not known.
LABELS: Final = ("audio", "visual", "both", "unknown")
#: The label of a true segment of a dataset that does not tell modalities apart.
FAKE: Final = "forged"
#: What the label of a verdict can be.
VERDICTS: Final = ("forged", "genuine", "abstained", "error")
#: Modalities of our own detectors; a stranger's detector may add more.
MODALITIES: Final = ("face", "audio", "lips")

#: What an attribute of a verdict starts with that is one modality's score.
_SCORE: Final = "score_"

#: Objects of FiftyOne, which is untyped from here on.
Detections: TypeAlias = Any
Detection: TypeAlias = Any
Verdict: TypeAlias = Any
Document: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields of one run.

    Attributes:
        segments: The label field, and the stem of all other names.

    Example:
        >>> Fields("forgeries").verdict
        'forgeries_verdict'
    """

    segments: str

    @property
    def verdict(self) -> str:
        """Field of the clip's score and status."""
        return f"{self.segments}_verdict"

    @property
    def opt_outs(self) -> str:
        """Field of the segments that were not evaluated."""
        return f"{self.segments}_opt_outs"

    @property
    def curves(self) -> str:
        """Field of the scores along time."""
        return f"{self.segments}_curves"

    @property
    def proposals(self) -> str:
        """Field of the ranked candidates."""
        return f"{self.segments}_proposals"

    @property
    def frame_score(self) -> str:
        """Field of each frame's score, on frames."""
        return f"{self.segments}_score"

    @property
    def reviewed(self) -> str:
        """Field of the segments that a person stands by."""
        return f"{self.segments}_reviewed"

    @property
    def review(self) -> str:
        """Field of who reviewed, when, and how."""
        return f"{self.segments}_review"

    @property
    def predicted(self) -> tuple[str, ...]:
        """Every field of the sample that detection writes."""
        return (self.segments, self.verdict, self.opt_outs, self.curves, self.proposals)


def segments_of(report: Report, clock: FrameClock) -> Detections:
    """Return the fake segments of a report as labels.

    Args:
        report: What was said about the clip.
        clock: When its frames are shown, from its zero.
    """
    return fo.TemporalDetections(
        detections=[
            detection(
                Segment(segment.start_s, segment.end_s),
                clock,
                label=segment.modality or LABELS[-1],
                confidence=segment.score,
                track=segment.track,
            )
            for segment in report.segments
        ]
    )


def verdict_of(report: Report, *, made_by: str, notes: Sequence[str] = ()) -> Verdict:
    """Build the label of the whole clip from a report.

    Args:
        report: What was said about the clip.
        made_by: Which weights and settings said so; a key of the run's ``makers``.
        notes: What else there is to know, besides the report's warnings.
    """
    threshold = report.threshold
    return fo.Classification(
        label=_verdict_word(report),
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
            f"{_SCORE}{modality}": modality_report.score
            for modality, modality_report in report.modalities.items()
        },
    )


def opt_outs_of(report: Report, clock: FrameClock) -> Detections:
    """Return the segments that were not evaluated as labels, named by modality."""
    return fo.TemporalDetections(
        detections=[
            detection(
                Segment(opt_out.start_s, opt_out.end_s),
                clock,
                label=modality,
                reason=opt_out.reason,
            )
            for modality, opt_out in _opt_outs(report)
        ]
    )


def curves_of(curves: Curves | None) -> Document | None:
    """Return scores along time as one document of vectors; None where there are none."""
    if curves is None:
        return None
    vectors = {"score": curves.score, **curves.by_modality}
    return fo.DynamicEmbeddedDocument(
        start_s=curves.start_s,
        stride_s=curves.stride_s,
        **{name: _vector(scores) for name, scores in vectors.items()},
    )


def proposals_of(report: Report) -> NDArray[np.float64]:
    """Return ranked candidates, shape ``(proposal, 3)``: start and end in seconds, score."""
    rows = [(proposal.start_s, proposal.end_s, proposal.score) for proposal in report.proposals]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def frame_scores_of(curves: Curves, clock: FrameClock) -> dict[int, float]:
    """Return P(fake) of each frame by its number, of those that could be evaluated."""
    from mmmsba_plugin.timebase import Grid

    grid = Grid(start_s=curves.start_s, stride_s=curves.stride_s)
    cells = grid.indices_at(clock.starts_s)
    scores = _vector(curves.score)
    within = (cells >= 0) & (cells < len(scores))
    return {
        int(frame) + 1: float(scores[cells[frame]])
        for frame in np.flatnonzero(within)
        if not np.isnan(scores[cells[frame]])
    }


def truth_of(record: Record, clock: FrameClock) -> Detections:
    """Build ground-truth labels, by modality where a dataset tells them apart.

    Args:
        record: What is known of the clip; one forged at no stated place is so all along.
        clock: When its frames are shown, from its zero.
    """
    record = record.lasting(clock.end_s)
    return fo.TemporalDetections(
        detections=[
            detection(segment, clock, label=label) for label, segment in sorted(_labelled(record))
        ]
    )


def detection(
    segment: Segment,
    clock: FrameClock,
    *,
    label: str,
    confidence: float | None = None,
    **attributes: Any,
) -> Detection:
    """Build the label of one segment: frames for the App, exact seconds for metrics."""
    support = list(clock.frame_numbers(segment.start_s, segment.end_s))
    return fo.TemporalDetection(
        label=label,
        confidence=confidence,
        support=support,
        start_s=segment.start_s,
        end_s=segment.end_s,
        exact_for=support,
        **attributes,
    )


def seconds_of(label: Detection, clock: Callable[[], FrameClock]) -> Segment:
    """Return the segment that a label means, in seconds.

    Its exact seconds hold for as long as its frames are those they belong to. Whoever moves a
    label in the App moves its frames alone; then these hold.

    Args:
        label: A ``fo.TemporalDetection``, ours or anyone's.
        clock: Says when the clip's frames are shown, from its zero; asked only where that
            matters.
    """
    start_s, end_s = (getattr(label, name, None) for name in ("start_s", "end_s"))
    if start_s is not None and end_s is not None and not _was_moved(label):
        return Segment(float(start_s), float(end_s))
    return Segment(*clock().span(*label.support))


def record_truth(
    labels: Detections | None, clock: Callable[[], FrameClock]
) -> tuple[tuple[Segment, ...], tuple[Segment, ...] | None, tuple[Segment, ...] | None]:
    """Return the truth that labels state: all segments, those of audio, those of video.

    The last two are None where a label does not tell which it is.

    Args:
        labels: ``fo.TemporalDetections``, ours or anyone's.
        clock: As for :func:`seconds_of`.
    """
    by_label: dict[str, list[Segment]] = {}
    for label in labels.detections if labels is not None else ():
        by_label.setdefault(label.label, []).append(seconds_of(label, clock))
    truth = tuple(merge(segment for parts in by_label.values() for segment in parts))
    if by_label.keys() - set(LABELS[:-1]):
        return truth, None, None
    both = by_label.get("both", [])
    audio, visual = ([*by_label.get(word, []), *both] for word in ("audio", "visual"))
    return truth, tuple(merge(audio)), tuple(merge(visual))


def report_of(values: Mapping[str, Any], maker: Mapping[str, Any]) -> Report:
    """Return the report that labels were made from, as far as they hold it.

    Args:
        values: ``filepath``, ``metadata``, ``segments``, ``verdict``, ``opt_outs``, ``curves`` and
            ``proposals`` of a sample; None for what was not written.
        maker: What the detector said of itself, from the run's ``makers``.
    """
    verdict = values["verdict"]
    provenance = {name: value for name, value in maker.items() if name in Provenance.model_fields}
    unknown = {"package_version": "", "api_version": "", "formula_version": 0}
    problem = Problem(kind=verdict.status, message=verdict.reason) if verdict.reason else None
    is_ok = verdict.status == "ok"
    return Report(
        status=verdict.status,
        media=Media(
            path=values["filepath"],
            size_bytes=getattr(values["metadata"], "size_bytes", None),
            duration_s=verdict.duration_s,
        ),
        score=verdict.confidence,
        threshold=None if verdict.threshold is None else _threshold(verdict),
        segments=tuple(map(_segment, _each(values["segments"]))),
        modalities=_modalities(verdict, _each(values["opt_outs"])) if is_ok else {},
        proposals=_proposals(values["proposals"]),
        warnings=tuple(verdict.warnings or ()),
        problem=problem,
        provenance=Provenance(
            **{**unknown, "detector": str(maker.get("name", "")), **provenance},
            created_utc=verdict.judged_at.isoformat(timespec="seconds"),
        ),
        curves=_curves(values["curves"]),
    )


def lone_frame(duration_s: float) -> FrameClock:
    """Return the clock of a clip whose frames cannot be numbered: one, shown all along."""
    return FrameClock(np.zeros(1), duration_s if duration_s > 0 else 1.0)


def _was_moved(label: Detection) -> bool:
    exact_for = getattr(label, "exact_for", None)
    return exact_for is not None and list(exact_for) != list(label.support)


def _verdict_word(report: Report) -> str:
    if report.status != "ok":
        return report.status
    return "forged" if report.fake else "genuine"


def _opt_outs(report: Report) -> Iterator[tuple[str, OptOut]]:
    for modality, modality_report in report.modalities.items():
        for opt_out in modality_report.opt_outs:
            yield modality, opt_out


def _vector(scores: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if s is None else s for s in scores], dtype=np.float64)


def _labelled(record: Record) -> Iterator[tuple[str, Segment]]:
    """Yield each true segment with its label; one that both modalities share is ``both``."""
    if record.audio_truth is None or record.visual_truth is None:
        yield from ((FAKE, segment) for segment in record.truth)
        return
    audio, visual = set(record.audio_truth), set(record.visual_truth)
    words: Mapping[str, set[Segment]] = {
        "both": audio & visual,
        "audio": audio - visual,
        "visual": visual - audio,
    }
    yield from ((word, segment) for word, parts in words.items() for segment in parts)


def _each(labels: Detections | None) -> Sequence[Detection]:
    return () if labels is None else labels.detections


def _threshold(verdict: Verdict) -> Threshold:
    return Threshold(value=verdict.threshold, false_positive_rate=verdict.false_positive_rate)


def _segment(label: Detection) -> FakeSegment:
    return FakeSegment(
        start_s=label.start_s,
        end_s=label.end_s,
        score=label.confidence,
        modality=None if label.label == LABELS[-1] else label.label,
        track=label.track,
    )


def _modalities(verdict: Verdict, opt_outs: Sequence[Detection]) -> dict[str, ModalityReport]:
    names = [name for name in verdict.field_names if name.startswith(_SCORE)]
    by_name: dict[str, list[OptOut]] = {name.removeprefix(_SCORE): [] for name in names}
    for label in opt_outs:
        opt_out = OptOut(start_s=label.start_s, end_s=label.end_s, reason=label.reason)
        by_name.setdefault(label.label, []).append(opt_out)
    return {
        name: ModalityReport(score=getattr(verdict, f"{_SCORE}{name}", None), opt_outs=tuple(parts))
        for name, parts in by_name.items()
    }


def _proposals(ranked: NDArray[np.float64] | None) -> tuple[Proposal, ...]:
    rows = [] if ranked is None else ranked.reshape(-1, 3).tolist()
    return tuple(Proposal(start_s=start, end_s=end, score=score) for start, end, score in rows)


def _curves(document: Document | None) -> Curves | None:
    if document is None:
        return None
    vectors = {
        name: tuple(None if np.isnan(value) else value for value in document[name].tolist())
        for name in document.field_names
        if name not in ("start_s", "stride_s") and document[name] is not None
    }
    score = vectors.pop("score")
    return Curves(
        start_s=document.start_s, stride_s=document.stride_s, score=score, by_modality=vectors
    )
