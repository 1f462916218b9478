"""Decides which stretches of a clip are fake, and where their material comes from.

Lengths follow what partial forgeries look like in the field. In LAV-DF a fake word lasts
0.65 s on average and 1.6 s at most; in AV-Deepfake1M half of them last less than 0.36 s. So
a length is drawn now like the one, now like the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.audio.loudness import compute_speech_share
from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import EDGE_TOLERANCE, s_to_samples, samples_to_s
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

#: Places drawn before a stretch is given up.
_TRIES = 30
#: Places compared by how much is spoken there: what is said is what is worth forging.
_PLACES = 4
#: Donor moments compared by how well they fit.
_DONOR_PLACES = 16
#: How much a head that is held otherwise counts against lips that move otherwise. A turned
#: head shows as shear of the whole patch, which is the first thing one sees.
_POSE_WEIGHT = 2.0
#: The head may be held otherwise by this much in any frame, in px of the aligned face (128
#: px wide). Beyond it the patch of a turned head reached over the cheek's outline.
_MAX_POSE_PX = 4.5
#: Less speech than this share of a stretch is a pause, and a pause that was altered tells
#: nothing.
_MIN_SPOKEN = 0.3

#: Middle and spread of LAV-DF's lengths: mean 0.65 s, median 0.66 s, none above 1.6 s.
_WORDS_S = (0.65, 0.3)
#: Where most of AV-Deepfake1M's lengths lie; evenly spread logarithms have a median of 0.35 s.
_SHORT_WORDS_S = (0.2, 0.6)


class SegmentConfig(Config):
    """How long, how many, how far apart the fake stretches of a clip are."""

    min_s: float = Field(default=0.1, gt=0, description="Shortest stretch, in seconds.")
    max_s: float = Field(default=1.6, gt=0, description="Longest stretch, in seconds.")
    short_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of stretches as short as AV-Deepfake1M's; the others last as in LAV-DF.",
    )
    max_segments: int = Field(default=3, ge=1, description="Most stretches of one clip.")
    gap_s: float = Field(
        default=0.3, ge=0, description="Real time between two stretches, in seconds."
    )
    max_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of a clip that may be fake."
    )


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A stretch to be fake.

    Attributes:
        time: When.
        frames: Indices of its frames; none for audio alone.
        donors: Indices of the frames that lend to them; none where no donor is needed.
    """

    time: Segment
    frames: range = range(0)
    donors: range = range(0)


#: Draws a stretch of about some length in seconds, or None where the draw did not fit.
Proposer = Callable[[float, np.random.Generator], PlannedSegment | None]


