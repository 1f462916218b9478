"""Excerpts of fake segments, and of unflagged parts of the clip, for a person to see and hear.

Both are shown alike: mouths at equal distances, the spectrogram of the same span, and what each
modality says there. A segment is shown with what lies before and behind it, where a cut would be.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.media.encode import jpeg_data_uri
from mmmsba_plugin.media.packets import StreamDecoder
from mmmsba_plugin.media.spectrogram_image import read_audio_around, spectrogram_image
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.report.timeline import known_end_s
from mmmsba_plugin.schema import Curves, FaceTrackReport, FakeSegment, Media, Report
from mmmsba_plugin.segment import Segment, clip, gaps
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.crop import cut
from mmmsba_plugin.tracks.detect import Detection, FaceDetector
from mmmsba_plugin.tracks.mesh import FaceMesh, roi_of_detection

#: Mouths that are shown of a span.
NUM_MOUTHS = 8
#: What is shown before and behind a segment: this part of it, and at least so many seconds.
_MARGIN_PART, _MARGIN_S = 0.2, 0.25
#: Of a longer span the middle is shown, or that around the highest score.
_LONGEST_S = 6.0
#: A shorter span shows too little to compare with.
_SHORTEST_S = 0.4


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth, cut out of one frame.

    Attributes:
        image: It, as a data URI; None where no face was found.
        time_s: Time of the frame, in seconds.
        is_within: Whether that lies within the segment.
    """

    image: str | None
    time_s: float
    is_within: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A short span of a clip, to be looked at.

    Attributes:
        span: The span.
        mouths: Mouths along it; none without frames.
        spectrogram: Its spectrogram as a data URI; None without audio.
        probabilities: The highest probability by each modality alone, in the segment itself, or
            else in the span; None where it was not evaluated there.
        left: Where the segment begins in it, in percent.
        width: How much of it the segment fills, in percent; 0 where there is none.
    """

    span: Segment
    mouths: tuple[Mouth, ...]
    spectrogram: str | None
    probabilities: dict[str, float | None]
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class SegmentExcerpts:
    """Excerpts of a clip about one of its fake segments.

    Attributes:
        segment: The segment, with what lies around it.
        comparison: The nearest part of the clip that is not flagged; None without one.
    """

    segment: Excerpt
    comparison: Excerpt | None


class ExcerptReader:
    """Reader of excerpts about the segments of one report.

    Args:
        report: The report. Its clip must be the one that was evaluated.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._end_s = known_end_s(report)
        self._detector, self._mesh = FaceDetector(), FaceMesh()

    def read(self, segment: FakeSegment) -> SegmentExcerpts:
        """Read the excerpts about a segment; what cannot be decoded is left out."""
        span = span_to_show(segment, self._report.curves, self._end_s)
        other = comparison_span(self._report, segment, span.duration_s)
        return SegmentExcerpts(
            segment=self._excerpt(span, segment),
            comparison=self._excerpt(other, segment, compared=True) if other else None,
        )

    def _excerpt(self, span: Segment, segment: FakeSegment, *, compared: bool = False) -> Excerpt:
        within = None if compared else clip(Segment(segment.start_s, segment.end_s), span)
        left = 0.0 if within is None else (within.start_s - span.start_s) / span.duration_s
        tracks = (track for track in self._report.face_tracks if track.track == segment.track)
        face_track = next(tracks, None)
        return Excerpt(
            span=span,
            mouths=tuple(
                Mouth(
                    image=self._mouth(frame, face_track),
                    time_s=frame.pts_s,
                    is_within=within is not None and frame.pts_s in within,
                )
                for frame in _frames(self._report.media, span)
            ),
            spectrogram=_spectrogram(self._report.media, span),
            probabilities=probabilities_in(self._report, within or span),
            left=100 * left,
            width=100 * within.duration_s / span.duration_s if within else 0.0,
        )

    def _mouth(self, frame: Frame, track: FaceTrackReport | None) -> str | None:
        detections = self._detector(frame.rgb)
        if not detections:
            return None
        face = _face_of(detections, track, frame.rgb)
        mesh = self._mesh(frame.rgb, roi_of_detection(face))
        return jpeg_data_uri(cut(frame.rgb, mesh, pts_s=frame.pts_s, track=0).lips)


