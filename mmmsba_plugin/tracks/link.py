"""Follows the main person of a clip from picture to picture.

The whole picture is looked at only now and then, or when the face is lost; in between the
mesh finds the face where it last was. Where nobody can be judged there is a reason instead
of a guessed cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.structures import FacePicture, Picture
from mmmsba_plugin.tracks.crop import cut
from mmmsba_plugin.tracks.detect import Detection, FaceDetector
from mmmsba_plugin.tracks.mesh import FaceMesh, Mesh, roi_of_detection

NO_FACE = "no face"
FACE_TOO_SMALL = "face too small"

#: Another face must be this many times larger to become the main one.
_TAKEOVER = 2.0
#: A picture without a face costs five times one with, so while nobody is there the looks
#: grow rarer, up to this many pictures apart.
_MAX_SEARCH_EVERY = 5
#: A face that shares less than this with where the last one was is somebody new.
_SAME_PERSON_IOU = 0.2

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What was seen of the main person in one picture.

    Attributes:
        picture: The picture.
        face: The face cut out of it, or None.
        reason: Why there is no face; None if there is one.
        num_faces: How many faces the last look at the whole picture found.
    """

    picture: Picture
    face: FacePicture | None
    reason: str | None
    num_faces: int


def follow_main_face(
    pictures: Iterable[Picture], config: TracksConfig | None = None
) -> Iterator[Sighting]:
    """Yield one sighting for each picture, in order.

    The main person is the largest face; another takes over only when the first is lost or
    the other is at least twice as large.

    Args:
        pictures: In time order; one is held at a time.
        config: How faces are found and followed.
    """
    follower = _Follower(config or TracksConfig())
    for picture in pictures:
        yield follower.see(picture)


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

    def see(self, picture: Picture) -> Sighting:
        mesh = self._find(picture)
        self._last = mesh
        self._since_look += 1
        if mesh is None:
            return Sighting(picture, None, NO_FACE, self._num_faces)
        self._number(mesh.box_xyxy_px)
        if mesh.box_xyxy_px[3] - mesh.box_xyxy_px[1] < self._config.min_face_px:
            return Sighting(picture, None, FACE_TOO_SMALL, self._num_faces)
        face = cut(picture.rgb, mesh, pts_s=picture.pts_s, track=self._track)
        return Sighting(picture, face, None, self._num_faces)

    def _find(self, picture: Picture) -> Mesh | None:
        mesh = self._from_last(picture)
        if mesh is not None and self._since_look < self._config.detect_every:
            return mesh
        if mesh is None and self._since_look < min(self._fruitless_looks, _MAX_SEARCH_EVERY):
            return None
        found = self._look(picture)
        if mesh is not None and not _taken_over(mesh, found):
            return mesh
        return self._from_largest(picture, found)

    def _from_last(self, picture: Picture) -> Mesh | None:
        if self._last is None:
            return None
        return self._if_sure(self._mesh(picture.rgb, self._last.roi()))

    def _look(self, picture: Picture) -> list[Detection]:
        found = self._detector(picture.rgb)
        self._num_faces, self._since_look = len(found), 0
        return found

    def _from_largest(self, picture: Picture, found: list[Detection]) -> Mesh | None:
        for detection in sorted(found, key=lambda d: d.area_px, reverse=True):
            mesh = self._if_sure(self._mesh(picture.rgb, roi_of_detection(detection)))
            if mesh is not None:
                self._fruitless_looks = 0
                return mesh
        self._fruitless_looks += 1
        return None

    def _if_sure(self, mesh: Mesh) -> Mesh | None:
        return mesh if mesh.confidence >= self._config.min_confidence else None

    def _number(self, box: _Box) -> None:
        if self._last_box is None or _iou(self._last_box, box) < _SAME_PERSON_IOU:
            self._track += 1
        self._last_box = box


def _taken_over(mesh: Mesh, found: list[Detection]) -> bool:
    """Whether a face elsewhere is so large that the followed one is a bystander."""
    left, top, right, bottom = mesh.box_xyxy_px
    area_px = (right - left) * (bottom - top)
    return any(
        d.area_px > _TAKEOVER * area_px and _iou(mesh.box_xyxy_px, _box(d)) == 0 for d in found
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
