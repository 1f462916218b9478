"""Lays the mouth of another moment over a face.

What a lip-sync forger does, without a network: the same person's mouth, moved to where the
face is now, in the light of now, with an edge too soft to see. Only a rectangle around the
mouth is worked on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.evidence import Rgb
from mmmsba_plugin.forge.base import PictureJob, Shot
from mmmsba_plugin.tracks.crop import RIGID
from mmmsba_plugin.tracks.mesh import LIPS_OUTER, apply_affine

#: Points that hold a mouth in place: those that no expression moves, the foot of the nose,
#: the cheekbones, and where the jaw hangs. The first alone lie so far above the mouth that
#: an error of a pixel there is one of several at the lips.
ANCHORS = (*RIGID, 2, 98, 327, 50, 280, 234, 454, 93, 323)

#: The foot of the nose, which a mouth's edge must stay below.
_NOSE = 2
_CHIN = 152
#: The soft edge reaches about this many widths of its blur.
_REACH = 2.5


class MouthConfig(Chapter):
    """How another moment's mouth is laid over a face."""

    spread: float = Field(
        default=1.35, ge=1, le=2, description="Size of the patch against the lips it covers."
    )
    feather: float = Field(
        default=0.08, gt=0, le=0.5, description="Softness of its edge, in widths of the mouth."
    )


class MouthSwap:
    """The mouth of another moment of the same clip, aligned and feathered."""

    needs_donor = True

    def __init__(self, config: MouthConfig | None = None) -> None:
        self._config = config or MouthConfig()

    def forge_pictures(self, job: PictureJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the pictures with the donors' mouths.

        Raises:
            FeatureError: There are not as many donors as pictures.
        """
        if len(job.donors) != len(job.shots):
            raise FeatureError(
                f"{len(job.shots)} pictures need as many donors, got {len(job.donors)}; take a "
                "stretch of the same length from another moment of the clip"
            )
        moves = _steady([fit_anchors(d, s) for s, d in zip(job.shots, job.donors, strict=True)])
        return [
            self._with_mouth(shot, donor, move)
            for shot, donor, move in zip(job.shots, job.donors, moves, strict=True)
        ]

    def _with_mouth(self, shot: Shot, donor: Shot, move: NDArray[np.float64]) -> Rgb:
        import cv2

        lips = _lips_of_both(shot, donor, move)
        patch = _patch(lips, shot, spread=self._config.spread)
        blur_px = max(0.7, self._config.feather * float(np.ptp(lips[:, 0])))
        window = _Window.around(patch, _REACH * blur_px, shot.rgb)
        mask = window.soft_mask(patch, blur_px)
        here = window.of(shot.rgb).astype(np.float32)
        there = cv2.warpAffine(
            donor.rgb,
            window.shifted(move),
            window.size_px,
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        there += _light(here - there, mask)
        forged = shot.rgb.copy()
        blended = here + mask[..., None] * (there - here)
        window.of(forged)[:] = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
        return forged


def fit_anchors(donor: Shot, shot: Shot) -> NDArray[np.float64]:
    """Return the affine map that brings a donor's face onto that of ``shot``.

    Returns:
        Least-squares fit over :data:`ANCHORS`, shape ``(2, 3)``, in picture pixels.
    """
    source = donor.points_px[list(ANCHORS)]
    rows = np.column_stack([source, np.ones(len(ANCHORS))])
    solution, *_ = np.linalg.lstsq(rows, shot.points_px[list(ANCHORS)], rcond=None)
    return np.ascontiguousarray(solution.T)


def _steady(moves: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the maps, each averaged with its neighbours: a mesh trembles, a jaw does not."""
    padded = [moves[0], *moves, moves[-1]]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(padded, moves, padded[2:], strict=False)]


def _lips_of_both(shot: Shot, donor: Shot, move: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outlines of the old and of the new lips, so that the patch covers both."""
    outline = list(LIPS_OUTER)
    return np.concatenate([shot.points_px[outline], apply_affine(move, donor.points_px[outline])])


def _patch(lips: NDArray[np.float64], shot: Shot, *, spread: float) -> NDArray[np.float64]:
    """Return the corners of the patch: lips made larger, but clear of nose and chin."""
    import cv2

    center = (lips.min(axis=0) + lips.max(axis=0)) / 2
    corners = center + spread * (lips - center)
    down = shot.points_px[_CHIN] - shot.points_px[_NOSE]
    depth = (corners - shot.points_px[_NOSE]) @ down / max(float(down @ down), 1e-6)
    # In shares of the way from the foot of the nose to the chin.
    wanted = np.clip(depth, 0.06, 1.0)
    corners = corners + (wanted - depth)[:, None] * down
    hull: NDArray[np.float64] = cv2.convexHull(corners.astype(np.float32))[:, 0].astype(np.float64)
    return hull


@dataclass(frozen=True, slots=True)
class _Window:
    """The rectangle of a picture that is worked on, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, corners: NDArray[np.float64], margin_px: float, rgb: Rgb) -> "_Window":
        height, width = rgb.shape[:2]
        low = np.floor(corners.min(axis=0) - margin_px).astype(int)
        high = np.ceil(corners.max(axis=0) + margin_px).astype(int) + 1
        left, top = np.clip(low, 0, (width - 1, height - 1))
        right, bottom = np.clip(high, (left + 1, top + 1), (width, height))
        return cls(int(left), int(top), int(right), int(bottom))

    @property
    def size_px(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top

    def of(self, rgb: Rgb) -> Rgb:
        """Return the window's view of a picture."""
        return rgb[self.top : self.bottom, self.left : self.right]

    def shifted(self, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a map into the picture as one into the window."""
        return np.asarray(affine - np.array([[0, 0, self.left], [0, 0, self.top]]))

    def soft_mask(self, corners: NDArray[np.float64], blur_px: float) -> NDArray[np.float32]:
        """Return how much of the patch shows, in [0, 1], shape ``(row, column)``."""
        import cv2

        mask = np.zeros(self.size_px[::-1], dtype=np.float32)
        inside = np.rint(corners - (self.left, self.top)).astype(np.int32)
        cv2.fillConvexPoly(mask, inside, 1.0)
        soft: NDArray[np.float32] = cv2.GaussianBlur(
            mask, (0, 0), blur_px, borderType=cv2.BORDER_CONSTANT
        )
        return soft


def _light(difference: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the shift of colour from then to now, seen on the skin of the patch's edge.

    A plane for each channel rather than one number, because a lamp beside a face lights one
    corner of the mouth more than the other.
    """
    weight = (mask * (1 - mask)).ravel()
    places = np.indices(mask.shape, dtype=np.float64)
    basis = np.stack([np.ones(mask.size), _centred(places[1]), _centred(places[0])], axis=1)
    weighted = basis * weight[:, None]
    # A little ridge, because a patch cut by the picture's border may leave too thin an edge.
    normal = weighted.T @ basis + 1e-3 * np.eye(3)
    plane = basis @ np.linalg.solve(normal, weighted.T @ difference.reshape(-1, 3))
    shift: NDArray[np.float32] = plane.reshape(difference.shape).astype(np.float32)
    return shift


def _centred(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = axis.ravel() - axis.mean()
    return np.asarray(flat / max(1.0, float(np.abs(flat).max())))
