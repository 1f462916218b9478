"""Remembers where the face was in every picture of a clip, and no picture.

A clip is followed once; its forged variants then fetch the few pictures they need from the
file. A picture costs 4 kB here, against 500 kB of pixels.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forger import Shot
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import FacePicture, Picture
from mmmsba_plugin.timebase import frames_to_s
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import apply_affine

_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The main person's face through a clip.

    Attributes:
        edges_s: When each picture is first shown, and at last when the last one ends, in
            seconds, shape ``(picture + 1,)``.
        track: Which person each picture shows, -1 for nobody, shape ``(picture,)``.
        points: The face mesh in the pixels of the aligned face, so that only expression and
            turning out of the plane move it, shape ``(picture, 468, 2)``.
        to_face: Affine maps from picture to aligned face, shape ``(picture, 2, 3)``.
    """

    edges_s: NDArray[np.float64]
    track: NDArray[np.int64]
    points: NDArray[np.float32]
    to_face: NDArray[np.float64]

    @property
    def num_pictures(self) -> int:
        """How many pictures the clip has."""
        return self.track.size

    @property
    def runs_end(self) -> NDArray[np.int64]:
        """How far the same person is seen without a break, shape ``(picture,)``.

        Each entry is the index behind the last picture of the run; a picture without a face
        has its own index, that is, no run.
        """
        ends = np.arange(self.num_pictures)
        for i in range(self.num_pictures - 1, -1, -1):
            if self.track[i] != _NOBODY:
                goes_on = i + 1 < self.num_pictures and self.track[i + 1] == self.track[i]
                ends[i] = ends[i + 1] if goes_on else i + 1
        return ends

    def span(self, start: int, end: int) -> Segment:
        """Return when the pictures ``start`` to before ``end`` are shown."""
        return Segment(float(self.edges_s[start]), float(self.edges_s[end]))

    def nearest_edge(self, time_s: float) -> int:
        """Return the index of the picture that starts nearest to a time."""
        return int(np.argmin(np.abs(self.edges_s - time_s)))

    def shot(self, index: int, picture: Picture) -> Shot:
        """Return a picture of the clip together with the face in it."""
        import cv2

        to_picture = cv2.invertAffineTransform(self.to_face[index])
        points_px = apply_affine(to_picture, self.points[index].astype(np.float64))
        return Shot(picture.pts_s, picture.rgb, points_px)


def trace(pictures: Iterable[Picture], *, fps_hz: float, config: TracksConfig) -> Trace:
    """Follow the main person through a clip.

    Args:
        pictures: In time order; one is held at a time.
        fps_hz: Pictures a second, which says how long the last one lasts.
        config: How the face is followed.
    """
    starts_s: list[float] = []
    faces: list[tuple[int, NDArray[np.float32], NDArray[np.float64]]] = []
    for sighting in follow_main_face(pictures, config):
        starts_s.append(sighting.picture.pts_s)
        faces.append(_compact(sighting.face))
    ends_s = [starts_s[-1] + frames_to_s(1, fps_hz)] if starts_s else [0.0]
    return Trace(
        edges_s=np.array(starts_s + ends_s),
        track=np.array([track for track, _, _ in faces], dtype=np.int64),
        points=np.array([points for _, points, _ in faces], dtype=np.float32),
        to_face=np.array([to_face for _, _, to_face in faces], dtype=np.float64),
    )


def replaced(pictures: Iterable[Picture], new: Mapping[int, Picture]) -> Iterator[Picture]:
    """Yield pictures, those in ``new`` (by index) in the place of the old ones."""
    for index, picture in enumerate(pictures):
        yield new.get(index, picture)


def fetch(pictures: Iterable[Picture], indices: set[int]) -> dict[int, Picture]:
    """Return some pictures of a clip by index; reading stops behind the last."""
    fetched: dict[int, Picture] = {}
    if not indices:
        return fetched
    for index, picture in enumerate(pictures):
        if index in indices:
            fetched[index] = picture
        if len(fetched) == len(indices):
            break
    return fetched


def _compact(
    face: FacePicture | None,
) -> tuple[int, NDArray[np.float32], NDArray[np.float64]]:
    if face is None:
        return _NOBODY, np.zeros((468, 2), dtype=np.float32), np.zeros((2, 3))
    return face.track, face.points, face.to_face