def draw_length_s(config: SegmentConfig, rng: np.random.Generator) -> float:
    """Return how long a stretch shall last, in seconds, within the bounds of ``config``.

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
    """Return one to ``config.max_segments`` stretches in time order, clear of each other.

    None come back where the clip has no room for any.
    """
    planned: list[PlannedSegment] = []
    for _ in range(int(rng.integers(1, config.max_segments + 1))):
        for _ in range(_TRIES):
            stretch = propose(draw_length_s(config, rng), rng)
            if stretch is not None and _fits(stretch, planned, duration_s, config):
                planned.append(stretch)
                break
    return sorted(planned, key=lambda s: s.time)


def propose_audio(audio: Audio, rate_hz: int) -> Proposer:
    """Return a proposer of stretches of audio, in samples, where something is said."""

    def propose(length_s: float, rng: np.random.Generator) -> PlannedSegment | None:
        size = s_to_samples(length_s, rate_hz)
        if size >= audio.size:
            return None
        starts = rng.integers(audio.size - size + 1, size=_PLACES)
        spoken = [compute_speech_share(audio[s : s + size], rate_hz, like=audio) for s in starts]
        if max(spoken) < _MIN_SPOKEN:
            return None
        start = int(starts[int(np.argmax(spoken))])
        ends_s = samples_to_s(start, rate_hz), samples_to_s(start + size, rate_hz)
        return PlannedSegment(Segment(*ends_s))

    return propose


def propose_frames(
    trace: FaceTrace, config: SegmentConfig, *, needs_donor: bool, audio: Audio | None, rate_hz: int
) -> Proposer:
    """Return a proposer of stretches that begin and end with a frame.

    Args:
        trace: Where the face is seen.
        config: Which lengths are allowed after rounding to frames.
        needs_donor: Whether another moment of the clip must lend its frames.
        audio: If given, the stretch is to be forged in the audio as well: it lies where
            something is said.
        rate_hz: Samples a second of the audio.
    """
    runs_end = trace.runs_end
    faced = np.flatnonzero(runs_end > np.arange(trace.num_frames))

    def place(length_s: float, rng: np.random.Generator) -> tuple[int, int] | None:
        start = int(rng.choice(faced))
        end = trace.nearest_edge(float(trace.edges_s[start]) + length_s)
        if end <= start or end > runs_end[start]:
            return None
        time = trace.segment(start, end)
        audible = audio is None or s_to_samples(time.end_s, rate_hz) <= audio.size
        return (start, end) if audible and _allowed(time.duration_s, config) else None

    def propose(length_s: float, rng: np.random.Generator) -> PlannedSegment | None:
        if not faced.size:
            return None
        places = [p for _ in range(_PLACES) if (p := place(length_s, rng))]
        if not places:
            return None
        spoken = [_spoken(trace.segment(*p), audio, rate_hz) for p in places]
        if max(spoken) < _MIN_SPOKEN:
            return None
        start, end = places[int(np.argmax(spoken))]
        here, time = range(start, end), trace.segment(start, end)
        if not needs_donor:
            return PlannedSegment(time, here)
        there = find_donor(trace, here, gap_s=config.gap_s, rng=rng)
        return PlannedSegment(time, here, there) if there else None

    return propose


def find_donor(trace: FaceTrace, here: range, *, gap_s: float, rng: np.random.Generator) -> range:
    """Return where the same person's lips do something else while the head is held alike.

    Args:
        trace: Where the face is seen.
        here: Indices of the frames that need a donor.
        gap_s: How far from the stretch the donor should be, in seconds; where the clip is
            too short for that, it only stays outside.
        rng: Draws the moments that are compared.

    Returns:
        Indices of as many frames; none if the clip has no such moment.
    """
    start, end, size = here.start, here.stop, len(here)
    first = np.arange(max(0, trace.num_frames - size + 1))
    whole = (trace.runs_end[first] >= first + size) & (trace.track[first] == trace.track[start])
    for clear_s in (gap_s, 0.0):
        before = trace.edges_s[first + size] <= trace.edges_s[start] - clear_s + EDGE_TOLERANCE
        after = trace.edges_s[first] >= trace.edges_s[end] + clear_s - EDGE_TOLERANCE
        places = first[whole & (before | after)]
        if places.size:
            drawn = rng.choice(places, size=min(_DONOR_PLACES, places.size), replace=False)
            moments = [range(int(d), int(d) + size) for d in drawn]
            rated = [
                (r, there) for there in moments if (r := _rate(trace, here, there)) is not None
            ]
            return max(rated, default=(0.0, range(0)), key=lambda one: one[0])[1]
    return range(0)


def _rate(trace: FaceTrace, here: range, there: range) -> float | None:
    """Return how far the lips differ less how far the head does, in px of the aligned face.

    None where the head is held too differently in any frame.
    """
    apart = np.linalg.norm(trace.points[here] - trace.points[there], axis=-1)
    pose = apart[:, list(ANCHORS)].mean(axis=1)
    if pose.max() > _MAX_POSE_PX:
        return None
    lips = apart[:, [*LIPS_OUTER, *LIPS_INNER]].mean()
    return float(lips - _POSE_WEIGHT * pose.mean())


def _fits(
    stretch: PlannedSegment, planned: list[PlannedSegment], duration_s: float, config: SegmentConfig
) -> bool:
    time = stretch.time
    total_s = time.duration_s + sum(p.time.duration_s for p in planned)
    clear = all(
        time.start_s >= p.time.end_s + config.gap_s - EDGE_TOLERANCE
        or time.end_s <= p.time.start_s - config.gap_s + EDGE_TOLERANCE
        for p in planned
    )
    return clear and total_s <= config.max_share * duration_s


def _allowed(duration_s: float, config: SegmentConfig) -> bool:
    return config.min_s - EDGE_TOLERANCE <= duration_s <= config.max_s + EDGE_TOLERANCE


def _spoken(time: Segment, audio: Audio | None, rate_hz: int) -> float:
    if audio is None:
        return 1.0
    return compute_speech_share(samples_in(audio, time, rate_hz), rate_hz, like=audio)


def samples_in(audio: Audio, time: Segment, rate_hz: int) -> NDArray[np.float32]:
    """Return the samples that audio during ``time``."""
    return audio[s_to_samples(time.start_s, rate_hz) : s_to_samples(time.end_s, rate_hz)]
