"""Blend a face with itself as it was a frame or two ago, or will be.

What is left is a ghost: edges doubled where the face moves, and lips that are between two
shapes. Nothing but the blending and the motion is false, so no generator's style is learned.

Source:
    The face's micro-forgery of AVPF (arXiv 2604.09110), with its parameters: opacity 0.25 to
    1, two frames at most, and a soft gate of six frames. Its masks are warped elastically;
    ours are bent by a few waves.
"""

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, face_px, require_altered
from mmmsba_plugin.forge.visual.self_blend import bend_outline, draw_bend
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Rgb


class SelfShiftBlendConfig(Config):
    """Settings of the forger ``self-shift-blend``."""

    max_shift: int = Field(default=2, ge=1, description="Largest distance, in frames.")
    least_opacity: float = Field(
        default=0.25, gt=0, le=1, description="Least share of the other face inside the mask."
    )
    gate_frames: int = Field(
        default=6,
        ge=0,
        description="Frames over which it is faded in and out; at most a quarter of a segment.",
    )


class SelfShiftBlend:
    """Forger that blends a face with itself of another frame nearby.

    Stands for the flicker and the lag of face generators that work frame by frame.
    """

    needs_donor = False

    def __init__(self, config: SelfShiftBlendConfig | None = None) -> None:
        self._config = config or SelfShiftBlendConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with their faces blended.

        Raises:
            ForgeError: There is one frame only, or a face does not move.
        """
        num_frames, config = len(job.frames), self._config
        if num_frames < 2:  # noqa: PLR2004 - a pair
            raise ForgeError("a face is blended with that of another frame; forge two at least")
        shift = min(int(rng.integers(1, config.max_shift + 1)), num_frames - 1)
        shift *= int(rng.choice([-1, 1]))
        opacity, feather = rng.uniform(config.least_opacity, 1), rng.uniform(0.015, 0.05)
        size, bend = rng.uniform(0.75, 0.95), draw_bend(rng)
        gate = min(config.gate_frames, num_frames // 4)
        fake = []
        for index, frame in enumerate(job.frames):
            other = index + shift
            # At the ends of the segment the other frame lies on the other side.
            other = other if 0 <= other < num_frames else index - shift
            other = other if 0 <= other < num_frames else num_frames - 1 - index
            outline = bend_outline(face_regions.whole_face(frame, size=size), bend)
            patch = Patch(frame, outline, feather * face_px(frame))
            there = patch.bring(job.frames[other].rgb, np.eye(2, 3))
            weight = opacity * min(1.0, (1 + min(index, num_frames - 1 - index)) / (gate + 1))
            fake.append(patch.lay(patch.here + np.float32(weight) * (there - patch.here)))
        return require_altered(job, fake)
