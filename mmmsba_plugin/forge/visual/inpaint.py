"""Paint the mouth away from what lies around it.

The traces of tools that remove an object: a region without detail of its own, filled from its
border, with grain laid over it so that the smoothness does not show at once.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import (
    Mask,
    Patch,
    Pixels,
    face_px,
    grain_like,
    require_altered,
)
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Rgb

#: The border that is filled from must be seen, so the window reaches this far beyond, in
#: heights of the face.
_SURROUNDINGS = 0.06
_FEATHER, _BELOW_NOSE, _FACE_SHARE = 0.015, 0.12, 0.65
#: The region is filled in at most so many pixels a side, since what is filled has no detail.
_FILL_PX = 40
_RADIUS_PX = 3
#: The least trace of the mask is filled, or the lips' colour would bleed in.
_MIN_WEIGHT = 0.02
#: Share of a neighbourhood that must be known to be averaged.
_ENOUGH_KNOWN = 0.05

Method = Literal["telea", "navier-stokes", "smooth"]
Area = Literal["lips", "lower-face"]


class InpaintConfig(Config):
    """Settings of inpainting."""

    method: Method | Literal["any"] = Field(
        default="any",
        description="telea and navier-stokes continue the border's lines; smooth only its colours; "
        "any: drawn anew each time.",
    )
    area: Area | Literal["any"] = Field(
        default="any", description="The lips, the lower face, or any of them."
    )
    spread: float = Field(
        default=1.25, ge=1, le=2, description="Size of the patch against the lips it covers."
    )
    grain: float = Field(
        default=1.0, ge=0, le=2, description="Noise laid over it, against that of the skin."
    )


class Inpaint:
    """The mouth painted away.

    Stands for removal: lips that would show what was said are wiped out or smeared.
    """

    needs_donor = False

    def __init__(self, config: InpaintConfig | None = None) -> None:
        self._config = config or InpaintConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the mouth filled from its border.

        Raises:
            ForgeError: A frame shows nothing of the face.
        """
        methods: tuple[Method, ...] = ("telea", "navier-stokes", "smooth")
        chosen = methods[int(rng.integers(len(methods)))]
        method = chosen if self._config.method == "any" else self._config.method
        lower = bool(rng.random() < 1 / 3)
        if self._config.area != "any":
            lower = self._config.area == "lower-face"
        fake: list[Rgb] = []
        for shot in job.frames:
            height_px = face_px(shot)
            corners = (
                face_regions.lower_face(shot, top=_BELOW_NOSE, size=_FACE_SHARE)
                if lower
                else face_regions.mouth(shot, face_regions.lips(shot), spread=self._config.spread)
            )
            patch = Patch(shot, corners, _FEATHER * height_px, around_px=_SURROUNDINGS * height_px)
            filled = fill(patch.here, patch.mask, method)
            grain = self._config.grain * grain_like(patch.here, 1 - patch.mask, rng)
            fake.append(patch.lay(filled + grain))
        return require_altered(job, fake)


def fill(here: Pixels, mask: Mask, method: Method) -> Pixels:
    """Fill the pixels that a mask covers from those around it.

    Args:
        here: Shape ``(row, column, 3)``.
        mask: Above zero where it covers, shape ``(row, column)``.
        method: How they are filled.
    """
    import cv2

    height, width = mask.shape
    scale = min(1.0, _FILL_PX / max(height, width))
    inside = (max(4, round(scale * width)), max(4, round(scale * height)))
    small = cv2.resize(here, inside, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(mask, inside, interpolation=cv2.INTER_AREA) > _MIN_WEIGHT
    if method == "smooth":
        painted = fill_smoothly(small, hole)
    else:
        flag = cv2.INPAINT_TELEA if method == "telea" else cv2.INPAINT_NS
        rgb = np.clip(np.rint(small), 0, 255).astype(np.uint8)
        painted = cv2.inpaint(rgb, hole.astype(np.uint8), _RADIUS_PX, flag).astype(np.float32)
    filled: Pixels = cv2.resize(painted, (width, height), interpolation=cv2.INTER_CUBIC)
    return filled


def fill_smoothly(small: Pixels, hole: NDArray[np.bool_]) -> Pixels:
    """Fill a hole by ever wider means of what is known.

    Args:
        small: Shape ``(row, column, 3)``.
        hole: Where nothing is known, shape ``(row, column)``.
    """
    import cv2

    outside = (~hole).astype(np.float32)
    filled = small.copy()
    missing = hole.copy()
    sigma = 1.0
    while missing.any() and sigma <= max(hole.shape):
        weight = cv2.GaussianBlur(outside, (0, 0), sigma)
        mean = cv2.GaussianBlur(small * outside[..., None], (0, 0), sigma)
        near = missing & (weight > _ENOUGH_KNOWN)
        filled[near] = mean[near] / weight[near][:, None]
        missing &= ~near
        sigma *= 2
    softened = cv2.GaussianBlur(filled, (0, 0), 1.5)
    filled[hole] = softened[hole]
    return filled
