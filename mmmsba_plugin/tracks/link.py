"""Follow the main person of a clip from frame to frame.

The whole frame is looked at only now and then, or when the face is lost; in between the
mesh finds the face where it last was. Where nobody can be evaluated there is a reason instead
of a guessed cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.structures import FaceCrop, Frame
from mmmsba_plugin.tracks.crop import cut
from mmmsba_plugin.tracks.detect import FaceDetector
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


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """Observation of the main face in one frame.

    Attributes:
        frame: The frame.
        face: The face cut out of it, or None.
        reason: Why there is no face; None if there is one.
        num_faces: Number of faces that the last look at the whole frame found.
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
        config: Settings of the face tracker.
    """
    follower = _Follower(config or TracksConfig())
    for frame in frames:
        yield follower.see(frame)


class _Follower:
    def __init__(self, config: TracksConfig) -> None:
        self._config = config
        self._detector, self._mesh = FaceDetector(), FaceMesh()
        self._last: Mesh | None = None
        self._last_box: Sequence[float] | None = None
        self._track = -1
        self._num_faces = 0
        self._since_look = config.detect_every
        self._fruitless_looks = 0

    def see(self, frame: Frame) -> FaceObservation:
        self._last = mesh = self._find(frame)
        self._since_look += 1
        if mesh is None:
            return FaceObservation(frame, None, NO_FACE, self._num_faces)
        box = mesh.box_xyxy_px
        if self._last_box is None or _iou(self._last_box, box) < _SAME_IDENTITY_IOU:
            self._track += 1
        self._last_box = box
        if box[3] - box[1] < self._config.min_face_px:
            return FaceObservation(frame, None, FACE_TOO_SMALL, self._num_faces)
        face = cut(frame.rgb, mesh, pts_s=frame.pts_s, track=self._track)
        return FaceObservation(frame, face, None, self._num_faces)

    def _find(self, frame: Frame) -> Mesh | None:
        mesh = None
        if self._last is not None:
            mesh = self._if_sure(self._mesh(frame.rgb, self._last.roi()))
        if mesh is not None and self._since_look < self._config.detect_every:
            return mesh
        if mesh is None and self._since_look < min(self._fruitless_looks, _MAX_SEARCH_EVERY):
            return None
        detections = self._detector(frame.rgb)
        self._num_faces, self._since_look = len(detections), 0
        # A face elsewhere may be so large that the followed one is a bystander.
        if mesh is not None and not any(
            d.area_px > _TAKEOVER * mesh.area_px
            and _iou(mesh.box_xyxy_px, d.box_xyxy_px.tolist()) == 0
            for d in detections
        ):
            return mesh
        for detection in sorted(detections, key=lambda d: d.area_px, reverse=True):
            mesh = self._if_sure(self._mesh(frame.rgb, roi_of_detection(detection)))
            if mesh is not None:
                self._fruitless_looks = 0
                return mesh
        self._fruitless_looks += 1
        return None

    def _if_sure(self, mesh: Mesh) -> Mesh | None:
        return mesh if mesh.confidence >= self._config.min_confidence else None


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (areas - shared)
