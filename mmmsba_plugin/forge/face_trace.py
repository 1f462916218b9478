"""Store the face mesh of every frame of a clip, without the frames.

A clip is tracked once; its forged variants then fetch the few frames they need from the
file. A frame costs 4 kB here, against 500 kB of pixels.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forger import FaceFrame
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import frames_to_s
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import apply_affine

#: The track of a frame without a face.
_NO_TRACK = -1
_NO_POINTS = np.zeros((468, 2), dtype=np.float32)
_NO_AFFINE = np.zeros((2, 3))


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrace:
    """The face mesh of the main person through a clip.

    Attributes:
        edges_s: When each frame is first shown, and at last when the last one ends, in
            seconds, shape ``(frame + 1,)``.
        track: Track number of the face in each frame, -1 without a face, shape ``(frame,)``.
        points: The face mesh in pixels of the aligned face, so that only expression and
            turning out of the plane move it, shape ``(frame, 468, 2)``.
        to_face: Affine maps from frame to aligned face, shape ``(frame, 2, 3)``.
    """

    edges_s: NDArray[np.float64]
    track: NDArray[np.int64]
    points: NDArray[np.float32]
    to_face: NDArray[np.float64]

    @property
    def num_frames(self) -> int:
        """The number of frames of the clip."""
        return self.track.size

    @property
    def runs_end(self) -> NDArray[np.int64]:
        """The end of each frame's unbroken run of one track, shape ``(frame,)``.

        Each entry is the index behind the last frame of the run; a frame without a face
        has its own index, that is, no run.
        """
        ends = np.arange(self.num_frames)
        for i in range(self.num_frames - 1, -1, -1):
            if self.track[i] != _NO_TRACK:
                goes_on = i + 1 < self.num_frames and self.track[i + 1] == self.track[i]
                ends[i] = ends[i + 1] if goes_on else i + 1
        return ends

    def segment(self, start: int, end: int) -> Segment:
        """Return the time during which the frames ``start`` to before ``end`` are shown."""
        return Segment(float(self.edges_s[start]), float(self.edges_s[end]))

    def nearest_edge(self, time_s: float) -> int:
        """Return the index of the frame that starts nearest to a time."""
        return int(np.argmin(np.abs(self.edges_s - time_s)))

    def face_frame(self, index: int, frame: Frame) -> FaceFrame:
        """Return a frame of the clip together with its face mesh."""
        import cv2

        to_frame = cv2.invertAffineTransform(self.to_face[index])
        points_px = apply_affine(to_frame, self.points[index].astype(np.float64))
        return FaceFrame(frame.pts_s, frame.rgb, points_px)


def trace_face(frames: Iterable[Frame], *, fps_hz: float, config: TracksConfig) -> FaceTrace:
    """Track the main person's face through a clip.

    Args:
        frames: The clip in time order; one frame is held at a time.
        fps_hz: Frames per second, which sets the duration of the last frame.
        config: Settings of the face tracker.
    """
    starts_s: list[float] = []
    track: list[int] = []
    points: list[NDArray[np.float32]] = []
    to_face: list[NDArray[np.float64]] = []
    for observation in follow_main_face(frames, config):
        face = observation.face
        starts_s.append(observation.frame.pts_s)
        track.append(_NO_TRACK if face is None else face.track)
        points.append(_NO_POINTS if face is None else face.points)
        to_face.append(_NO_AFFINE if face is None else face.to_face)
    ends_s = [starts_s[-1] + frames_to_s(1, fps_hz)] if starts_s else [0.0]
    return FaceTrace(
        edges_s=np.array(starts_s + ends_s),
        track=np.array(track, dtype=np.int64),
        points=np.array(points, dtype=np.float32),
        to_face=np.array(to_face, dtype=np.float64),
    )


def replace_frames(frames: Iterable[Frame], new: Mapping[int, Frame]) -> Iterator[Frame]:
    """Yield frames, those in ``new`` (by index) in the place of the old ones."""
    for index, frame in enumerate(frames):
        yield new.get(index, frame)


def fetch_frames(frames: Iterable[Frame], indices: set[int]) -> dict[int, Frame]:
    """Return the frames of a clip at ``indices``; reading stops behind the last."""
    fetched: dict[int, Frame] = {}
    if not indices:
        return fetched
    for index, frame in enumerate(frames):
        if index in indices:
            fetched[index] = frame
        if len(fetched) == len(indices):
            break
    return fetched
