"""Apply a recipe to a clip: plan its segments, and let forgers alter each of them.

A segment that a forger refuses, because nothing is said or no face is visible there, is left
real; the others stay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, TypeVar

import numpy as np

from mmmsba_plugin.errors import ForgeError, MmmsbaError
from mmmsba_plugin.forge.audio.loudness import compute_rms
from mmmsba_plugin.forge.augment.video import shown_at_rate
from mmmsba_plugin.forge.both.aligned_fake import AlignedFake
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.face_trace import fetch_frames
from mmmsba_plugin.forge.plan import (
    PlannedSegment,
    SegmentConfig,
    plan_segments,
    propose_audio,
    propose_frames,
)
from mmmsba_plugin.forge.recipes import Recipe
from mmmsba_plugin.forge.source_clip import SourceClip
from mmmsba_plugin.forger import (
    Audio,
    AudioForger,
    AudioJob,
    FaceFrame,
    FrameForger,
    FrameJob,
    donor_distance_s,
    max_segment_s,
    needs_counterpart,
    needs_other_audio,
    needs_other_clip,
)
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.timebase import s_to_samples

_T = TypeVar("_T")

#: A span of audio whose difference to the real one is weaker than this, against the louder
#: of the two, was not altered: 40 dB down nobody hears it.
_MIN_CHANGE = 0.01
#: Where both modalities are fake, so often a segment has both of them altered, the audio
#: alone, and the frames alone.
_MODALITIES = ("both", "audio", "visual")
_MODALITY_ODDS = (0.8, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a clip or a segment of it cannot be forged.

    Attributes:
        reason: Why, and what would help.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One manipulation of one segment of one modality.

    Attributes:
        forger: Name of the forger.
        modality: The modality that was manipulated.
        time: The segment.
        generator: Name of the generator whose fake was cut in, where it was one and is known.
    """

    forger: str
    modality: Literal["audio", "visual"]
    time: Segment
    generator: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in the metadata."""
        ends = {"start": self.time.start_s, "end": self.time.end_s}
        generator = {"generator": self.generator} if self.generator else {}
        return {"forger": self.forger, "modality": self.modality, **ends, **generator}


@dataclass(frozen=True, slots=True, eq=False)
class FakeClip:
    """A clip after its segments were manipulated.

    Attributes:
        audio: All of it, shape ``(sample,)``.
        frames: The manipulated frames, by index.
        operations: The manipulations, the audio's first, each modality in time order.
    """

    audio: Audio
    frames: Mapping[int, Frame]
    operations: tuple[Operation, ...]

    @property
    def kind(self) -> str:
        """Its name in the metadata: ``splice``, ``mouth``, ``splice+mouth``."""
        return "+".join(dict.fromkeys(operation.forger for operation in self.operations))

    def segments(self, modality: Literal["audio", "visual"]) -> list[Segment]:
        """Return the manipulated segments of a modality."""
        return [o.time for o in self.operations if o.modality == modality]

    def at_frame_rate(self, fps_hz: Fraction) -> "FakeClip":
        """Return it with the segments that its frames have at another frame rate."""
        operations = []
        for operation in self.operations:
            time: Segment | None = operation.time
            if operation.modality == "visual":
                time = shown_at_rate(operation.time, fps_hz)
            if time is not None:
                operations.append(replace(operation, time=time))
        return replace(self, operations=tuple(operations))


def forge_clip(
    clip: SourceClip,
    recipe: Recipe,
    *,
    donors: Donors,
    config: SegmentConfig,
    rng: np.random.Generator,
    aligned: AlignedFake | None = None,
) -> FakeClip | Refusal:
    """Forge one to three segments of a clip.

    Args:
        clip: The real clip.
        recipe: The forgers that manipulate it.
        donors: Other clips, for forgers that need them.
        config: Length and number of the segments.
        rng: Source of all randomness.
        aligned: A fake of the whole clip, for forgers that need one.

    Returns:
        The forged clip; or a refusal, where the clip has no room for a fake segment with real
        time around it, or each segment of a modality was refused.
    """
    limit_s = min(map(max_segment_s, recipe.forgers))
    if recipe.frames:
        with_donor = [forger for _, forger in recipe.frames if forger.needs_donor]
        distances_s = [donor_distance_s(forger) for forger in with_donor]
        propose = propose_frames(
            clip.face,
            config,
            needs_donor=bool(with_donor),
            distance_s=distances_s[0] if len(set(distances_s)) == 1 else None,
            audio=clip.audio if recipe.audios else None,
            rate_hz=clip.sample_rate_hz,
        )
    else:
        propose = propose_audio(clip.audio, clip.sample_rate_hz)
    frames_are_cut = any(needs_counterpart(forger) for _, forger in recipe.frames)

    def propose_usable(length_s: float, rng: np.random.Generator) -> PlannedSegment | None:
        segment = propose(min(length_s, limit_s), rng)
        # Every frame must differ in a counterpart; where lips stay shut, some do not.
        if segment and aligned and frames_are_cut:
            return segment if aligned.changed[list(segment.frames)].all() else None
        return segment

    segments = plan_segments(propose_usable, duration_s=clip.duration_s, config=config, rng=rng)
    if not segments:
        return Refusal(
            "it has no room for a fake segment with real time around it; give a longer clip "
            "in which somebody is seen to speak"
        )
    audio_turns, frame_turns = assign_modalities(len(segments), recipe, rng)
    audios = [(segments[i], *recipe.audios[i % len(recipe.audios)]) for i in audio_turns]
    frames = [(segments[i], *recipe.frames[i % len(recipe.frames)]) for i in frame_turns]
    new_audio, audio_log = _alter_audio(clip, audios, donors, rng, aligned)
    new_frames, frame_log = _alter_frames(clip, frames, donors, rng, aligned)
    for forgers, log in ((recipe.frames, frame_log), (recipe.audios, audio_log)):
        if forgers and not log.operations:
            return log.refusals[-1]
    return FakeClip(new_audio, new_frames, (*audio_log.operations, *frame_log.operations))


@dataclass(frozen=True, slots=True)
class _Log:
    operations: list[Operation] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def _alter_audio(
    clip: SourceClip,
    plan: Sequence[tuple[PlannedSegment, str, AudioForger]],
    donors: Donors,
    rng: np.random.Generator,
    aligned: AlignedFake | None,
) -> tuple[Audio, _Log]:
    """Alter segments of the audio, each by its forger, and return all of the audio."""
    audio, log = clip.audio.copy(), _Log()
    for segment, name, forger in plan:
        start, end = (
            s_to_samples(t, clip.sample_rate_hz) for t in (segment.time.start_s, segment.time.end_s)
        )
        donor = donors.find_audio(end - start, rng) if needs_other_audio(forger) else None
        cut_to = aligned if needs_counterpart(forger) else None
        counterpart = cut_to.clip.audio if cut_to else None
        moment = float(clip.face.edges_s[segment.donors.start]) if segment.donors else None
        donor_start = None if moment is None else s_to_samples(moment, clip.sample_rate_hz)
        job = AudioJob(clip.audio, start, end, clip.sample_rate_hz, donor, counterpart, donor_start)
        span = _forge_audio(name, forger, job, rng)
        if isinstance(span, Refusal):
            log.refusals.append(span)
        else:
            audio[start:end] = span
            generator = cut_to.counterpart.generator if cut_to else None
            log.operations.append(Operation(name, "audio", segment.time, generator))
    return audio, log


def _alter_frames(
    clip: SourceClip,
    plan: Sequence[tuple[PlannedSegment, str, FrameForger]],
    donors: Donors,
    rng: np.random.Generator,
    aligned: AlignedFake | None,
) -> tuple[dict[int, Frame], _Log]:
    """Alter the frames of segments, each by its forger, and return these frames by index."""
    altered, log, face = dict[int, Frame](), _Log(), clip.face
    # The frames of all segments, and their donors, are read in one go.
    indices = {i for segment, _, _ in plan for i in (*segment.frames, *segment.donors)}
    frames = fetch_frames(clip.frames(), indices)
    cut_in = {i for segment, _, forger in plan if needs_counterpart(forger) for i in segment.frames}
    fakes = fetch_frames(aligned.clip.frames(), cut_in) if aligned else {}
    for segment, name, forger in plan:
        target, others = segment.frames, list[FaceFrame]()
        cut_to = aligned if needs_counterpart(forger) else None
        if needs_other_clip(forger):
            others = donors.find_faces(face.points[target.start : target.stop], rng)
        job = FrameJob(
            frames=[face.face_frame(i, frames[i]) for i in target],
            fps_hz=float(clip.fps_hz),
            donors=[face.face_frame(i, frames[i]) for i in segment.donors],
            other_clip_donors=others,
            counterpart=[face.face_frame(i, fakes[i]) for i in target] if cut_to else (),
        )
        new = _forge_frames(name, forger, job, rng)
        if isinstance(new, Refusal):
            log.refusals.append(new)
        else:
            altered |= {i: Frame(frames[i].pts_s, rgb) for i, rgb in zip(target, new, strict=True)}
            generator = cut_to.counterpart.generator if cut_to else None
            log.operations.append(Operation(name, "visual", segment.time, generator))
    return altered, log


def assign_modalities(
    num_segments: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Draw which segments have their audio altered, and which their frames.

    Args:
        num_segments: The number of segments of the clip.
        recipe: The forgers; where it has one modality only, all segments are altered in it.
        rng: Source of randomness.

    Returns:
        Indices of the segments for audio, and for frames. Where the recipe has both, at least
        one segment has both altered.
    """
    altered = rng.choice(_MODALITIES, size=num_segments, p=_MODALITY_ODDS)
    # Whatever was drawn, both modalities are fake somewhere.
    altered[int(rng.integers(num_segments))] = "both"
    if not (recipe.audios and recipe.frames):
        altered[:] = "both"
    audio = np.flatnonzero(altered != "visual") if recipe.audios else ()
    visual = np.flatnonzero(altered != "audio") if recipe.frames else ()
    return [int(turn) for turn in audio], [int(turn) for turn in visual]


