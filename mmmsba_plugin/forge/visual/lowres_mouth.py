"""Paint the lower face anew through the narrow waist of a lip-sync generator.

Wav2Lip and its kin see a face as 96 x 96 pixels and paint its lower half in that size,
frame by frame; the result is brought to the size of the video, often sharpened, and
laid back. What stays is a mouth with less detail than the face around it.

Source:
    Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the
    Wild", 2020, for the size of the face and for the half that is painted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, Pixels, face_px, require_altered, require_donors
from mmmsba_plugin.forge.visual.mouth_swap import fit_moves
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Rgb

#: A face that is no larger than the generator's would lose nothing; it is halved at least.
_MOST_KEPT = 0.6
_SMALLEST_WAIST_PX = 12.0
_SHARPEST = 0.8
#: Keeps the patch off the jaw's outline.
_FACE_SHARE = 0.9
#: Where the patch begins, as :func:`mmmsba_plugin.forge.visual.face_regions.lower_face` counts,
#: and the softness of its edge, in heights of the face.
_TOPS, _FEATHERS = (-0.25, 0.1), (0.02, 0.04)


class LowresMouthConfig(Config):
    """Settings of a lip-sync generator's narrow resolution."""

    smallest_px: float = Field(
        default=32, ge=12, le=512, description="Least height of the face inside, in px."
    )
    largest_px: float = Field(
        default=96, ge=12, le=512, description="Largest height of the face inside, in px."
    )
    other_moment: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Share of segments whose lips are of another moment; the rest keep theirs.",
    )


@dataclass(frozen=True, slots=True)
class _Generator:
    """One generator's habits, which it keeps through a segment.

    Attributes:
        waist_px: Height of the face inside.
        swaps: Whether the lips are of another moment.
        enlarge: OpenCV's number of the interpolation that brings it to size again.
        smooth: How much detail it loses beyond what its size cannot hold, in its pixels.
        sharpen: How much edges are lifted afterwards, 0 for not at all.
    """

    waist_px: float
    swaps: bool
    enlarge: int
    smooth: float
    sharpen: float

    @classmethod
    def draw(cls, config: LowresMouthConfig, rng: np.random.Generator) -> "_Generator":
        import cv2

        low, high = sorted((config.smallest_px, config.largest_px))
        return cls(
            waist_px=float(rng.uniform(low, high)),
            swaps=bool(rng.random() < config.other_moment),
            enlarge=int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])),
            smooth=float(rng.choice([0.0, rng.uniform(0.3, 0.6)])),
            sharpen=float(rng.choice([0.0, rng.uniform(0.2, _SHARPEST)])),
        )

    def paint(self, pixels: Pixels, face_px: float) -> Pixels:
        """Return the pixels as they come out of the waist."""
        import cv2

        scale = min(_MOST_KEPT, max(self.waist_px, _SMALLEST_WAIST_PX) / face_px)
        height, width = pixels.shape[:2]
        inside = (max(2, round(scale * width)), max(2, round(scale * height)))
        small = cv2.resize(pixels, inside, interpolation=cv2.INTER_AREA)
        if self.smooth:
            small = cv2.GaussianBlur(small, (0, 0), self.smooth)
        painted: Pixels = cv2.resize(small, (width, height), interpolation=self.enlarge)
        if self.sharpen:
            painted += self.sharpen * (painted - cv2.GaussianBlur(painted, (0, 0), 0.7 / scale))
        return painted


class LowresMouth:
    """The lower face as a small generator paints it, laid back softly.

    Stands for Wav2Lip and what came of it: somebody's lips follow a new audio.
    """

    def __init__(self, config: LowresMouthConfig | None = None) -> None:
        self._config = config or LowresMouthConfig()

    @property
    def needs_donor(self) -> bool:
        """Return whether lips of another moment may be asked for."""
        return self._config.other_moment > 0

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the lower face painted anew.

        Raises:
            ForgeError: There are not as many donors as frames where they are needed, or
                a frame shows nothing of the face.
        """
        generator = _Generator.draw(self._config, rng)
        return repaint_lower_face(job, generator.paint, swaps=generator.swaps, rng=rng)


def repaint_lower_face(
    job: FrameJob,
    paint: Callable[[Pixels, float], Pixels],
    *,
    swaps: bool,
    rng: np.random.Generator,
) -> list[Rgb]:
    """Return the frames with the lower face painted anew and laid back softly.

    Args:
        job: The frames.
        paint: Paints pixels anew, given them and the height of the face in px.
        swaps: Whether the lips are of another moment.
        rng: Draws where the patch begins and how soft its edge is.

    Raises:
        ForgeError: There are not as many donors as frames where they are needed, or a frame
            shows nothing of the face.
    """
    top, feather = rng.uniform(*_TOPS), rng.uniform(*_FEATHERS)
    if swaps:
        require_donors(job, job.donors, "another moment of the clip")
    donors = job.donors if swaps else job.frames
    moves = fit_moves(donors, job.frames)
    fake: list[Rgb] = []
    for shot, donor, move in zip(job.frames, donors, moves, strict=True):
        height_px = face_px(shot)
        corners = face_regions.lower_face(shot, top=top, size=_FACE_SHARE)
        patch = Patch(shot, corners, feather * height_px)
        painted = paint(patch.bring(donor.rgb, move), height_px)
        fake.append(patch.lay(patch.in_light(painted)))
    return require_altered(job, fake)
