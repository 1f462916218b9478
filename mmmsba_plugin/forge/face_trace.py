"""Remembers where the face was in every frame of a clip, and no frame.

A clip is followed once; its forged variants then fetch the few frames they need from the
file. A frame costs 4 kB here, against 500 kB of pixels.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forger import Shot
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import FaceCrop, Frame
from mmmsba_plugin.timebase import frames_to_s
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import apply_affine

_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The main person's face through a clip.

    Attributes:
        edges_s: When each frame is first shown, and at last when the last one ends, in
            seconds, shape ``(frame + 1,)``.
        track: Which person each frame shows, -1 for nobody, shape ``(frame,)``.
        points: The face mesh in the pixels of the aligned face, so that only expression and
            turning out of the plane move it, shape ``(frame, 468, 2)``.
        to_face: Affine maps from frame to aligned face, shape ``(frame, 2, 3)``.
    """

    edges_s: NDArray[np.float64]
    track: NDArray[np.int64]
    points: NDArray[np.float32]
    to_face: NDArray[np.float64]

    @property
    def num_frames(self) -> int:
        """How many frames the clip has."""
        return self.track.size

    @property
    def runs_end(self) -> NDArray[np.int64]:
        """How far the same person is seen without a break, shape ``(frame,)``.

        Each entry is the index behind the last frame of the run; a frame without a face
        has its own index, that is, no run.
        """
        ends = np.arange(self.num_frames)
        for i in range(self.num_frames - 1, -1, -1):
            if self.track[i] != _NOBODY:
                goes_on = i + 1 < self.num_frames and self.track[i + 1] == self.track[i]
                ends[i] = ends[i + 1] if goes_on else i + 1
        return ends

    def span(self, start: int, end: int) -> Segment:
        """Return when the frames ``start`` to before ``end`` are shown."""
        return Segment(float(self.edges_s[start]), float(self.edges_s[end]))

    def nearest_edge(self, time_s: float) -> int:
        """Return the index of the frame that starts nearest to a time."""
        return int(np.argmin(np.abs(self.edges_s - time_s)))

    def shot(self, index: int, frame: Frame) -> Shot:
        """Return a frame of the clip together with the face in it."""
        import cv2

        to_frame = cv2.invertAffineTransform(self.to_face[index])
        points_px = apply_affine(to_frame, self.points[index].astype(np.float64))
        return Shot(frame.pts_s, frame.rgb, points_px)


def trace(frames: Iterable[Frame], *, fps_hz: float, config: TracksConfig) -> Trace:
    """Follow the main person through a clip.

    Args:
        frames: In time order; one is held at a time.
        fps_hz: Frames a second, which says how long the last one lasts.
        config: How the face is followed.
    """
    starts_s: list[float] = []
    faces: list[tuple[int, NDArray[np.float32], NDArray[np.float64]]] = []
    for observation in follow_main_face(frames, config):
        starts_s.append(observation.frame.pts_s)
        faces.append(_compact(observation.face))
    ends_s = [starts_s[-1] + frames_to_s(1, fps_hz)] if starts_s else [0.0]
    return Trace(
        edges_s=np.array(starts_s + ends_s),
        track=np.array([track for track, _, _ in faces], dtype=np.int64),
        points=np.array([points for _, points, _ in faces], dtype=np.float32),
        to_face=np.array([to_face for _, _, to_face in faces], dtype=np.float64),
    )


def replaced(frames: Iterable[Frame], new: Mapping[int, Frame]) -> Iterator[Frame]:
    """Yield frames, those in ``new`` (by index) in the place of the old ones."""
    for index, frame in enumerate(frames):
        yield new.get(index, frame)


def fetch(frames: Iterable[Frame], indices: set[int]) -> dict[int, Frame]:
    """Return some frames of a clip by index; reading stops behind the last."""
    fetched: dict[int, Frame] = {}
    if not indices:
        return fetched
    for index, frame in enumerate(frames):
        if index in indices:
            fetched[index] = frame
        if len(fetched) == len(indices):
            break
    return fetched


def _compact(
    face: FaceCrop | None,
) -> tuple[int, NDArray[np.float32], NDArray[np.float64]]:
    if face is None:
        return _NOBODY, np.zeros((468, 2), dtype=np.float32), np.zeros((2, 3))
    return face.track, face.points, face.to_face
