"""Morph a face from one moment to a later one, as interpolated frames do.

The frames between are not shown; they are made from the two at the ends by optical flow.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, Pixels, face_px, require_altered
from mmmsba_plugin.forge.visual.mouth_swap import fit_moves
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb

_FACE_SIZE, _FEATHER = 0.88, 0.03
#: Flow is looked for in a square of so many pixels a side, whatever the face's shape: OpenCV's
#: search reads beyond the end of a strip of 16 x 96 and takes the process down with it.
_FLOW_PX = 96
#: A morph of fewer would have nothing between its ends.
_FEWEST_FRAMES = 2


class FlowConfig(Config):
    """Settings of morphing: how far apart the moments are."""

    fewest: int = Field(
        default=3, ge=_FEWEST_FRAMES, description="Least number of frames that one morph takes."
    )
    most: int = Field(
        default=10, ge=_FEWEST_FRAMES, description="Largest number of frames that one morph takes."
    )


class Flow:
    """The face morphed between moments of the segment.

    Stands for morph cuts, which hide where words were cut out, and for frames that were
    interpolated to fit another audio or rate.
    """

    needs_donor = False

    def __init__(self, config: FlowConfig | None = None) -> None:
        self._config = config or FlowConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the face morphed.

        A segment is one morph or several in a row. What is shown lies evenly between the two
        ends of a morph and never on them, so that these frames change as well.

        Raises:
            ForgeError: The segment has one frame, or nothing moves in it.
        """
        if len(job.frames) < _FEWEST_FRAMES:
            raise ForgeError("a morph needs two frames at least, got one; forge a longer segment")
        fake: list[Rgb] = []
        for start, end in pairwise(self.draw_cuts(len(job.frames), rng)):
            fake += morph(job.frames[start:end])
        return require_altered(job, fake)

    def draw_cuts(self, count: int, rng: np.random.Generator) -> list[int]:
        """Draw where morphs begin, and at last the end; none has less than two frames."""
        low, high = sorted((self._config.fewest, self._config.most))
        size = int(rng.integers(low, high + 1))
        num_morphs = min(max(1, round(count / size)), count // _FEWEST_FRAMES)
        return [count * i // num_morphs for i in range(num_morphs + 1)]


def morph(shots: Sequence[FaceFrame]) -> list[Rgb]:
    """Lay over each frame of one morph a face between those of its two ends."""
    first, last = shots[0], shots[-1]
    ends = [(end.rgb, fit_moves([end] * len(shots), shots)) for end in (first, last)]
    fake: list[Rgb] = []
    for i, shot in enumerate(shots):
        corners = face_regions.whole_face(shot, size=_FACE_SIZE)
        patch = Patch(shot, corners, _FEATHER * face_px(shot))
        early, late = (patch.bring(rgb, moves[i]) for rgb, moves in ends)
        between = interpolate(early, late, (i + 1) / (len(shots) + 1))
        fake.append(patch.lay(patch.in_light(between)))
    return fake


def interpolate(early: Pixels, late: Pixels, share: float) -> Pixels:
    """Interpolate between two frames, ``share`` of the way to the later one.

    Source:
        Optical flow by dense inverse search (DIS), Kroeger et al., ECCV 2016, as in OpenCV.
    """
    import cv2

    height, width = early.shape[:2]
    flow = compute_flow(early, late)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    from_early, from_late = (
        cv2.remap(
            pixels,
            across + way * flow[..., 0],
            down + way * flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for pixels, way in ((early, -share), (late, 1 - share))
    )
    between: Pixels = (1 - share) * from_early + share * from_late
    return between


def compute_flow(early: Pixels, late: Pixels) -> NDArray[np.float32]:
    """Compute the optical flow, to the right and down, in px, ``(height, width, 2)``."""
    import cv2

    height, width = early.shape[:2]
    inside = (_FLOW_PX, _FLOW_PX)
    grey = [
        cv2.cvtColor(
            np.clip(cv2.resize(p, inside, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8),
            cv2.COLOR_RGB2GRAY,
        )
        for p in (early, late)
    ]
    field = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey[0], grey[1], None)
    flow: NDArray[np.float32] = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    flow *= (width / _FLOW_PX, height / _FLOW_PX)
    return flow
