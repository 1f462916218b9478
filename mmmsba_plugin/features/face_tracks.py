"""The face tracks of a clip: when and where each is seen, and whether its mouth speaks.

Of each chunk of a clip little is kept: runs of frames in which one face was followed in one lane.
From them comes the track that each snippet of a lane shows, and what the report says.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.chunks import Chunk
from mmmsba_plugin.structures import AudioBlock, FaceCrop, Rgb
from mmmsba_plugin.timebase import Grid, s_to_samples, samples_to_s
from mmmsba_plugin.tracks.link import MAIN_LANE, FaceObservation
from mmmsba_plugin.tracks.speaker import lip_points, measure_agreement

#: After this long without the face, in seconds, a run has ended.
_FORGET_S = 0.3
#: How long a lone frame is taken to last.
_ONE_FRAME_S = 0.04


@dataclass(frozen=True, slots=True)
class TrackRun:
    """A run of frames in which one face was followed in one lane.

    Attributes:
        track: Number of its face track, from 1 in order of appearance.
        lane: Lane of the face.
        start_s: Start of the first frame, in seconds.
        end_s: End of the last frame, in seconds.
        num_frames: Number of frames with the face.
        box_time_s: Time of the frame in the middle, in seconds.
        box_xywh: Left and top edge, width and height of the face in that frame, each as a part
            of the frame's own width or height.
        agreement: Correlation of the lips' speed with the level of the audio; None if unknown.
    """

    track: int
    lane: int
    start_s: float
    end_s: float
    num_frames: int
    box_time_s: float
    box_xywh: tuple[float, float, float, float]
    agreement: float | None


@dataclass(frozen=True, slots=True)
class ChunkTracks:
    """The face tracks of one chunk of a clip.

    Attributes:
        runs: All runs, by the frames that are the chunk's own.
        num_frames: Number of its own frames.
        num_at_once: Most faces that were followed at once.
        num_left_out: Most faces beyond them that were seen at once, and not followed.
    """

    runs: tuple[TrackRun, ...]
    num_frames: int
    num_at_once: int
    num_left_out: int

    @property
    def other_lanes(self) -> list[int]:
        """The lanes beside that of the main face."""
        return sorted({run.lane for run in self.runs} - {MAIN_LANE})

    def track_ids(self, lane: int, grid: Grid, num_snippets: int) -> NDArray[np.int64]:
        """Return the track that a lane shows in each snippet, 0 for none.

        Args:
            lane: The lane.
            grid: Grid of the snippets.
            num_snippets: Number of snippets.
        """
        centers_s = grid.centers_s(num_snippets)
        track_ids = np.zeros(num_snippets, dtype=np.int64)
        for run in self.runs:
            if run.lane == lane:
                track_ids[(run.start_s <= centers_s) & (centers_s < run.end_s)] = run.track
        return track_ids

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ChunkTracks":
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            values = json.loads(text)
            runs = tuple(
                TrackRun(**{**run, "box_xywh": tuple(run["box_xywh"])})
                for run in values.pop("runs")
            )
            return cls(runs=runs, **values)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no face tracks of a chunk: {error}") from error


class TrackCollector:
    """Collector of the face tracks of one chunk.

    Args:
        chunk: The chunk, of whose own frames runs are made.
        max_faces: Number of faces that are followed at a time.
    """

    def __init__(self, chunk: Chunk, *, max_faces: int) -> None:
        whole = chunk.whole
        self._own_s = (whole.cell(chunk.keep_start)[0], whole.cell(chunk.keep_stop)[0])
        self._max_faces = max_faces
        self._times_s: list[float] = []
        self._open: dict[int, _Run] = {}
        self._runs: list[_Run] = []
        self._num_at_once = self._num_left_out = 0

    def add(self, observation: FaceObservation) -> None:
        """Take in the faces of one frame."""
        pts_s = observation.frame.pts_s
        if not self._own_s[0] <= pts_s < self._own_s[1]:
            return
        self._times_s.append(pts_s)
        faces = [(other.lane, other.face.track, other.face) for other in observation.others]
        if observation.face is not None and observation.track is not None:
            faces.append((MAIN_LANE, observation.track, observation.face))
        self._num_at_once = max(self._num_at_once, len(faces))
        if len(faces) == self._max_faces:
            left_out = observation.num_faces - self._max_faces
            self._num_left_out = max(self._num_left_out, left_out)
        for lane, track, face in faces:
            run = self._open.get(lane)
            if run is None or run.track != track or pts_s - run.times_s[-1] > _FORGET_S:
                self._open[lane] = run = _Run(track, lane)
                self._runs.append(run)
            run.add(face, observation.frame.rgb)

    def finish(self, audio: Sequence[AudioBlock]) -> ChunkTracks:
        """Return the face tracks of the chunk.

        Args:
            audio: The audio of the chunk.
        """
        distances_s = np.diff(self._times_s)
        frame_s = float(np.median(distances_s)) if distances_s.size else _ONE_FRAME_S
        return ChunkTracks(
            runs=tuple(run.finish(frame_s, audio) for run in self._runs),
            num_frames=len(self._times_s),
            num_at_once=self._num_at_once,
            num_left_out=self._num_left_out,
        )


class _Run:
    def __init__(self, track: int, lane: int) -> None:
        self.track, self.lane = track, lane
        self.times_s: list[float] = []
        self._boxes: list[tuple[float, float, float, float]] = []
        self._lips: NDArray[np.float64] | None = None
        self._speeds: list[float] = []

    def add(self, face: FaceCrop, frame: Rgb) -> None:
        """Take in the face in the next frame."""
        height, width = frame.shape[:2]
        left, top, right, bottom = face.box_xyxy_px
        left, right = (min(max(edge / width, 0.0), 1.0) for edge in (left, right))
        top, bottom = (min(max(edge / height, 0.0), 1.0) for edge in (top, bottom))
        self._boxes.append((left, top, right - left, bottom - top))
        lips, before = lip_points(face.points), self._lips
        if before is not None and face.pts_s > self.times_s[-1]:
            way = float(np.linalg.norm(lips - before, axis=-1).mean())
            self._speeds.append(way / (face.pts_s - self.times_s[-1]))
        else:
            self._speeds.append(0.0)
        self._lips = lips
        self.times_s.append(face.pts_s)

    def finish(self, frame_s: float, audio: Iterable[AudioBlock]) -> TrackRun:
        """Return the run, whose last frame lasts ``frame_s``."""
        start_s, end_s, middle = self.times_s[0], self.times_s[-1] + frame_s, len(self.times_s) // 2
        samples, rate_hz = _cut(audio, start_s, end_s)
        agreement = measure_agreement(
            np.array(self.times_s[1:]) - start_s,
            np.array(self._speeds[1:]),
            samples,
            end_s=min(end_s - start_s, samples_to_s(samples.size, rate_hz)),
            sample_rate_hz=rate_hz,
        )
        return TrackRun(
            track=self.track,
            lane=self.lane,
            start_s=start_s,
            end_s=end_s,
            num_frames=len(self.times_s),
            box_time_s=self.times_s[middle],
            box_xywh=self._boxes[middle],
            agreement=agreement,
        )


def _cut(
    audio: Iterable[AudioBlock], start_s: float, end_s: float
) -> tuple[NDArray[np.float32], int]:
    """Cut a segment out of audio, with zeros where there is none; and return its sample rate."""
    blocks = list(audio)
    rate_hz = blocks[0].sample_rate_hz if blocks else 1
    # As far as there is audio, in whole samples.
    ends_s = [block.start_s + samples_to_s(block.samples.size, rate_hz) for block in blocks]
    until_s = min(end_s, max(ends_s, default=start_s))
    samples = np.zeros(s_to_samples(max(0.0, until_s - start_s), rate_hz), dtype=np.float32)
    for block in blocks:
        first = s_to_samples(block.start_s - start_s, rate_hz)
        low, high = max(0, first), min(samples.size, first + block.samples.size)
        if low < high:
            samples[low:high] = block.samples[low - first : high - first]
    return samples, rate_hz
