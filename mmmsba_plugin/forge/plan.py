"""Plan the fake segments of a clip: their times, and the frames of their donors.

Lengths follow what partial forgeries look like in the field. In LAV-DF a fake word lasts
0.65 s on average and 1.6 s at most; in AV-Deepfake1M half of them last less than 0.36 s. So
a length is drawn now like the one, now like the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.audio.loudness import compute_speech_share
from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import EDGE_TOLERANCE, s_to_samples, samples_to_s
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

#: Places drawn before a segment is given up.
_TRIES = 30
#: Places compared by their share of speech: what is said is what is worth forging.
_PLACES = 4
#: Donor moments compared by how well they fit.
_DONOR_PLACES = 16
#: Weight of a different head pose against a different lip shape. A turned head shows as
#: shear of the whole patch, which is the first thing one sees.
_POSE_WEIGHT = 2.0
#: Largest difference of head pose in any frame, in px of the aligned face (128 px wide).
#: Beyond it the patch of a turned head reached over the cheek's outline.
_MAX_POSE_PX = 4.5
#: Less speech than this share of a segment is a pause, and an altered pause tells nothing.
_MIN_SPEECH = 0.3

#: Mean and standard deviation of LAV-DF's lengths: mean 0.65 s, median 0.66 s, none above
#: 1.6 s.
_WORDS_S = (0.65, 0.3)
#: Where most of AV-Deepfake1M's lengths lie; evenly spread logarithms have a median of 0.35 s.
_SHORT_WORDS_S = (0.2, 0.6)


class SegmentConfig(Config):
    """Settings of the fake segments of a clip."""

    min_s: float = Field(default=0.1, gt=0, description="Shortest fake segment, in seconds.")
    max_s: float = Field(default=1.6, gt=0, description="Longest fake segment, in seconds.")
    short_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of segments as short as AV-Deepfake1M's; the others last as in LAV-DF.",
    )
    max_segments: int = Field(
        default=3, ge=1, description="Largest number of fake segments of one clip."
    )
    gap_s: float = Field(
        default=0.3, ge=0, description="Least real time between two fake segments, in seconds."
    )
    max_share: float = Field(
        default=0.5, gt=0, le=1, description="Largest share of a clip that is fake."
    )


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment to be forged.

    Attributes:
        time: The segment, in seconds.
        frames: Indices of its frames; none for audio alone.
        donors: Indices of its donor frames in the same clip; none where no donor is needed.
    """

    time: Segment
    frames: range = range(0)
    donors: range = range(0)


#: Draws a segment of about some length in seconds, or None where the draw did not fit.
Proposer = Callable[[float, np.random.Generator], PlannedSegment | None]


def draw_length_s(config: SegmentConfig, rng: np.random.Generator) -> float:
    """Draw the length of a segment, in seconds, within the bounds of ``config``.

    Source:
        The lengths of LAV-DF and AV-Deepfake1M as their metadata have them.
    """
    if rng.random() < config.short_share:
        length_s = np.exp(rng.uniform(*np.log(_SHORT_WORDS_S)))
    else:
        length_s = rng.normal(*_WORDS_S)
    return float(np.clip(length_s, config.min_s, config.max_s))


def plan_segments(
    propose: Proposer, *, duration_s: float, config: SegmentConfig, rng: np.random.Generator
) -> list[PlannedSegment]:
    """Plan one to ``config.max_segments`` segments in time order, clear of each other.

    Args:
        propose: Draws the places of segments.
        duration_s: Duration of the clip, in seconds.
        config: Length, number and distance of the segments.
        rng: Source of randomness.

    Returns:
        The segments; none where the clip has no room for any.
    """
    planned: list[PlannedSegment] = []
    for _ in range(int(rng.integers(1, config.max_segments + 1))):
        for _ in range(_TRIES):
            segment = propose(draw_length_s(config, rng), rng)
            if segment is None:
                continue
            time = segment.time
            total_s = time.duration_s + sum(p.time.duration_s for p in planned)
            is_clear = all(
                time.start_s >= p.time.end_s + config.gap_s - EDGE_TOLERANCE
                or time.end_s <= p.time.start_s - config.gap_s + EDGE_TOLERANCE
                for p in planned
            )
            if is_clear and total_s <= config.max_share * duration_s:
                planned.append(segment)
                break
    return sorted(planned, key=lambda s: s.time)


def propose_audio(audio: Audio, rate_hz: int) -> Proposer:
    """Make a proposer of segments of audio, in samples, where somebody speaks.

    Args:
        audio: The audio of the clip, shape ``(sample,)``.
        rate_hz: Sample rate, in Hz.
    """

    def propose(length_s: float, rng: np.random.Generator) -> PlannedSegment | None:
        size = s_to_samples(length_s, rate_hz)
        if size >= audio.size:
            return None
        starts = rng.integers(audio.size - size + 1, size=_PLACES)
        speech = [compute_speech_share(audio[s : s + size], rate_hz, like=audio) for s in starts]
        if max(speech) < _MIN_SPEECH:
            return None
        start = int(starts[int(np.argmax(speech))])
        ends_s = samples_to_s(start, rate_hz), samples_to_s(start + size, rate_hz)
        return PlannedSegment(Segment(*ends_s))

    return propose


