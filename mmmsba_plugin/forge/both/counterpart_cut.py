"""Cut from a real clip to its aligned fake and back.

The fake was made by a generator, of the whole clip. What this forger adds is no more than an
editor would: a dissolve of a frame or two, or a soft mask around the face, and a short
crossfade of the audio.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.crossfade import CrossfadeConfig, overlay_at_speech_level
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import face_px, require_altered, require_donors
from mmmsba_plugin.forger import Audio, AudioJob, FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb

#: Size of the mask against the hull of the face mesh, which ends at brow and jaw: generators
#: paint a little beyond it.
_MASK_SIZE = 1.15


class CounterpartCutConfig(CrossfadeConfig):
    """Settings of the forger ``counterpart``."""

    area: Literal["any", "face", "frame"] = Field(
        default="any",
        description="What is taken from the fake: the face, behind a soft mask, the whole frame, "
        "or one of them by lot.",
    )
    feather: float = Field(
        default=0.04, gt=0, le=0.2, description="Softness of the mask, in heights of the face."
    )
    max_dissolve: int = Field(
        default=2, ge=0, description="Largest number of frames that dissolve at each end."
    )


class CounterpartCut:
    """Forger that cuts to the fake that a real generator made of the same clip.

    Stands for the attack itself: somebody alters some words of a clip by a lip-sync, dubbing
    or face-swap generator and leaves the rest as it was. Which generator it was stands in the
    metadata of the forged dataset. It alters the modalities that the generator altered; a
    clip without an aligned fake is left to other forgers.
    """

    needs_donor = False
    needs_counterpart = True

    def __init__(self, config: CounterpartCutConfig | None = None) -> None:
        self._config = config or CounterpartCutConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Replace the segment by the fake's audio.

        Raises:
            ForgeError: There is no counterpart, or it is shorter than the segment.
        """
        if job.counterpart is None or job.counterpart.size < job.end:
            raise ForgeError(
                "a cut to the counterpart needs the audio of one, as long as the clip's; give "
                "metadata that name the 'original' of a whole-clip fake"
            )
        return overlay_at_speech_level(job, job.counterpart[job.start : job.end], self._config)

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the fake's frames, or the frames with its face.

        Raises:
            ForgeError: There are not as many frames of a counterpart, or one does not differ.
        """
        require_donors(job, job.counterpart, "a clip that has a counterpart")
        area = self._config.area
        if area == "any":
            area = "face" if rng.integers(2) else "frame"
        # Few frames dissolve in a short segment: most of it must be the generator's.
        dissolve = min(int(rng.integers(self._config.max_dissolve + 1)), len(job.frames) // 4)
        weights = np.ones(len(job.frames), dtype=np.float32)
        ramp = np.arange(1, dissolve + 1, dtype=np.float32) / (dissolve + 1)
        weights[:dissolve], weights[len(weights) - dissolve :] = ramp, ramp[::-1]
        fake = []
        for frame, other, weight in zip(job.frames, job.counterpart, weights, strict=True):
            mask = weight * (self._face_mask(frame) if area == "face" else np.ones((1, 1, 1)))
            real = frame.rgb.astype(np.float32)
            mixed = real + mask.astype(np.float32) * (other.rgb - real)
            fake.append(np.asarray(np.rint(mixed), dtype=np.uint8))
        return require_altered(job, fake)

    def _face_mask(self, frame: FaceFrame) -> NDArray[np.float32]:
        """Draw a soft mask of the face, shape ``(height, width, 1)``."""
        import cv2

        mask = np.zeros(frame.rgb.shape[:2], dtype=np.uint8)
        corners = face_regions.whole_face(frame, size=_MASK_SIZE)
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255, lineType=cv2.LINE_AA)
        blur_px = max(1.0, self._config.feather * face_px(frame))
        # The border repeats: where the frame cuts a face, nothing is to fade.
        soft = cv2.GaussianBlur(mask, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(soft[..., None] / 255, dtype=np.float32)
