"""Show a segment's own frames at the wrong time: held, dropped, backwards, uneven.

The audio goes on as it was. By default only the mouth or the face is shown at the wrong
time, laid over the head as it is held now; the whole frame can be chosen, but dropped
frames also happen to real clips.
"""

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
        order = draw_order(kind, len(job.frames), rng)
        sources = [job.frames[i] for i in find_different(job, order)]
        return require_altered(job, show(area, job, sources))


def draw_order(kind: Kind, count: int, rng: np.random.Generator) -> Indices:
    """Draw which frame of a segment is shown at each place, shape ``(count,)``."""
    if kind == "hold":
        return np.zeros(count, dtype=np.int64)
    if kind == "reverse":
        return np.arange(count)[::-1]
    if kind == "drop":
        every = int(rng.integers(_FEWEST_SHOWN, _MOST_SHOWN + 1))
        # One late, as a player that drops frames is; so none falls on its own time.
        return np.maximum(0, np.arange(count) // every * every - 1)
    power = float(np.exp(rng.choice([-1, 1]) * rng.uniform(np.log(1.5), np.log(2.5))))
    share = (np.arange(count) + 0.5) / count
    return np.minimum(count - 1, (count * share**power).astype(np.int64))


def show(area: Area, job: FrameJob, sources: list[FaceFrame]) -> list[Rgb]:
    """Show other moments of a segment, in an area of its frames.

    Args:
        area: The area.
        job: The segment.
        sources: The moment to show in each frame.
    """
    if area == "frame":
        return [other.rgb.copy() for other in sources]
    if area == "mouth":
        return MouthSwap(MouthConfig()).swap_mouths(job.frames, sources)
    fake: list[Rgb] = []
    moves = fit_moves(sources, job.frames)
    for shot, other, move in zip(job.frames, sources, moves, strict=True):
        corners = face_regions.whole_face(shot, size=_FACE_SIZE)
        patch = Patch(shot, corners, _FEATHER * face_px(shot))
        fake.append(patch.lay(patch.in_light(patch.bring(other.rgb, move))))
    return fake


def find_different(job: FrameJob, order: Indices) -> list[int]:
    """Find for each frame the moment nearest to the ordered one whose face looks otherwise.

    Args:
        job: The segment.
        order: Index of the moment to show in each frame, shape ``(frame,)``.

    Raises:
        ForgeError: There is none.
    """
    # Faces are compared in the same pixels of all frames.
    (left, top), (right, bottom) = (
        np.maximum(0, edge).astype(int) for edge in face_box(job.frames[0])
    )
    faces = [shot.rgb[top:bottom, left:right] for shot in job.frames]
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


def _draw(choices: tuple[_Choice, ...], rng: np.random.Generator) -> _Choice:
    return choices[int(rng.integers(len(choices)))]