def span_to_show(segment: FakeSegment, curves: Curves | None, end_s: float) -> Segment:
    """Return the span that a segment is shown in: all of it and what lies around it, if short.

    Args:
        segment: The segment.
        curves: Scores along time, the highest of which is shown of a long segment.
        end_s: End of the clip, in seconds.
    """
    start_s, stop_s = segment.start_s, segment.end_s
    margin_s = max(_MARGIN_S, _MARGIN_PART * (stop_s - start_s))
    if stop_s - start_s + 2 * margin_s > _LONGEST_S:
        margin_s, middle_s = 0.0, (start_s + stop_s) / 2
        if curves is not None:
            grid = Grid(curves.start_s, curves.stride_s)
            cells = [c for c in grid.overlapping(start_s, stop_s) if c < len(curves.score)]
            highest = max(cells, key=lambda c: curves.score[c] or 0.0, default=None)
            middle_s = middle_s if highest is None else grid.cell(highest)[0]
        length_s = min(_LONGEST_S, stop_s - start_s)
        start_s = min(max(start_s, middle_s - length_s / 2), stop_s - length_s)
        stop_s = start_s + length_s
    whole = Segment(0.0, max(end_s, segment.end_s))
    return clip(Segment(start_s - margin_s, stop_s + margin_s), whole) or whole


def comparison_span(report: Report, segment: FakeSegment, length_s: float) -> Segment | None:
    """Return the part of a clip to compare a segment with; None if there is none.

    It is the nearest of that length that holds no fake segment, was evaluated by all modalities,
    and in which no score reaches the threshold; or else the longest there is.

    Args:
        report: The report.
        segment: The segment.
        length_s: The length, in seconds.
    """
    free = gaps(_unfit(report), Segment(0.0, known_end_s(report)))
    if not (long := [gap for gap in free if gap.duration_s >= length_s]):
        longest = max(free, key=lambda gap: gap.duration_s, default=None)
        return longest if longest and longest.duration_s >= _SHORTEST_S else None

    def nearest_in(gap: Segment) -> Segment:
        if gap.end_s <= segment.start_s:
            return Segment(gap.end_s - length_s, gap.end_s)
        return Segment(gap.start_s, gap.start_s + length_s)

    return min(map(nearest_in, long), key=lambda span: abs(span.start_s - segment.start_s))


def _unfit(report: Report) -> Iterator[Segment]:
    """Yield the segments of a clip that nothing can be compared with."""
    for segment in report.segments:
        yield Segment(segment.start_s - _MARGIN_S, segment.end_s + _MARGIN_S)
    for modality_report in report.modalities.values():
        # A modality that is absent throughout cannot be compared anywhere.
        if modality_report.score is not None:
            yield from (Segment(o.start_s, o.end_s) for o in modality_report.opt_outs)
    if (curves := report.curves) and report.threshold:
        grid = Grid(curves.start_s, curves.stride_s)
        for index, score in enumerate(curves.score):
            if score is None or score >= report.threshold.value:
                yield Segment(*grid.cell(index))


def probabilities_in(report: Report, span: Segment) -> dict[str, float | None]:
    """Return the highest probability by each modality alone in a span; none without curves."""
    if (curves := report.curves) is None:
        return {}
    cells = Grid(curves.start_s, curves.stride_s).overlapping(span.start_s, span.end_s)
    return {
        modality: _highest(scores[max(0, cells.start) : cells.stop])
        for modality, scores in {"all together": curves.score, **curves.by_modality}.items()
    }


def _highest(scores: Sequence[float | None]) -> float | None:
    return max((score for score in scores if score is not None), default=None)


def _frames(media: Media, span: Segment) -> Iterable[Frame]:
    """Yield frames of a span at equal distances."""
    if media.video is None:
        return
    decoder = StreamDecoder(media, "video", from_s=span.start_s)
    frames = FrameReader(media, max_fps_hz=NUM_MOUTHS / span.duration_s, decoder=decoder)
    before_end = takewhile(lambda frame: frame.pts_s < span.end_s, frames)
    try:
        yield from islice((f for f in before_end if f.pts_s >= span.start_s), NUM_MOUTHS)
    except MmmsbaError:
        return


def _face_of(detections: Sequence[Detection], track: FaceTrackReport | None, rgb: Rgb) -> Detection:
    """Return the face of a track, the one nearest to where it was seen; else the largest."""
    if track is None:
        return max(detections, key=lambda face: face.area_px)
    height, width = rgb.shape[:2]
    left, top, across, down = track.box_xywh
    middle = np.array([(left + across / 2) * width, (top + down / 2) * height])

    def distance(face: Detection) -> float:
        return float(np.hypot(*((face.box_xyxy_px[:2] + face.box_xyxy_px[2:]) / 2 - middle)))

    return min(detections, key=distance)


def _spectrogram(media: Media, span: Segment) -> str | None:
    if media.audio is None:
        return None
    try:
        block, _ = read_audio_around(media, span.start_s, span.end_s)
    except MmmsbaError:
        return None
    return jpeg_data_uri(spectrogram_image(block.samples))
