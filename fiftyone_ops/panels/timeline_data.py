"""Data of the timeline panel of one clip, in seconds, as JSON values.

Everything is read from the sample: no weights, and no decoding but for the frames of
segments.
"""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.timebase import FrameClock, clock

from ..labels import Fields, seconds_of
from ..records import detections
from ..tasks.metadata import PLAYABLE_PATH, lazily, zero_of

#: A screen shows no more points than this, and the answer for an hour must stay small.
MAX_POINTS: Final = 1500
#: Each frame costs a search in the file and some 10 kB.
MAX_FRAMES: Final = 24

_FRAME_PX = 120
_JPEG_QUALITY = 80

Values = dict[str, Any]


def clip_of(sample: fo.Sample, fields: Fields, *, truth_field: str | None) -> Values:
    """Build the timeline of one clip.

    Args:
        sample: A video sample, judged or not.
        fields: Where the run wrote.
        truth_field: Where a dataset's truth lies; None if there is none.
    """
    verdict = _value(sample, fields.verdict)
    return {
        "sample_id": str(sample.id),
        "field": fields.segments,
        "name": Path(sample.filepath).name,
        "duration_s": _duration_s(sample, verdict),
        "zero_s": zero_of(_value(sample, PLAYABLE_PATH) or sample.filepath),
        "fps_hz": sample.metadata.frame_rate if sample.metadata else None,
        "verdict": _attribute(verdict, "label"),
        "reason": _attribute(verdict, "reason"),
        "score": _attribute(verdict, "confidence"),
        "threshold": _attribute(verdict, "threshold"),
        "modalities": list(_modalities(verdict, _value(sample, fields.opt_outs))),
        "curves": _curves(_value(sample, fields.curves)),
        "predicted": _segments(sample, fields.segments) or [],
        "reference": _segments(sample, truth_field) if truth_field else None,
        "reviewed": _segments(sample, fields.reviewed),
        "review": _review(_value(sample, fields.review)),
    }


def frames_of(sample: fo.Sample, fields: Fields) -> Iterator[Values]:
    """Yield a frame from the middle of each segment, as a data URI, or why there is none.

    Args:
        sample: A video sample.
        fields: Where the run and the reviewers wrote.
    """
    from mmmsba_plugin.media.probe import probe

    moments = list(_moments(sample, fields))
    try:
        media = probe(sample.filepath) if moments else None
    except MmmsbaError as error:
        yield from ({"segment_id": name, "src": None, "caption": str(error)} for name, _ in moments)
        return
    for name, middle_s in moments:
        yield {"segment_id": name, **_frame(media, middle_s)}


def _moments(sample: fo.Sample, fields: Fields) -> Iterator[tuple[str, float]]:
    """Yield the segments to show a frame of, and its time, the surest first."""
    segments = (_segments(sample, fields.segments) or []) + (
        _segments(sample, fields.reviewed) or []
    )
    by_name = {segment["id"]: segment for segment in segments}
    best = sorted(by_name.values(), key=lambda segment: -(segment["score"] or 1.0))
    for segment in best[:MAX_FRAMES]:
        yield segment["id"], (segment["start_s"] + segment["end_s"]) / 2


def _frame(media: Any, time_s: float) -> Values:
    from mmmsba_plugin.media.video import frame_at

    try:
        frame = frame_at(media, time_s, max_short_side_px=_FRAME_PX)
    except MmmsbaError as error:
        return {"src": None, "caption": str(error)}
    return {"src": _data_uri(frame.rgb), "caption": clock(frame.pts_s)}


def _data_uri(rgb: NDArray[np.uint8]) -> str:
    import cv2

    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")


def _segments(sample: fo.Sample, field: str) -> list[Values] | None:
    """Return the segments of a field in time order; None where it holds nothing."""
    value = _value(sample, field)
    if value is None:
        return None
    clock_of_clip = lazily(sample.filepath, sample.metadata)
    segments = [_segment(label, clock_of_clip) for label in detections(value)]
    return sorted(segments, key=lambda segment: segment["start_s"])


def _segment(label: Any, clock_of_clip: Callable[[], FrameClock]) -> Values:
    segment = seconds_of(label, clock_of_clip)
    return {
        "id": str(label.id),
        "source": _attribute(label, "source"),
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "label": label.label,
        "score": label.confidence,
    }


def _modalities(verdict: Any, opt_outs: Any) -> Iterator[Values]:
    by_modality: dict[str, list[Values]] = {}
    for label in detections(opt_outs):
        opt_out = {"start_s": label.start_s, "end_s": label.end_s, "reason": label.reason}
        by_modality.setdefault(label.label, []).append(opt_out)
    for name, score in _scores(verdict):
        yield {"name": name, "score": score, "opt_outs": by_modality.get(name, [])}


def _scores(verdict: Any) -> Iterator[tuple[str, float | None]]:
    prefix = "score_"
    for name in verdict.field_names if verdict is not None else ():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), verdict[name]


def _curves(document: Any) -> Values | None:
    if document is None:
        return None
    curve_of_modality = {
        name: np.asarray(document[name], dtype=np.float64)
        for name in document.field_names
        if name not in {"start_s", "stride_s"} and document[name] is not None
    }
    together = curve_of_modality.pop("score")
    snippets_a_point = max(1, -(-len(together) // MAX_POINTS))
    return {
        "start_s": document.start_s,
        "stride_s": document.stride_s * snippets_a_point,
        "snippets_a_point": snippets_a_point,
        "score": highest(together, snippets_a_point),
        "by_modality": {
            name: highest(curve, snippets_a_point) for name, curve in curve_of_modality.items()
        },
    }


def highest(scores: NDArray[np.float64], snippets_a_point: int) -> list[float | None]:
    """Return the highest of every so many scores, None where none of them is known.

    Example:
        >>> highest(np.array([0.1, 0.9, np.nan, np.nan, 0.3]), 2)
        [0.9, None, 0.3]
    """
    short = -len(scores) % snippets_a_point
    padded = np.append(scores, np.full(short, np.nan)).reshape(-1, snippets_a_point)
    maxima = np.where(np.isnan(padded), -np.inf, padded).max(axis=1)
    return [None if np.isneginf(score) else round(float(score), 4) for score in maxima]


def _review(review: Any) -> Values | None:
    if review is None:
        return None
    return {
        "label": review.label,
        "by": review.by,
        "at": review.at.strftime("%Y-%m-%d %H:%M"),
        "decided": dict(review.decided or {}),
        "num_decisions": len(review.history or []),
    }


def _duration_s(sample: fo.Sample, verdict: Any) -> float:
    stated = _attribute(verdict, "duration_s")
    if stated is None and sample.metadata is not None:
        stated = sample.metadata.duration
    return float(stated or 0.0)


def _value(sample: fo.Sample, field: str) -> Any:
    return sample[field] if sample.has_field(field) else None


def _attribute(document: Any, name: str) -> Any:
    return document.get_field(name) if document is not None and name in document else None
