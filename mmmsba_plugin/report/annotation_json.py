"""Writes a report in the formats of annotation tools that are JSON.

What holds of :mod:`mmmsba_plugin.report.annotation_formats` holds here.
"""

import json
import math
from collections.abc import Iterable
from typing import IO, Any, Final
from uuid import NAMESPACE_URL, uuid5

from mmmsba_plugin.report.annotation_formats import (
    NAMES,
    NOT_EVALUATED,
    Gap,
    made_by,
    media_url,
    not_evaluated,
    statement,
)
from mmmsba_plugin.report.text import visible
from mmmsba_plugin.report.writers import cue_span
from mmmsba_plugin.schema import ALTERED_BY_MODALITY, FakeSegment, Report, TimeSpan
from mmmsba_plugin.segment import Segment, gaps, merge
from mmmsba_plugin.timebase import FrameClock, clock

#: Frames that Label Studio counts a second where nothing else is said.
_LABELSTUDIO_HZ: Final = 24.0


def write_web_annotation(report: Report, stream: IO[str]) -> None:
    """Write a page of W3C Web Annotations: the clip's verdict, and one a segment and opt-out.

    Source:
        W3C "Web Annotation Data Model"; W3C "Media Fragments URI 1.0", section 4.2.1, whose
        spans are half-open like ours.
    """
    items = [
        _annotation(report, number, _body(["fake", segment.modality], segment.score), segment)
        for number, segment in enumerate(report.segments, start=1)
    ]
    about_the_clip = _annotation(report, 0, _body([report.status], report.score, statement(report)))
    for number, gap in enumerate(not_evaluated(report), start=len(items) + 1):
        body = _body(["not evaluated", gap.modality], None, gap.reason)
        items.append(_annotation(report, number, body, gap if gap.modality else None))
    page = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": _urn(report, "page"),
        "type": "AnnotationPage",
        "items": [about_the_clip, *items],
    }
    stream.write(_json(page))


def _body(
    tags: Iterable[str | None], score: float | None, words: str | None = None
) -> list[dict[str, str]]:
    """List tags, a probability as a number in words, and a description, as far as there are."""
    parts = [
        *(("tagging", tag) for tag in tags),
        ("assessing", None if score is None else str(score)),
        ("describing", words and visible(words)),
    ]
    return [
        {"type": "TextualBody", "purpose": purpose, "value": value}
        for purpose, value in parts
        if value
    ]


def _annotation(
    report: Report, number: int, body: list[dict[str, str]], span: TimeSpan | Gap | None = None
) -> dict[str, Any]:
    target: dict[str, Any] = {"type": "SpecificResource", "source": media_url(report)}
    if span is not None:
        start_s, end_s = cue_span(span)
        target["selector"] = {
            "type": "FragmentSelector",
            "conformsTo": "http://www.w3.org/TR/media-frags/",
            "value": f"t={start_s:.6f},{end_s:.6f}",
        }
    made_utc = report.provenance.created_utc
    return {
        "id": _urn(report, str(number)),
        "type": "Annotation",
        "motivation": "assessing",
        "generator": {"type": "Software", "name": made_by(report)},
        **({"generated": made_utc} if made_utc else {}),
        "body": body,
        "target": target,
    }


def _urn(report: Report, item: str) -> str:
    """Return the same identifier whenever the same report is written."""
    return uuid5(NAMESPACE_URL, f"{item} {report.model_dump_json(exclude={'curves'})}").urn


def write_labelstudio(report: Report, stream: IO[str]) -> None:
    """Write a task of Label Studio with its prediction, to import into a project."""
    stream.write(_json([labelstudio_task(report)]))


def labelstudio_task(report: Report) -> dict[str, Any]:
    """Return a task of Label Studio with its prediction.

    Regions of a video are numbers of frames, from 1 and both within, as its time line has
    them; those of a file without video are seconds. What was not evaluated has a label of its
    own, and the reason in the region's notes.

    Source:
        Label Studio's documentation, "Import pre-annotated data" and tags Video,
        TimelineLabels and Labels.
    """
    regions = [
        *(_region(report, s, NAMES[s.modality], score=s.score) for s in report.segments),
        *(
            _region(report, gap, NOT_EVALUATED, meta={"text": [visible(gap.words)]})
            for gap in not_evaluated(report)
        ),
    ]
    prediction = {
        "model_version": made_by(report),
        **({} if report.score is None else {"score": report.score}),
        "result": [{"id": f"region{n}", **region} for n, region in enumerate(regions)],
    }
    place = {"video": media_url(report), "fps": _fps_hz(report) or _LABELSTUDIO_HZ}
    data = {
        **(place if _is_video(report) else {"audio": media_url(report)}),
        "status": report.status,
        "verdict": visible(statement(report)),
    }
    return {"data": data, "predictions": [prediction]}