def _forge_audio(
    name: str, forger: AudioForger, job: AudioJob, rng: np.random.Generator
) -> Audio | Refusal:
    if needs_other_audio(forger) and job.donor is None:
        return Refusal(
            "no other clip of the split has as much audio for a donor; give more or longer clips"
        )
    old, new = job.span, _call(name, lambda: forger.forge_audio(job, rng))
    if isinstance(new, Refusal):
        return new
    if new.size != old.size:
        return _wrong_length(name, new.size, old.size, "samples")
    # A detector trained on an unaltered segment would learn to see ghosts in it.
    change, loudest = compute_rms(new - old), max(compute_rms(old), compute_rms(new))
    if not np.isfinite(change) or change <= _MIN_CHANGE * loudest:
        return Refusal(
            f"the forger {name!r} left a segment as it was, or made it no audio at all; give a "
            "clip in which somebody speaks"
        )
    return new


def _forge_frames(
    name: str, forger: FrameForger, job: FrameJob, rng: np.random.Generator
) -> list[Rgb] | Refusal:
    if needs_other_clip(forger) and not job.other_clip_donors:
        return Refusal(
            "no other clip of the split has a face for as long for a donor; give more or longer "
            "clips"
        )
    new = _call(name, lambda: forger.forge_frames(job, rng))
    if isinstance(new, Refusal) or len(new) == len(job.frames):
        return new
    return _wrong_length(name, len(new), len(job.frames), "frames")


def _call(name: str, forge: Callable[[], _T]) -> _T | Refusal:
    """Return the result of a forger; any error of it becomes its refusal."""
    try:
        return forge()
    except ForgeError as error:
        return Refusal(str(error))
    except MmmsbaError as error:
        return Refusal(f"the forger {name!r} cannot work here: {error}")
    except Exception as error:  # noqa: BLE001 - a bug of a plug-in must not end the run
        return Refusal(
            f"the forger {name!r} failed ({type(error).__name__}: {error}); leave it out, and tell "
            "those who wrote it"
        )


def _wrong_length(name: str, size: int, expected: int, unit: str) -> Refusal:
    return Refusal(
        f"the forger {name!r} returned {size} {unit} for a segment of {expected}; a forger that "
        "changes a clip's length cannot be run yet, so return as many as the segment has"
    )
