"""Writes a report as annotations of CVAT."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO

from mmmsba_plugin.report.annotation_formats import (
    NAMES,
    NOT_EVALUATED,
    not_evaluated,
    statement,
)
from mmmsba_plugin.report.annotation_json import frame_numbers
from mmmsba_plugin.report.text import visible
from mmmsba_plugin.report.writers import cue_span
from mmmsba_plugin.schema import Report
from mmmsba_plugin.schema.media import VideoStream

#: Start and end in seconds, label, and its attribute with the value.
_Span = tuple[float, float, str, str, str]


def write_cvat(report: Report, stream: IO[str]) -> None:
    """Write a track of boxes of the whole frame for each segment and opt-out.

    CVAT knows no span of time but that of an object in view, and no audio: of a file without a
    frame rate there is the verdict alone, among what CVAT passes over.

    Source:
        CVAT's documentation, "CVAT for videos", version 1.1; frames are counted from 0.
    """
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    video, spans = report.media.video, list(_spans(report))
    root.append(_meta(report, spans))
    if video and video.fps_hz:
        num_frames = frame_numbers(0.0, report.duration_s, video.fps_hz)[1]
        for number, (start_s, end_s, label, attribute, value) in enumerate(spans):
            track = ET.SubElement(root, "track", id=str(number), label=label, source="auto")
            first, last = frame_numbers(start_s, end_s, video.fps_hz)
            boxes = [_box(first - 1, video, is_outside=False)]
            # An object stays in view until it is outside.
            if last < num_frames:
                boxes.append(_box(last, video, is_outside=True))
            for box in boxes:
                ET.SubElement(box, "attribute", name=attribute).text = value
            track.extend(boxes)
    ET.indent(root)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    stream.write(ET.tostring(root, encoding="unicode") + "\n")


def _spans(report: Report) -> Iterator[_Span]:
    for segment in report.segments:
        yield *cue_span(segment), NAMES[segment.modality], "score", f"{segment.score:.3f}"
    for gap in not_evaluated(report):
        yield gap.start_s, gap.end_s, NOT_EVALUATED, "reason", visible(gap.words)


def _meta(report: Report, spans: list[_Span]) -> ET.Element:
    meta = ET.Element("meta")
    task = ET.SubElement(meta, "task")
    ET.SubElement(task, "name").text = visible(PurePath(report.media.path).name)
    ET.SubElement(task, "mode").text = "interpolation"
    labels = ET.SubElement(task, "labels")
    for name, attribute in dict.fromkeys((label, attribute) for _, _, label, attribute, _ in spans):
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = name
        declared = ET.SubElement(ET.SubElement(label, "attributes"), "attribute")
        ET.SubElement(declared, "name").text = attribute
        ET.SubElement(declared, "input_type").text = "text"
    if video := report.media.video:
        size = ET.SubElement(task, "original_size")
        ET.SubElement(size, "width").text = str(video.width_px)
        ET.SubElement(size, "height").text = str(video.height_px)
    ET.SubElement(meta, "verdict").text = visible(statement(report))
    return meta


def _box(frame: int, video: VideoStream, *, is_outside: bool) -> ET.Element:
    """Return a box that fills a frame."""
    flags = {"frame": frame, "keyframe": 1, "outside": int(is_outside), "occluded": 0, "z_order": 0}
    corners = {"xtl": 0, "ytl": 0, "xbr": video.width_px, "ybr": video.height_px}
    return ET.Element("box", {name: str(value) for name, value in (flags | corners).items()})
