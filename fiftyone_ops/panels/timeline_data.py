"""Data of the timeline panel of one clip, in seconds, as JSON values.

Everything is read from the sample: no weights, and no decoding but for the frames of
segments.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.timebase import clock

from ..dataset.clock import lazily, zero_of
from ..dataset.labels import FORMER_VERDICTS, Fields, curve_names, seconds_of
from ..dataset.metadata import PLAYABLE_PATH
from ..dataset.records import review_label
from ..dataset.reports import modality_reports_of
from ..responses import Clip, Curves, FrameImage, Modality, OptOut, OtherRun, Review, Segment
from ..tasks.review.decisions import SampleReview

#: A screen shows no more points than this, and the answer for an hour must stay small.
MAX_POINTS: Final = 1500
#: Each frame costs a search in the file and some 10 kB.
MAX_FRAMES: Final = 24

_FRAME_PX = 120

_OUTDATED: Final = (
    "the predictions changed since this review was ended; look at them, and end it again"
)


def clip_of(sample: fo.Sample, fields: Fields, *, truth_field: str | None) -> Clip:
    """Build the timeline of one clip.

    Args:
        sample: A video sample, evaluated or not.
        fields: Fields of a run.
        truth_field: Field of the ground truth; None if there is none.
    """
    verdict = _value(sample, fields.verdict)
    duration_s = _attribute(verdict, "duration_s")
    if duration_s is None and sample.metadata is not None:
        duration_s = sample.metadata.duration
    curves, review = _value(sample, fields.curves), _value(sample, fields.review)
    opt_outs = _value(sample, fields.opt_outs)
    state = SampleReview(sample, fields).state()
    reviewed = _segments(sample, fields.reviewed)
    sources = {values["id"]: values["source"] for values in state.segments}
    return Clip(
        sample_id=str(sample.id),
        field=fields.segments,
        name=Path(sample.filepath).name,
        duration_s=duration_s or 0.0,
        zero_s=zero_of(_value(sample, PLAYABLE_PATH) or sample.filepath),
        fps_hz=sample.metadata.frame_rate if sample.metadata else None,
        verdict=_word(verdict),
        reason=_attribute(verdict, "reason"),
        warnings=(
            *([_OUTDATED] if state.is_outdated else []),
            *(_attribute(verdict, "warnings") or ()),
        ),
        score=_attribute(verdict, "confidence"),
        threshold=_attribute(verdict, "threshold"),
        modalities=tuple(
            Modality(
                name=name,
                score=modality.score,
                opt_outs=tuple(OptOut(**opt_out.model_dump()) for opt_out in modality.opt_outs),
            )
            for name, modality in modality_reports_of(verdict, opt_outs).items()
        ),
        curves=None if curves is None else _curves(curves),
        predicted=_segments(sample, fields.segments) or (),
        reference=_segments(sample, truth_field) if truth_field else None,
        # Each with the prediction of now that it is about.
        reviewed=reviewed
        and tuple(
            segment.model_copy(update={"source": sources[segment.id]}) for segment in reviewed
        ),
        rejected=tuple(
            Segment(
                id=str(values["source"]),
                source=None,
                score=None,
                **{name: values[name] for name in ("label", "start_s", "end_s")},
            )
            for values in state.rejected
        ),
        review=None
        if review is None
        else Review(
            label=review_label(review),
            by=review.by,
            at=review.at.strftime("%Y-%m-%d %H:%M"),
            decided=dict(state.decided),
            num_decisions=len(review.history or []),
            notes=dict(state.notes),
        ),
    )


def other_run_of(sample: fo.Sample, fields: Fields) -> OtherRun:
    """Build what another run predicted of a clip.

    Args:
        sample: A video sample, evaluated by that run or not.
        fields: Fields of that run.
    """
    verdict, curves = _value(sample, fields.verdict), _value(sample, fields.curves)
    return OtherRun(
        field=fields.segments,
        verdict=_word(verdict),
        score=_attribute(verdict, "confidence"),
        threshold=_attribute(verdict, "threshold"),
        predicted=_segments(sample, fields.segments) or (),
        curves=None if curves is None else _curves(curves),
    )


def frames_of(sample: fo.Sample, fields: Fields) -> Iterator[FrameImage]:
    """Return frames from the middle of segments, the surest first, decoded one by one.

    Args:
        sample: A video sample; all that is needed of it is read at once.
        fields: Fields of a run.
    """
    segments = {
        segment.id: segment
        for field in (fields.segments, fields.reviewed)
        for segment in _segments(sample, field) or ()
    }
    best = sorted(segments.values(), key=lambda segment: -(segment.score or 1.0))[:MAX_FRAMES]
    return _decode(sample.filepath, best)


def _decode(path: str, segments: Sequence[Segment]) -> Iterator[FrameImage]:
    from mmmsba_plugin.media.encode import jpeg_data_uri
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.media.video import frame_at

    media = None
    for segment in segments:
        middle_s = (segment.start_s + segment.end_s) / 2
        try:
            media = media or probe(path)
            frame = frame_at(media, middle_s, max_short_side_px=_FRAME_PX)
        except MmmsbaError as error:
            yield FrameImage(segment_id=segment.id, src=None, caption=str(error))
        else:
            yield FrameImage(
                segment_id=segment.id, src=jpeg_data_uri(frame.rgb), caption=clock(frame.pts_s)
            )


def highest(scores: NDArray[np.float64], snippets_a_point: int) -> list[float | None]:
    """Return the highest of every so many scores, None where none of them is known.

    Args:
        scores: P(fake) of each snippet, shape ``(snippet,)``, NaN where it was not evaluated.
        snippets_a_point: How many snippets one point stands for.

    Example:
        >>> highest(np.array([0.1, 0.9, np.nan, np.nan, 0.3]), 2)
        [0.9, None, 0.3]
    """
    short = -len(scores) % snippets_a_point
    padded = np.append(scores, np.full(short, np.nan)).reshape(-1, snippets_a_point)
    maxima = np.where(np.isnan(padded), -np.inf, padded).max(axis=1)
    return [None if np.isneginf(score) else round(float(score), 4) for score in maxima]


def _segments(sample: fo.Sample, field: str) -> tuple[Segment, ...] | None:
    """Return the segments of a field in time order; None where it holds nothing."""
    value = _value(sample, field)
    if value is None:
        return None
    clock_of_clip = lazily(sample.filepath, sample.metadata)
    segments = []
    for label in value.detections:
        segment = seconds_of(label, clock_of_clip)
        segments.append(
            Segment(
                id=str(label.id),
                source=_attribute(label, "source"),
                start_s=segment.start_s,
                end_s=segment.end_s,
                label=label.label,
                score=label.confidence,
                words=_attribute(label, "words"),
            )
        )
    return tuple(sorted(segments, key=lambda segment: segment.start_s))


def _curves(document: Any) -> Curves:
    curves = {name: np.asarray(document[name], dtype=np.float64) for name in curve_names(document)}
    snippets_a_point = max(1, -(-len(curves["score"]) // MAX_POINTS))
    points = {name: tuple(highest(curve, snippets_a_point)) for name, curve in curves.items()}
    return Curves(
        start_s=document.start_s,
        stride_s=document.stride_s * snippets_a_point,
        snippets_a_point=snippets_a_point,
        score=points.pop("score"),
        by_modality=points,
    )


def _word(verdict: Any) -> str | None:
    return None if verdict is None else FORMER_VERDICTS.get(verdict.label, verdict.label)


def _value(sample: fo.Sample, field: str) -> Any:
    return sample[field] if sample.has_field(field) else None


def _attribute(document: Any, name: str) -> Any:
    return document.get_field(name) if document is not None and name in document else None