def _region(
    report: Report, span: FakeSegment | Gap, label: str, **details: object
) -> dict[str, Any]:
    start_s, end_s = cue_span(span)
    value: dict[str, Any]
    if _is_video(report):
        first, last = frame_numbers(start_s, end_s, _fps_hz(report) or _LABELSTUDIO_HZ)
        place = {"from_name": "timeline", "to_name": "video", "type": "timelinelabels"}
        value = {"ranges": [{"start": first, "end": last}], "timelinelabels": [label]}
    else:
        place = {"from_name": "labels", "to_name": "audio", "type": "labels"}
        value = {"start": start_s, "end": end_s, "labels": [label]}
    return {**place, "value": value, **details}


def write_medifor(report: Report, stream: IO[str]) -> None:
    """Write a ``Detection`` of DARPA MediFor's interface, as JSON of its protocol buffers.

    Frames count from 0, both within; a segment whose stream is not known is in both lists.
    Without a frame rate there are no numbers of frames, so time is opted out of.

    Source:
        github.com/mediaforensics/medifor, proto/medifor/v1/analytic.proto.
    """
    detection: dict[str, Any] = {
        "status": {"code": 0},
        "vidManipReq": {"video": {"uri": media_url(report)}},
    }
    if report.status == "error":
        # Code 2 is UNKNOWN in google.rpc; an answer beside it would read as one.
        detection["status"] = {"code": 2, "message": visible(statement(report))}
    else:
        detection["vidManip"] = _video_manipulation(report)
    stream.write(_json(detection))


def _video_manipulation(report: Report) -> dict[str, Any]:
    opt_outs = [
        f"{NOT_EVALUATED} from {clock(gap.start_s)} to {clock(gap.end_s)}: {gap.words}"
        for gap in not_evaluated(report)
        if gap.modality
    ]
    explanation = visible("; ".join((statement(report), *opt_outs)))
    if report.score is None:
        kinds = ("DETECTION", "TEMPORAL", "SPATIAL")
        return {"optOut": [f"VIDEO_OPT_OUT_{kind}" for kind in kinds], "explanation": explanation}
    scores = {modality: alone.score for modality, alone in report.modalities.items()}
    answer: dict[str, Any] = {
        "score": report.score,
        "facets": {modality: score for modality, score in scores.items() if score is not None},
        "optOut": ["VIDEO_OPT_OUT_SPATIAL"],
        "explanation": explanation,
    }
    if _is_video(report) and _fps_hz(report) is None:
        answer["optOut"].append("VIDEO_OPT_OUT_TEMPORAL")
    else:
        answer["localization"] = _localization(report)
    return answer


def _localization(report: Report) -> dict[str, Any]:
    by_audio = [segment for segment in report.segments if segment.modality != "visual"]
    ranges: dict[str, Any] = {
        "audioDetection": [{"range": _seconds_of(s), "score": s.score} for s in by_audio],
        "audioOptout": [_seconds_of(span) for span in _opted_out(report, "audio")],
    }
    if fps_hz := _fps_hz(report):
        by_video = [segment for segment in report.segments if segment.modality != "audio"]
        ranges |= {
            "frameDetection": [
                {"range": _frames_of(s, fps_hz), "score": s.score} for s in by_video
            ],
            "frameOptout": [_frames_of(span, fps_hz) for span in _opted_out(report, "visual")],
        }
    return ranges


def _opted_out(report: Report, altered: str) -> list[Segment]:
    """Find the spans in which no modality of the audio, or of the video, was evaluated."""
    if not report.duration_s:
        return []
    whole = Segment(0.0, report.duration_s)
    modalities = [
        alone
        for name, alone in report.modalities.items()
        if ALTERED_BY_MODALITY.get(name) == altered
    ]
    evaluated: list[Segment] = []
    for alone in modalities:
        opt_outs = [Segment(o.start_s, o.end_s) for o in alone.opt_outs]
        evaluated += gaps(opt_outs, whole)
    return gaps(merge(evaluated), whole) if modalities else []


def _frames_of(span: TimeSpan | Segment, fps_hz: float) -> dict[str, int]:
    first, last = frame_numbers(*cue_span(span), fps_hz)
    return {"start": first - 1, "end": last - 1}


def _seconds_of(span: TimeSpan | Segment) -> dict[str, float]:
    start_s, end_s = cue_span(span)
    return {"start": start_s, "end": end_s}


def frame_numbers(start_s: float, end_s: float, fps_hz: float) -> tuple[int, int]:
    """Find the first and the last frame of a span, from 1 and both within, at a constant rate."""
    num_frames = math.ceil(end_s * fps_hz) + 1
    return FrameClock.steady(num_frames, fps_hz=fps_hz).frame_numbers(start_s, end_s)


def _is_video(report: Report) -> bool:
    """Return whether it is shown as a video; so is a file of which nothing is known."""
    return report.media.video is not None or report.media.audio is None


def _fps_hz(report: Report) -> float | None:
    return (report.media.video and report.media.video.fps_hz) or None


def _json(document: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
