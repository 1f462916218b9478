"""Shows a segment's own frames at the wrong time: held, dropped, backwards, uneven.

The audio goes on as it was. By default only the mouth or the face is shown at the wrong
time, laid over the head as it is held now; the whole frame can be chosen, but dropped
frames also happen to real clips.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, face_box, face_px, require_altered
from mmmsba_plugin.forge.visual.mouth_swap import MouthConfig, MouthSwap, fit_moves
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb

_FEATHER, _FACE_SIZE = 0.03, 0.88
#: A frame of every so many is shown where frames are dropped.
_FEWEST_SHOWN, _MOST_SHOWN = 2, 6

Indices = NDArray[np.int64]
Kind = Literal["hold", "drop", "reverse", "warp"]
Area = Literal["mouth", "face", "frame"]
_KINDS: tuple[Kind, ...] = ("hold", "drop", "reverse", "warp")
_AREAS_DRAWN: tuple[Area, ...] = ("mouth", "face")
_Choice = TypeVar("_Choice")


class FreezeConfig(Config):
    """Settings of frozen, dropped, reversed or warped time."""

    kind: Kind | Literal["any"] = Field(
        default="any",
        description="hold: one moment stands still; drop: only some frames are shown, each for "
        "longer; reverse: backwards; warp: too fast, then too slow; any: drawn anew each time.",
    )
    area: Area | Literal["any"] = Field(
        default="any", description="mouth, face, the whole frame; any: mouth or face."
    )


class Freeze:
    """A segment's own frames at the wrong time.

    Stands for lips that are hidden (a face that freezes over words that were put in) and for
    frames that were dropped or turned round to fit another audio.
    """

    needs_donor = False

    def __init__(self, config: FreezeConfig | None = None) -> None:
        self._config = config or FreezeConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames, each showing another moment of the segment.

        A frame never shows its own moment, nor one that looks the same: there the nearest
        moment that differs steps in.

        Raises:
            ForgeError: The segment has one frame, or nothing moves in it.
        """
        kind, area = _draw(_KINDS, rng), _draw(_AREAS_DRAWN, rng)
        if self._config.kind != "any":
            kind = self._config.kind
        if self._config.area != "any":
            area = self._config.area
        order = _TIMES[kind](len(job.frames), rng)
        sources = [job.frames[i] for i in _that_differ(job, order)]
        return require_altered(job, _AREAS[area](job, sources, rng))


def _hold(count: int, rng: np.random.Generator) -> Indices:
    return np.zeros(count, dtype=np.int64)


def _dropped(count: int, rng: np.random.Generator) -> Indices:
    every = int(rng.integers(_FEWEST_SHOWN, _MOST_SHOWN + 1))
    # One late, as a player that drops frames is; so none falls on its own time.
    return np.maximum(0, np.arange(count) // every * every - 1)


def _reversed(count: int, rng: np.random.Generator) -> Indices:
    return np.arange(count)[::-1]


def _warped(count: int, rng: np.random.Generator) -> Indices:
    power = float(np.exp(rng.choice([-1, 1]) * rng.uniform(np.log(1.5), np.log(2.5))))
    share = (np.arange(count) + 0.5) / count
    return np.minimum(count - 1, (count * share**power).astype(np.int64))


_TIMES: dict[Kind, Callable[[int, np.random.Generator], Indices]] = {
    "hold": _hold,
    "drop": _dropped,
    "reverse": _reversed,
    "warp": _warped,
}


def _mouths(job: FrameJob, sources: list[FaceFrame], rng: np.random.Generator) -> list[Rgb]:
    swap = MouthSwap(MouthConfig())
    return swap.forge_frames(FrameJob(job.frames, job.fps_hz, donors=sources), rng)


def _faces(job: FrameJob, sources: list[FaceFrame], rng: np.random.Generator) -> list[Rgb]:
    moves = fit_moves(sources, job.frames)
    return [_with_face(s, o, m) for s, o, m in zip(job.frames, sources, moves, strict=True)]


def _frames(job: FrameJob, sources: list[FaceFrame], rng: np.random.Generator) -> list[Rgb]:
    return [other.rgb.copy() for other in sources]


_AREAS: dict[Area, Callable[[FrameJob, list[FaceFrame], np.random.Generator], list[Rgb]]] = {
    "mouth": _mouths,
    "face": _faces,
    "frame": _frames,
}


def _with_face(shot: FaceFrame, other: FaceFrame, move: NDArray[np.float64]) -> Rgb:
    corners = face_regions.whole_face(shot, size=_FACE_SIZE)
    patch = Patch(shot, corners, _FEATHER * face_px(shot))
    return patch.lay(patch.in_light(patch.bring(other.rgb, move)))


def _that_differ(job: FrameJob, order: Indices) -> list[int]:
    """Return for each frame the index nearest to the wanted one whose face looks otherwise.

    Raises:
        ForgeError: There is none.
    """
    faces = [_face(shot, job.frames[0]) for shot in job.frames]
    chosen: list[int] = []
    for own, index in enumerate(order):
        nearest = np.argsort(np.abs(np.arange(len(faces)) - index), kind="stable")
        other = (int(i) for i in nearest if not np.array_equal(faces[i], faces[own]))
        if (first := next(other, None)) is None:
            raise ForgeError(
                f"nothing moves in a segment of {len(faces)} frames at {job.frames[0].pts_s:.2f} "
                "s, so showing it at another time changes nothing; forge another segment"
            )
        chosen.append(first)
    return chosen


def _face(shot: FaceFrame, first: FaceFrame) -> Rgb:
    """Return the pixels in which faces are compared: the same for all frames."""
    (left, top), (right, bottom) = (np.maximum(0, edge).astype(int) for edge in face_box(first))
    return shot.rgb[top:bottom, left:right]


def _draw(choices: tuple[_Choice, ...], rng: np.random.Generator) -> _Choice:
    return choices[int(rng.integers(len(choices)))]
