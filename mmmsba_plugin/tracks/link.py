"""Follow the people of a clip from frame to frame.

The whole frame is looked at only now and then, or when the main face is lost; in between the
mesh finds each face where it last was. Where nobody can be evaluated there is a reason instead
of a guessed cut.

Beside the main face, further ones take up lanes: a lane holds one face at a time, and is free
again once that is lost. Who is who is told by place alone, so somebody who comes back elsewhere
counts as somebody new.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

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
#: Height that a face beside the main one must have, in px: smaller ones are mostly pictures and
#: passers-by, and little can be seen in them.
_MIN_OTHER_PX = 32
#: Two faces are one where they share more than this part of the smaller.
_SAME_FACE_PART = 0.4


#: Left, top, right and bottom, in px.
Box: TypeAlias = Sequence[float]
#: Lane of the main face; those of others count from 1.
MAIN_LANE = 0


@dataclass(frozen=True, slots=True, eq=False)
class OtherFace:
    """A face beside the main one.

    Attributes:
        lane: Lane that it is followed in, from 1.
        face: The face cut out of its frame; its track is the number of all face tracks, from 1.
    """

    lane: int
    face: FaceCrop


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """Observation of the main face in one frame, and of others if they are followed.

    Attributes:
        frame: The frame.
        face: The face cut out of it, or None.
        reason: Why there is no face; None if there is one.
        num_faces: Number of faces that the last look at the whole frame found, small ones aside.
        track: Number of the main face among all face tracks, from 1 in order of appearance; None
            without a face, or where no others are followed.
        others: The other faces.
    """

    frame: Frame
    face: FaceCrop | None
    reason: str | None
    num_faces: int
    track: int | None = None
    others: tuple[OtherFace, ...] = ()


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


def follow_faces(
    frames: Iterable[Frame], config: TracksConfig | None = None, *, max_faces: int
) -> Iterator[FaceObservation]:
    """Yield one observation of the main face and of others for each frame, in order.

    The main face is exactly that of :func:`follow_main_face`. Others are found when the whole
    frame is looked at, the largest first, and followed until they are lost.

    Args:
        frames: In time order; one is held at a time.
        config: Settings of the face tracker.
        max_faces: Number of faces that are followed at a time.
    """
    config = config or TracksConfig()
    follower = _Follower(config)
    others, tracks = _Others(config, follower.mesh, max_faces - 1), _TrackNumbers()
    for frame in frames:
        observation = follower.see(frame)
        meshes = others.see(frame, follower.last, follower.detections)
        boxes = {lane: mesh.box_xyxy_px for lane, mesh in meshes.items()}
        if follower.last is not None:
            boxes[MAIN_LANE] = follower.last.box_xyxy_px
        track_ids = tracks.number(boxes)
        yield replace(
            observation,
            track=None if observation.face is None else track_ids[MAIN_LANE],
            others=tuple(
                OtherFace(lane, cut(frame.rgb, mesh, pts_s=frame.pts_s, track=track_ids[lane]))
                for lane, mesh in meshes.items()
            ),
        )


class _Follower:
    def __init__(self, config: TracksConfig) -> None:
        self._config = config
        self._detector, self.mesh = FaceDetector(), FaceMesh()
        self.last: Mesh | None = None
        self.detections: list[Detection] = []
        self._last_box: Box | None = None
        self._track = -1
        self._num_faces = 0
        self._since_look = config.detect_every
        self._fruitless_looks = 0

    def see(self, frame: Frame) -> FaceObservation:
        self.last = mesh = self._find(frame)
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
        mesh, self.detections = None, []
        if self.last is not None:
            mesh = self._if_sure(self.mesh(frame.rgb, self.last.roi()))
        if mesh is not None and self._since_look < self._config.detect_every:
            return mesh
        if mesh is None and self._since_look < min(self._fruitless_looks, _MAX_SEARCH_EVERY):
            return None
        self.detections = detections = self._detector(frame.rgb)
        self._num_faces = sum(d.height_px >= _MIN_OTHER_PX for d in detections)
        self._since_look = 0
        # A face elsewhere may be so large that the followed one is a bystander.
        if mesh is not None and not any(
            d.area_px > _TAKEOVER * mesh.area_px
            and _iou(mesh.box_xyxy_px, d.box_xyxy_px.tolist()) == 0
            for d in detections
        ):
            return mesh
        for detection in sorted(detections, key=lambda d: d.area_px, reverse=True):
            mesh = self._if_sure(self.mesh(frame.rgb, roi_of_detection(detection)))
            if mesh is not None:
                self._fruitless_looks = 0
                return mesh
        self._fruitless_looks += 1
        return None

    def _if_sure(self, mesh: Mesh) -> Mesh | None:
        return mesh if mesh.confidence >= self._config.min_confidence else None


class _Others:
    """The faces beside the main one, each in a lane."""

    def __init__(self, config: TracksConfig, mesh: FaceMesh, num_lanes: int) -> None:
        self._config, self._mesh = config, mesh
        self._lanes: dict[int, Mesh] = {}
        self._num_lanes = num_lanes

    def see(
        self, frame: Frame, main: Mesh | None, detections: Sequence[Detection]
    ) -> dict[int, Mesh]:
        """Return the face in each lane.

        Args:
            frame: The next frame.
            main: The main face in it.
            detections: The faces found in it, if the whole of it was looked at.
        """
        followed: list[Box] = [] if main is None else [main.box_xyxy_px]
        before, self._lanes = self._lanes, {}
        for lane, last in before.items():
            self._take(lane, self._mesh(frame.rgb, last.roi()), followed)
        free = [lane for lane in range(1, self._num_lanes + 1) if lane not in self._lanes]
        for detection in sorted(detections, key=lambda d: d.area_px, reverse=True):
            box = detection.box_xyxy_px.tolist()
            if not free:
                break
            if detection.height_px < _MIN_OTHER_PX or _is_among(followed, box):
                continue
            if self._take(free[0], self._mesh(frame.rgb, roi_of_detection(detection)), followed):
                free.pop(0)
        return self._lanes

    def _take(self, lane: int, mesh: Mesh, followed: list[Box]) -> bool:
        """Put a face into a lane, unless it is unsure, too small, or followed already."""
        box = mesh.box_xyxy_px
        if (
            mesh.confidence < self._config.min_confidence
            or box[3] - box[1] < max(self._config.min_face_px, _MIN_OTHER_PX)
            or _is_among(followed, box)
        ):
            return False
        self._lanes[lane] = mesh
        followed.append(box)
        return True


class _TrackNumbers:
    """Numbers of face tracks, by where each was last."""

    def __init__(self) -> None:
        self._boxes: dict[int, Box] = {}
        self._in_lane: dict[int, int] = {}

    def number(self, boxes: Mapping[int, Box]) -> dict[int, int]:
        """Return the number of the track in each lane, from 1 in order of appearance.

        Args:
            boxes: The face in each lane that holds one.
        """
        track_ids: dict[int, int] = {}
        # The main face first: it gets the number of whoever was there, in whatever lane.
        for lane in sorted(boxes):
            track_ids[lane] = self._number(boxes[lane], self._in_lane.get(lane), track_ids)
        self._boxes |= {track_ids[lane]: box for lane, box in boxes.items()}
        self._in_lane |= track_ids
        return track_ids

    def _number(self, box: Box, before: int | None, track_ids: dict[int, int]) -> int:
        shares = {
            track_id: _iou(last, box)
            for track_id, last in self._boxes.items()
            if track_id not in track_ids.values()
        }
        if before is not None and shares.get(before, 0.0) >= _SAME_IDENTITY_IOU:
            return before
        likeliest = max(shares, key=lambda track_id: shares[track_id], default=0)
        if shares.get(likeliest, 0.0) >= _SAME_IDENTITY_IOU:
            return likeliest
        return max([*self._boxes, *track_ids.values()], default=0) + 1


def _is_among(followed: Iterable[Box], box: Box) -> bool:
    """Return whether a face is one of those that are followed already."""
    return any(
        _shared_px(box, other) > _SAME_FACE_PART * min(_area_px(box), _area_px(other))
        for other in followed
    )


def _iou(a: Box, b: Box) -> float:
    shared_px = _shared_px(a, b)
    return shared_px / (_area_px(a) + _area_px(b) - shared_px) if shared_px else 0.0


def _shared_px(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area_px(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
