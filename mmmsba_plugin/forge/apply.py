"""Carries out a recipe on a clip: plans its stretches, and has each one altered.

A stretch that a forger turns down, because nothing is heard there or nobody is seen, is left
real; the others stay.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeVar

import numpy as np

from mmmsba_plugin.errors import FeatureError, MmmsbaError
from mmmsba_plugin.forge.augment.video import shown_at_rate
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.face_trace import fetch_frames
from mmmsba_plugin.forge.plan import (
    PlannedSegment,
    Proposer,
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
    FrameForger,
    FrameJob,
    needs_other_clip,
)
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import s_to_samples

_T = TypeVar("_T")

#: A stretch of audio whose difference to what it was is weaker than this, against the louder
#: of the two, was not altered: 40 dB down nobody hears it.
_LEAST_CHANGE = 0.01
#: Where both modalities are fake, so often a stretch has both of them altered, the audio
#: alone, and the frames alone.
_ALTERED = ("both", "audio", "visual")
_ALTERED_ODDS = (0.8, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Operation:
    """What was done to one stretch of one modality.

    Attributes:
        forger: By whom.
        modality: Of what.
        time: When.
    """

    forger: str
    modality: Literal["audio", "visual"]
    time: Segment

    def told(self) -> dict[str, Any]:
        """Return what the metadata says of it."""
        ends = {"start": self.time.start_s, "end": self.time.end_s}
        return {"forger": self.forger, "modality": self.modality, **ends}


@dataclass(frozen=True, slots=True, eq=False)
class ForgedClip:
    """What became of a clip.

    Attributes:
        audio: All of it.
        frames: Those that were altered, by index.
        operations: What was done, the audio's first, each modality in time order.
    """

    audio: Audio
    frames: Mapping[int, Frame]
    operations: tuple[Operation, ...]

    @property
    def kind(self) -> str:
        """Its name in the metadata: ``splice``, ``mouth``, ``splice+mouth``."""
        return "+".join(dict.fromkeys(done.forger for done in self.operations))

    def times(self, modality: Literal["audio", "visual"]) -> list[Segment]:
        """Return when a modality was altered."""
        return [done.time for done in self.operations if done.modality == modality]

    def shown_at(self, fps_hz: Fraction) -> "ForgedClip":
        """Return it as it is told once frames are shown at another rate."""
        told = []
        for done in self.operations:
            time = shown_at_rate(done.time, fps_hz) if done.modality == "visual" else done.time
            if time is not None:
                told.append(replace(done, time=time))
        return replace(self, operations=tuple(told))


def forge_clip(
    footage: SourceClip,
    recipe: Recipe,
    *,
    lenders: Donors,
    config: SegmentConfig,
    rng: np.random.Generator,
) -> ForgedClip:
    """Forge one to three stretches of a clip.

    Args:
        footage: The clip.
        recipe: What it is forged with.
        lenders: Other clips, for forgers that need them.
        config: How long and how many the stretches are.
        rng: Of everything random.

    Raises:
        FeatureError: The clip has no room for a fake stretch with real time around it,
            or each one of a modality was turned down.
    """
    stretches = plan_segments(
        _proposer(footage, recipe, config), duration_s=footage.duration_s, config=config, rng=rng
    )
    if not stretches:
        raise FeatureError(
            "it has no room for a fake stretch with real time around it; give a longer clip "
            "in which somebody is seen to speak"
        )
    work = _Work(footage, lenders, rng)
    heard, seen = _shared_out(len(stretches), recipe, rng)
    for turn in heard:
        work.on_audio(stretches[turn], _taking_turns(recipe.audios, turn))
    work.fetch_frames([stretches[turn] for turn in seen])
    for turn in seen:
        work.on_frames(stretches[turn], _taking_turns(recipe.frames, turn))
    return work.done(recipe)


class _Work:
    """A clip while it is altered stretch by stretch."""

    def __init__(self, footage: SourceClip, lenders: Donors, rng: np.random.Generator) -> None:
        self._footage, self._lenders, self._rng = footage, lenders, rng
        self._audio = footage.audio.copy()
        self._fetched: dict[int, Frame] = {}
        self._frames: dict[int, Frame] = {}
        self._operations: list[Operation] = []
        self._turned_down: list[FeatureError] = []

    def fetch_frames(self, stretches: Sequence[PlannedSegment]) -> None:
        """Read the frames of stretches, and those that lend to them, in one go."""
        needed = {i for s in stretches for i in (*s.frames, *s.donors)}
        self._fetched = fetch_frames(self._footage.frames(), needed)

    def on_audio(self, stretch: PlannedSegment, by: tuple[str, AudioForger]) -> None:
        """Alter a stretch of audio."""
        name, forger = by
        rate_hz = self._footage.sample_rate_hz
        ends_s = stretch.time.start_s, stretch.time.end_s
        start, end = (s_to_samples(t, rate_hz) for t in ends_s)

        def forge() -> Audio:
            donor = self._lenders.audio(end - start, self._rng) if forger.needs_donor else None
            job = AudioJob(self._footage.audio, start, end, rate_hz, donor)
            new = _asked(name, lambda: forger.forge_audio(job, self._rng))
            _require_as_many(name, new.size, end - start, "samples")
            _require_altered(name, job.span, new)
            return new

        for new in self._unless_turned_down(forge):
            self._audio[start:end] = new
            self._operations.append(Operation(name, "audio", stretch.time))

    def on_frames(self, stretch: PlannedSegment, by: tuple[str, FrameForger]) -> None:
        """Alter the frames of a stretch that were fetched."""
        name, forger = by
        face, here, fetched = self._footage.face, stretch.frames, self._fetched

        def forge() -> dict[int, Frame]:
            like = face.points[here.start : here.stop]
            job = FrameJob(
                frames=[face.face_frame(i, fetched[i]) for i in here],
                fps_hz=float(self._footage.fps_hz),
                donors=[face.face_frame(i, fetched[i]) for i in stretch.donors],
                other_clip_donors=self._lenders.faces(like, self._rng)
                if needs_other_clip(forger)
                else (),
            )
            new = _asked(name, lambda: forger.forge_frames(job, self._rng))
            _require_as_many(name, len(new), len(here), "frames")
            return {i: Frame(fetched[i].pts_s, rgb) for i, rgb in zip(here, new, strict=True)}

        for new in self._unless_turned_down(forge):
            self._frames |= new
            self._operations.append(Operation(name, "visual", stretch.time))

    def done(self, recipe: Recipe) -> ForgedClip:
        """Return what became of the clip, if each modality of the recipe was altered."""
        altered = {done.modality for done in self._operations}
        wanted = {"audio"} if recipe.audios else set()
        wanted |= {"visual"} if recipe.frames else set()
        if altered != wanted:
            raise self._turned_down[-1]
        return ForgedClip(self._audio, self._frames, tuple(self._operations))

    def _unless_turned_down(self, forge: Callable[[], _T]) -> Iterator[_T]:
        try:
            yield forge()
        except FeatureError as error:
            self._turned_down.append(error)


def _proposer(footage: SourceClip, recipe: Recipe, config: SegmentConfig) -> Proposer:
    rate_hz = footage.sample_rate_hz
    if not recipe.frames:
        return propose_audio(footage.audio, rate_hz)
    return propose_frames(
        footage.face,
        config,
        needs_donor=any(forger.needs_donor for _, forger in recipe.frames),
        audio=footage.audio if recipe.audios else None,
        rate_hz=rate_hz,
    )


def _shared_out(
    num_stretches: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Return which stretches have their audio altered, and which their frames."""
    altered = rng.choice(_ALTERED, size=num_stretches, p=_ALTERED_ODDS)
    # Whatever was drawn, both modalities are fake somewhere.
    altered[int(rng.integers(num_stretches))] = "both"
    if not (recipe.audios and recipe.frames):
        altered[:] = "both"
    heard = np.flatnonzero(altered != "visual") if recipe.audios else ()
    seen = np.flatnonzero(altered != "audio") if recipe.frames else ()
    return [int(turn) for turn in heard], [int(turn) for turn in seen]


