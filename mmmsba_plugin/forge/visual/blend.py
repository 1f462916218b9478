"""Blend a patch into a frame so that no seam shows.

All frame forgers share it: the rectangle that is worked on, a mask with an edge too
soft to see, the light of now on material of then, and the grain of a camera. Nothing
beyond the box around the face is ever touched, and nothing beyond the rectangle is read,
which is what keeps a fake frame at a few milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb

#: Pixels in work, shape ``(height, width, 3)``, in [0, 255] but for rounding.
Pixels = NDArray[np.float32]
#: How much of the patch shows, in [0, 1], shape ``(height, width)``.
Mask = NDArray[np.float32]
#: Corners of a patch in frame pixels, shape ``(corner, 2)``.
Corners = NDArray[np.float64]

#: The face's box is the box of its mesh, grown on each side by this share of it.
FACE_MARGIN = 0.08
#: A soft edge reaches about this many widths of its blur.
_REACH = 2.5
#: Corners of a polygon are drawn to a sixteenth of a pixel; whole ones would tremble.
_SUBPIXEL_BITS = 4
#: Colour is fitted on about so many pixels a side; a plane needs no more.
_FIT_PX = 48
#: Colours apart by so many levels from what their light explains are something else.
_MISSED = 10.0
#: Exposure is matched by a factor within these, the rest by a shift. Lifted further, a dark
#: patch would gain contrast that no lamp gives.
_LEAST_GAIN, _MOST_GAIN = 0.5, 1.4
_MOST_SHRINK = 2.0
_LEAST_BLUR_PX = 0.7
_IS_SKIN, _LEAST_GRAIN = 0.5, 0.7


@dataclass(frozen=True, slots=True)
class Window:
    """The rectangle of a frame that is worked on, in its pixels; at least one."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, corners: Corners, margin_px: float, shot: FaceFrame) -> "Window":
        """Return the rectangle around a polygon, within the face's box and the frame."""
        low, high = face_box(shot)
        low = np.maximum(low, np.floor(corners.min(axis=0) - margin_px))
        high = np.minimum(high, np.ceil(corners.max(axis=0) + margin_px) + 1)
        height, width = shot.rgb.shape[:2]
        left, top = np.clip(low.astype(int), 0, (width - 1, height - 1))
        right, bottom = np.clip(high.astype(int), (left + 1, top + 1), (width, height))
        return cls(int(left), int(top), int(right), int(bottom))

    @property
    def size_px(self) -> tuple[int, int]:
        """Its width and height."""
        return self.right - self.left, self.bottom - self.top

    def of(self, rgb: Rgb) -> Rgb:
        """Return the window's view of a frame."""
        return rgb[self.top : self.bottom, self.left : self.right]

    def shifted(self, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return an affine map to frame pixels as one to the window's."""
        moved = affine.copy()
        moved[:, 2] -= (self.left, self.top)
        return moved


class Patch:
    """A soft-edged polygon on a face, and what is laid there.

    Args:
        shot: The frame and the face in it.
        corners: Corners of the polygon, in frame pixels.
        blur_px: Softness of its edge; very sharp edges are softened by a little all the same.
        around_px: Margin of surroundings around the window, in px.

    Attributes:
        window: The rectangle that is worked on.
        here: The pixels of the frame there.
        mask: One inside the polygon, zero outside, and soft between.
    """

    def __init__(
        self, shot: FaceFrame, corners: Corners, blur_px: float, *, around_px: float = 0.0
    ) -> None:
        blur_px = max(_LEAST_BLUR_PX, blur_px)
        self._rgb = shot.rgb
        self.window = Window.around(corners, _REACH * blur_px + around_px, shot)
        self.here: Pixels = self.window.of(shot.rgb).astype(np.float32)
        self.mask = draw_mask(corners, self.window, blur_px)

    def bring(self, rgb: Rgb, affine: NDArray[np.float64]) -> Pixels:
        """Warp another frame into this one by ``affine``.

        Args:
            rgb: The other frame, of any size.
            affine: From its pixels to those of this frame, shape ``(2, 3)``.
        """
        import cv2

        affine = self.window.shifted(affine)
        # Cubic sampling reads four pixels; where it skips more than two of them it aliases.
        shrink = 1.0 / max(float(np.sqrt(abs(np.linalg.det(affine[:, :2])))), 1e-6)
        if _MOST_SHRINK < shrink < min(rgb.shape[:2]):
            rgb = cv2.resize(rgb, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
            affine = affine @ np.diag([shrink, shrink, 1.0])
        size_px = self.window.size_px
        brought: Rgb = cv2.warpAffine(
            rgb, affine, size_px, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return brought.astype(np.float32)

    def lay(self, there: Pixels) -> Rgb:
        """Return a copy of the frame with ``there`` blended in."""
        blended = self.here + self.mask[..., None] * (there - self.here)
        laid = self._rgb.copy()
        self.window.of(laid)[:] = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
        return laid

    def in_light(self, there: Pixels) -> Pixels:
        """Return pixels in the light of now, as the skin along the mask's edge shows it.

        A plane for each channel rather than one number, because a lamp beside a face lights
        one corner of the mouth more than the other. What the light does not explain is hair or
        background that moved, and counts for little; so it is fitted twice.
        """
        step = max(1, min(self.mask.shape) // _FIT_PX)
        # Places of rows and columns, from -1 to 1.
        halves = ((size - 1) / 2 for size in self.mask.shape)
        rows, columns = (
            ((np.arange(size, dtype=np.float32) - half) / max(1.0, half)).astype(np.float32)
            for size, half in zip(self.mask.shape, halves, strict=True)
        )
        level, right, below = fit_light_plane(
            self.here[::step, ::step] - there[::step, ::step],
            self.mask[::step, ::step],
            rows[::step],
            columns[::step],
        )
        lit: Pixels = there + (level + columns[None, :, None] * right)
        lit += rows[:, None, None] * below
        return lit

    def light_gain(self, there: Pixels) -> NDArray[np.float32]:
        """Compute the gain of the frame's light under the mask, a factor for each channel."""
        then, now = (np.tensordot(self.mask, pixels, axes=2) for pixels in (there, self.here))
        return np.asarray((now + 1) / (then + 1), dtype=np.float32)

    def as_bright(self, there: Pixels) -> Pixels:
        """Return pixels exposed and balanced like the frame.

        For skin of somebody else in another light. A factor for each channel rather than a
        shift, because that is what a lamp of another colour does.
        """
        return np.asarray(there * np.clip(self.light_gain(there), _LEAST_GAIN, _MOST_GAIN))


def draw_mask(corners: Corners, window: Window, blur_px: float) -> Mask:
    """Draw the mask of a polygon: one inside, zero outside, and soft between.

    Args:
        corners: Corners of the polygon, in frame pixels.
        window: The rectangle that is worked on.
        blur_px: Softness of the edge.
    """
    import cv2

    inside = (corners - (window.left, window.top)) * (1 << _SUBPIXEL_BITS)
    mask = np.zeros(window.size_px[::-1], dtype=np.uint8)
    polygon = [np.rint(inside).astype(np.int32)]
    cv2.fillPoly(mask, polygon, 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    # The border repeats: where the frame cuts a face, nothing is to fade.
    soft: Mask = cv2.GaussianBlur(
        mask.astype(np.float32) / 255, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE
    )
    return soft


def face_box(shot: FaceFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of the box that a forger stays in, in frame pixels.

    Returns:
        The first pixel and the one behind the last, as ``(x, y)`` each.
    """
    low, high = shot.points_px.min(axis=0), shot.points_px.max(axis=0)
    margin = FACE_MARGIN * (high - low)
    return np.floor(low - margin), np.ceil(high + margin) + 1


def face_px(shot: FaceFrame) -> float:
    """Return the height of a face, in frame pixels."""
    return max(1.0, float(np.ptp(shot.points_px[:, 1])))


def grain_like(here: Pixels, where: Mask, rng: np.random.Generator) -> Pixels:
    """Draw noise as strong as the finest detail of a frame.

    Args:
        here: The frame.
        where: Share of skin that shows the camera's noise, in [0, 1], shape ``(row, column)``.
        rng: Source of the noise.

    Returns:
        Noise of mean zero, shape ``(row, column, 1)``.
    """
    import cv2

    fine = np.abs(here - cv2.GaussianBlur(here, (0, 0), 1.0))[where > _IS_SKIN]
    # The median, since a strand of hair is detail and no noise; from it, the deviation.
    sigma = max(_LEAST_GRAIN, 1.48 * float(np.median(fine)) if fine.size else 0.0)
    # Alike in all channels, because video keeps the fine detail of brightness alone.
    noise: Pixels = sigma * rng.standard_normal((*here.shape[:2], 1), dtype=np.float32)
    return noise


def require_donors(job: FrameJob, donors: Sequence[FaceFrame], where: str) -> None:
    """Refuse a job that does not bring as many frames as it wants altered.

    Args:
        job: The job.
        donors: The frames that it brings.
        where: Place that they are to be taken from, for the message.

    Raises:
        ForgeError: There are more or fewer.
    """
    if len(donors) != len(job.frames):
        raise ForgeError(
            f"{len(job.frames)} frames need as many donors, got {len(donors)}; take a segment of "
            f"the same length from {where}"
        )


def require_altered(job: FrameJob, fake: list[Rgb]) -> list[Rgb]:
    """Return the frames, if every one of them was altered.

    Raises:
        ForgeError: One was not, which would make a false truth: the face lies outside the
            frame, or nothing moves in it.
    """
    for shot, rgb in zip(job.frames, fake, strict=True):
        if np.array_equal(shot.rgb, rgb):
            raise ForgeError(
                f"the frame at {shot.pts_s:.2f} s would stay as it is; forge another segment, "
                "where a face is seen and moves"
            )
    return fake


def fit_light_plane(
    away: Pixels, mask: Mask, rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Fit a plane of colour to the difference of two skins along a mask's edge.

    Args:
        away: How much brighter the frame is than the patch, shape ``(row, column, 3)``.
        mask: How much of the patch shows; its edge is where it is neither 0 nor 1.
        rows: Places of the rows, shape ``(row,)``.
        columns: Places of the columns, shape ``(column,)``.

    Returns:
        The level, its slope to the right and its slope down, shape ``(3, channel)``.
    """
    across, down = np.meshgrid(columns, rows)
    basis = np.stack([np.ones(mask.size), across.ravel(), down.ravel()], axis=1)
    differs, edge = away.reshape(-1, 3), (mask * (1 - mask)).reshape(-1, 1)
    # Begins with the median, which a strand of hair cannot move.
    shift = np.median(differs[edge[:, 0] >= edge.max() / 2], axis=0)
    for _ in range(2):
        missed = np.abs(differs - shift).max(axis=1, keepdims=True)
        weighted = basis * (edge / (1 + (missed / _MISSED) ** 2))
        # A little ridge, because a patch cut by the frame's border may leave too thin an edge.
        normal = weighted.T @ basis + 1e-3 * np.eye(basis.shape[1])
        plane = np.linalg.solve(normal, weighted.T @ differs)
        shift = basis @ plane
    return np.asarray(plane, dtype=np.float32)
