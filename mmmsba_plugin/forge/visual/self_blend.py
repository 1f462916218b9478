"""Blend a face, slightly changed, back into itself.

A face swap betrays itself where the new face meets the old frame: colour, sharpness,
resolution and place agree almost, not quite. A face blended into itself has those traces
and no others, so a detector cannot learn who was swapped for whom.

Source:
    The idea of self-blended images, Shiohara and Yamasaki, "Detecting Deepfakes with
    Self-Blended Images", CVPR 2022, after its text. One difference: theirs changes either
    the face or the frame around it, ours only the face, since the rest stays real.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Corners, Patch, Pixels, face_px, require_altered
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Rgb

#: Corners of a deformed outline, and the waves it is bent by.
_NUM_CORNERS = 48
_WAVES = (2, 3, 4, 5)
#: What changes from frame to frame, against what is drawn for the segment.
_JITTER = 0.1


class SelfBlendConfig(Config):
    """Settings of self-blending: how far the two faces differ."""

    colour: float = Field(
        default=8, ge=1, le=64, description="Largest shift of a channel, in levels of 255."
    )
    contrast: float = Field(default=0.08, ge=0, le=0.5, description="Largest change of contrast.")
    shift: float = Field(
        default=0.015, ge=0, le=0.1, description="Largest shift, in heights of the face."
    )
    scale: float = Field(default=0.03, ge=0, le=0.1, description="Largest change of size.")
    detail: float = Field(
        default=2.5, ge=1, le=8, description="Largest loss of resolution, as a factor."
    )
    least_opacity: float = Field(
        default=0.6, gt=0, le=1, description="Least share of the new face inside the mask."
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """Change of a face by one swap; kept through a segment but for a little jitter.

    Attributes:
        offset: Added to each channel, shape ``(3,)``.
        gain: Contrast against before.
        move: Shift to the right and down, and change of size, in heights of the face.
        detail: Loss of resolution as a factor, one for none.
        sharpen: How much edges are lifted (above zero) or smoothed (below).
        opacity: Share of the new face inside the mask.
        lower: Whether only the lower face is blended.
        size: Of the outline against the face.
        bend: How far the outline lies outwards at each corner, as shares of its radius.
        feather: Softness of the outline, in heights of the face.
    """

    offset: NDArray[np.float64]
    gain: float
    move: NDArray[np.float64]
    detail: float
    sharpen: float
    opacity: float
    lower: bool
    size: float
    bend: NDArray[np.float64]
    feather: float

    @classmethod
    def draw(cls, config: SelfBlendConfig, rng: np.random.Generator) -> "_Change":
        signs = rng.choice([-1.0, 1.0], size=3)
        # Each channel by a third of the most at least, so that no segment goes unchanged.
        offset = signs * rng.uniform(config.colour / 3, config.colour, size=3)
        return cls(
            offset=offset,
            gain=1 + float(rng.uniform(-config.contrast, config.contrast)),
            move=rng.uniform(-1, 1, size=3) * (config.shift, config.shift, config.scale),
            detail=float(rng.uniform(1, config.detail)),
            sharpen=float(rng.uniform(-0.6, 0.6)),
            opacity=float(rng.uniform(config.least_opacity, 1)),
            lower=bool(rng.random() < 1 / 3),
            size=float(rng.uniform(0.72, 0.92)),
            bend=draw_bend(rng),
            feather=float(rng.uniform(0.015, 0.04)),
        )

    def jittered(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the shift and change of size for one frame."""
        return self.move * (1 + _JITTER * rng.standard_normal(3))

    def apply(self, pixels: Pixels) -> Pixels:
        """Return a face with its colour, detail and sharpness changed."""
        import cv2

        height, width = pixels.shape[:2]
        inside = (max(2, round(width / self.detail)), max(2, round(height / self.detail)))
        small = cv2.resize(pixels, inside, interpolation=cv2.INTER_AREA)
        face: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        face += self.sharpen * (face - cv2.GaussianBlur(face, (0, 0), 1.2))
        level = face.mean(axis=(0, 1))
        changed: Pixels = (face - level) * np.float32(self.gain)
        changed += (level + self.offset).astype(np.float32)
        return changed


class SelfBlend:
    """A face blended into itself.

    Stands for face swap and face re-enactment of any make: the traces of blending alone.
    """

    needs_donor = False

    def __init__(self, config: SelfBlendConfig | None = None) -> None:
        self._config = config or SelfBlendConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the face blended into itself.

        Raises:
            ForgeError: A frame shows nothing of the face.
        """
        change = _Change.draw(self._config, rng)
        fake: list[Rgb] = []
        for shot in job.frames:
            height_px, move = face_px(shot), change.jittered(rng)
            whole = (
                face_regions.lower_face(shot, top=-0.3, size=change.size)
                if change.lower
                else face_regions.whole_face(shot, size=change.size)
            )
            outline = bend_outline(whole, change.bend)
            patch = Patch(shot, outline, change.feather * height_px)
            # The affine map that shifts and scales a face about its middle.
            scale = 1 + move[2]
            shift = height_px * move[:2] + (1 - scale) * outline.mean(axis=0)
            there = patch.bring(shot.rgb, np.column_stack([scale * np.eye(2), shift]))
            changed = change.apply(there)
            fake.append(patch.lay(patch.here + change.opacity * (changed - patch.here)))
        return require_altered(job, fake)


def draw_bend(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how far an outline is bent at each corner: a few waves around it."""
    angle = np.linspace(0, 2 * np.pi, _NUM_CORNERS, endpoint=False)
    bend = np.zeros(_NUM_CORNERS)
    for wave in _WAVES:
        bend += rng.normal(0, 0.06 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    # Inwards only at its widest, so that a bent outline stays on the face.
    return np.asarray(bend - bend.max())


def bend_outline(corners: Corners, bend: NDArray[np.float64]) -> Corners:
    """Bend an outline towards its middle.

    Args:
        corners: Corners of the outline, in frame pixels.
        bend: How far each of its new corners lies outwards, as a share of its radius, shape
            ``(corner,)``.

    Returns:
        The new corners, evenly spread before they are bent.
    """
    closed = np.concatenate([corners, corners[:1]])
    reached = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, reached[-1], bend.size, endpoint=False)
    even = np.stack([np.interp(places, reached, closed[:, axis]) for axis in (0, 1)], axis=1)
    middle = even.mean(axis=0)
    return np.asarray(middle + (1 + bend)[:, None] * (even - middle))