def propose_frames(
    face: FaceTrace,
    config: SegmentConfig,
    *,
    needs_donor: bool,
    audio: Audio | None,
    rate_hz: int,
    distance_s: tuple[float, float] | None = None,
) -> Proposer:
    """Make a proposer of segments that begin and end with a frame.

    Args:
        face: The face mesh in each frame.
        config: Bounds of the lengths after rounding to frames.
        needs_donor: Whether another moment of the clip must be the donor.
        audio: If given, the segment is to be forged in the audio as well: it lies where
            somebody speaks.
        rate_hz: Sample rate of the audio, in Hz.
        distance_s: If given, the donor is a similar moment at such a distance, in seconds.
    """
    runs_end = face.runs_end
    with_face = np.flatnonzero(runs_end > np.arange(face.num_frames))

    def draw_place(length_s: float, rng: np.random.Generator) -> range | None:
        start = int(rng.choice(with_face))
        end = face.nearest_edge(float(face.edges_s[start]) + length_s)
        if end <= start or end > runs_end[start]:
            return None
        time = face.segment(start, end)
        if audio is not None and s_to_samples(time.end_s, rate_hz) > audio.size:
            return None
        low_s, high_s = config.min_s - EDGE_TOLERANCE, config.max_s + EDGE_TOLERANCE
        return range(start, end) if low_s <= time.duration_s <= high_s else None

    def compute_speech(place: range) -> float:
        if audio is None:
            return 1.0
        time = face.segment(place.start, place.stop)
        start, end = (s_to_samples(t, rate_hz) for t in (time.start_s, time.end_s))
        return compute_speech_share(audio[start:end], rate_hz, like=audio)

    def propose(length_s: float, rng: np.random.Generator) -> PlannedSegment | None:
        if not with_face.size:
            return None
        places = [p for _ in range(_PLACES) if (p := draw_place(length_s, rng))]
        if not places:
            return None
        speech = [compute_speech(place) for place in places]
        if max(speech) < _MIN_SPEECH:
            return None
        target = places[int(np.argmax(speech))]
        time = face.segment(target.start, target.stop)
        if not needs_donor:
            return PlannedSegment(time, target)
        if distance_s is not None:
            donor = find_similar(face, target, distance_s)
        else:
            donor = find_donor(face, target, gap_s=config.gap_s, rng=rng)
        return PlannedSegment(time, target, donor) if donor else None

    return propose


def find_donor(face: FaceTrace, target: range, *, gap_s: float, rng: np.random.Generator) -> range:
    """Find a moment of the same person with other lips in the same head pose.

    Args:
        face: The face mesh in each frame.
        target: Indices of the frames that need a donor.
        gap_s: Least distance of the donor from the segment, in seconds; where the clip is
            too short for that, it only stays outside.
        rng: Draws the moments that are compared.

    Returns:
        Indices of as many frames; none if the clip has no such moment.
    """
    start, end, size = target.start, target.stop, len(target)
    first = np.arange(max(0, face.num_frames - size + 1))
    whole = (face.runs_end[first] >= first + size) & (face.track[first] == face.track[start])
    for clear_s in (gap_s, 0.0):
        before = face.edges_s[first + size] <= face.edges_s[start] - clear_s + EDGE_TOLERANCE
        after = face.edges_s[first] >= face.edges_s[end] + clear_s - EDGE_TOLERANCE
        places = first[whole & (before | after)]
        if places.size:
            starts = rng.choice(places, size=min(_DONOR_PLACES, places.size), replace=False)
            scores = [score_donor(face, target, range(int(s), int(s) + size)) for s in starts]
            best = int(np.argmax(scores))
            at = int(starts[best])
            return range(at, at + size) if np.isfinite(scores[best]) else range(0)
    return range(0)


def find_similar(face: FaceTrace, target: range, distance_s: tuple[float, float]) -> range:
    """Find the moment nearby in which the face is most alike.

    Args:
        face: The face mesh in each frame.
        target: Indices of the frames that are compared.
        distance_s: Least and largest distance of the two starts, in seconds.

    Returns:
        Indices of as many frames; none if the clip has none there.
    """
    start, size = target.start, len(target)
    first = np.arange(max(0, face.num_frames - size + 1))
    whole = (face.runs_end[first] >= first + size) & (face.track[first] == face.track[start])
    away_s = np.abs(face.edges_s[first] - face.edges_s[start])
    low_s, high_s = distance_s[0] - EDGE_TOLERANCE, distance_s[1] + EDGE_TOLERANCE
    apart = np.abs(first - start) >= size
    places = first[whole & apart & (away_s >= low_s) & (away_s <= high_s)]
    if not places.size:
        return range(0)
    offsets = np.arange(size)
    distances = [
        np.linalg.norm(face.points[target] - face.points[place + offsets], axis=-1).mean()
        for place in places
    ]
    best = int(places[int(np.argmin(distances))])
    return range(best, best + size)


def score_donor(face: FaceTrace, target: range, donor: range) -> float:
    """Score a donor: difference of the lips less that of the pose, in px of the aligned face.

    Args:
        face: The face mesh in each frame.
        target: Indices of the frames that need a donor.
        donor: Indices of as many other frames.

    Returns:
        The score; minus infinity where the head pose differs too much in any frame.
    """
    distances = np.linalg.norm(face.points[target] - face.points[donor], axis=-1)
    pose = distances[:, list(ANCHORS)].mean(axis=1)
    if pose.max() > _MAX_POSE_PX:
        return -np.inf
    lips = distances[:, [*LIPS_OUTER, *LIPS_INNER]].mean()
    return float(lips - _POSE_WEIGHT * pose.mean())