def _taking_turns(forgers: Sequence[tuple[str, _T]], turn: int) -> tuple[str, _T]:
    return forgers[turn % len(forgers)]


def _asked(name: str, forge: Callable[[], _T]) -> _T:
    """Return what a forger makes; whatever it stumbles over is told as its refusal."""
    try:
        return forge()
    except FeatureError:
        raise
    except MmmsbaError as error:
        raise FeatureError(f"the forger {name!r} cannot work here: {error}") from error
    except Exception as error:
        raise FeatureError(
            f"the forger {name!r} failed ({type(error).__name__}: {error}); leave it out, and tell "
            "those who wrote it"
        ) from error


def _require_as_many(name: str, got: int, wanted: int, what: str) -> None:
    if got != wanted:
        raise FeatureError(
            f"the forger {name!r} returned {got} {what} for a stretch of {wanted}; a forger that "
            "changes a clip's length cannot be run yet, so return as many as the stretch has"
        )


def _require_altered(name: str, old: Audio, new: Audio) -> None:
    """Refuse a stretch that sounds as it did: a detector would learn to see ghosts in it."""
    change, loudest = _rms(new - old), max(_rms(old), _rms(new))
    if not np.isfinite(change) or change <= _LEAST_CHANGE * loudest:
        raise FeatureError(
            f"the forger {name!r} left a stretch as it was, or made it no audio at all; give a "
            "clip in which somebody speaks"
        )


def _rms(audio: Audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
