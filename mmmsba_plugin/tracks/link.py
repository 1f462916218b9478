"""Follows the main person of a clip from frame to frame.

The whole frame is looked at only now and then, or when the face is lost; in between the
mesh finds the face where it last was. Where nobody can be evaluated there is a reason instead
of a guessed cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.structures import FaceCrop, Frame
from mmmsba_plugin.tracks.crop import cut
from mmmsba_plugin.tracks.detect import Detection, FaceDetector
from mmmsba_plugin.tracks.mesh import FaceMesh, Mesh, roi_of_detection

NO_FACE = "no face"
FACE_TOO_SMALL = "face too small"

#: Another face must be this many times larger to become the main one.
_TAKEOVER = 2.0
#: A frame without a face costs five times one with, so while nobody is there the looks
#: grow rarer, up to this many frames apart.
_MAX_SEARCH_EVERY = 5
#: A face that shares less than this with where the last one was is somebody new.
_SAME_IDENTITY_IOU = 0.2

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """Observation of the main face in one frame.

    Attributes:
        frame: The frame.
        face: The face cut out of it, or None.
        reason: Why there is no face; None if there is one.
        num_faces: How many faces the last look at the whole frame found.
    """

    frame: Frame
    face: FaceCrop | None
    reason: str | None
    num_faces: int


def follow_main_face(
    frames: Iterable[Frame], config: TracksConfig | None = None
) -> Iterator[FaceObservation]:
    """Yield one face observation for each frame, in order.

    The main person is the largest face; another takes over only when the first is lost or
    the other is at least twice as large.

    Args:
        frames: In time order; one is held at a time.
        config: How faces are found and followed.
    """
    follower = _Follower(config or TracksConfig())
    for frame in frames:
        yield follower.see(frame)


class _Follower:
    def __init__(self, config: TracksConfig) -> None:
        self._config = config
        self._detector, self._mesh = FaceDetector(), FaceMesh()
        self._last: Mesh | None = None
        self._last_box: _Box | None = None
        self._track = -1
        self._num_faces = 0
        self._since_look = config.detect_every
        self._fruitless_looks = 0

    def see(self, frame: Frame) -> FaceObservation:
        mesh = self._find(frame)
        self._last = mesh
        self._since_look += 1
        if mesh is None:
            return FaceObservation(frame, None, NO_FACE, self._num_faces)
        self._number(mesh.box_xyxy_px)
        if mesh.box_xyxy_px[3] - mesh.box_xyxy_px[1] < self._config.min_face_px:
            return FaceObservation(frame, None, FACE_TOO_SMALL, self._num_faces)
        face = cut(frame.rgb, mesh, pts_s=frame.pts_s, track=self._track)
        return FaceObservation(frame, face, None, self._num_faces)

    def _find(self, frame: Frame) -> Mesh | None:
        mesh = self._from_last(frame)
        if mesh is not None and self._since_look < self._config.detect_every:
            return mesh
        if mesh is None and self._since_look < min(self._fruitless_looks, _MAX_SEARCH_EVERY):
            return None
        detections = self._look(frame)
        if mesh is not None and not _taken_over(mesh, detections):
            return mesh
        return self._from_largest(frame, detections)

    def _from_last(self, frame: Frame) -> Mesh | None:
        if self._last is None:
            return None
        return self._if_sure(self._mesh(frame.rgb, self._last.roi()))

    def _look(self, frame: Frame) -> list[Detection]:
        detections = self._detector(frame.rgb)
        self._num_faces, self._since_look = len(detections), 0
        return detections

    def _from_largest(self, frame: Frame, detections: list[Detection]) -> Mesh | None:
        for detection in sorted(detections, key=lambda d: d.area_px, reverse=True):
            mesh = self._if_sure(self._mesh(frame.rgb, roi_of_detection(detection)))
            if mesh is not None:
                self._fruitless_looks = 0
                return mesh
        self._fruitless_looks += 1
        return None

    def _if_sure(self, mesh: Mesh) -> Mesh | None:
        return mesh if mesh.confidence >= self._config.min_confidence else None

    def _number(self, box: _Box) -> None:
        if self._last_box is None or _iou(self._last_box, box) < _SAME_IDENTITY_IOU:
            self._track += 1
        self._last_box = box


def _taken_over(mesh: Mesh, detections: list[Detection]) -> bool:
    """Return whether a face elsewhere is so large that the followed one is a bystander."""
    left, top, right, bottom = mesh.box_xyxy_px
    area_px = (right - left) * (bottom - top)
    return any(
        d.area_px > _TAKEOVER * area_px and _iou(mesh.box_xyxy_px, _box(d)) == 0 for d in detections
    )


def _box(detection: Detection) -> _Box:
    left, top, right, bottom = map(float, detection.box_xyxy_px)
    return left, top, right, bottom


def _iou(a: _Box, b: _Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (areas - shared)
