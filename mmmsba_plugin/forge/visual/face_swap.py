"""Lay a mouth or a face of somebody else over a face.

Face swap as it was done before networks and still is by simple tools: align by landmarks,
match the colour, blend softly. What stays real is the expression that the landmarks
carry over, the hair, and the outline.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import (
    Corners,
    Patch,
    Pixels,
    Window,
    face_px,
    require_altered,
    require_donors,
)
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS, MouthConfig, fit_moves, mouth_patch
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.tracks.crop import fit_similarity
from mmmsba_plugin.tracks.mesh import apply_affine

#: How finely a face is bent: points of a grid over it, and how far a landmark pulls, in
#: heights of the face. Finer, and a mouth that opens would tear.
_GRID = 14
_PULL = 0.06
#: Below it a bent face would alias, so it is made smaller first.
_LEAST_SCALE = 0.5


class OtherClipConfig(Config):
    """Settings of the donor of a face."""

    most_unlike: float = Field(
        default=0.04,
        gt=0,
        le=1,
        description="Largest difference of the two heads' poses, in heights of the face.",
    )
    most_lifted: float = Field(
        default=2.5,
        ge=1,
        description="Largest gain of a colour of the donor's skin, as a factor.",
    )


class OtherMouthConfig(MouthConfig, OtherClipConfig):
    """Settings of a mouth swap with another clip."""


class OtherMouth:
    """The mouth of somebody else.

    Stands for dubbing with another speaker's lips.
    """

    needs_donor = False
    needs_other_clip = True

    def __init__(self, config: OtherMouthConfig | None = None) -> None:
        self._config = config or OtherMouthConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the donors' mouths.

        Raises:
            ForgeError: There are not as many donors as frames, their heads are held or
                lit too differently, or a frame shows nothing of the face.
        """
        _require_alike(job, self._config.most_unlike)
        moves = fit_moves(job.other_clip_donors, job.frames)
        fake: list[Rgb] = []
        for shot, donor, move in zip(job.frames, job.other_clip_donors, moves, strict=True):
            patch = mouth_patch(shot, donor, move, self._config)
            there = patch.bring(donor.rgb, move)
            fake.append(_lay_matched(patch, there, self._config.most_lifted))
        return require_altered(job, fake)


class OtherFaceConfig(OtherClipConfig):
    """Settings of a face swap with another clip."""

    size: float = Field(
        default=0.8, ge=0.4, le=0.95, description="Size of the patch against the whole face."
    )
    feather: float = Field(
        default=0.04, gt=0, le=0.1, description="Softness of its edge, in heights of the face."
    )


class OtherFace:
    """The inner face of somebody else, bent to the expression of now.

    Stands for face swap: it is said by the body of one person and the face of another.
    """

    needs_donor = False
    needs_other_clip = True

    def __init__(self, config: OtherFaceConfig | None = None) -> None:
        self._config = config or OtherFaceConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the donors' faces.

        Raises:
            ForgeError: There are not as many donors as frames, their heads are held or
                lit too differently, or a frame shows nothing of the face.
        """
        _require_alike(job, self._config.most_unlike)
        fake: list[Rgb] = []
        for shot, donor in zip(job.frames, job.other_clip_donors, strict=True):
            corners = face_regions.whole_face(shot, size=self._config.size)
            patch = Patch(shot, corners, self._config.feather * face_px(shot))
            there = bend_face(shot, donor, patch.window)
            fake.append(_lay_matched(patch, there, self._config.most_lifted))
        return require_altered(job, fake)


def unlikeness(donors: Sequence[FaceFrame], shots: Sequence[FaceFrame]) -> float:
    """Compute how differently heads are held, in heights of the face.

    What is left between the points that no expression moves once turn, size and place are
    matched: the mean over the frames of its RMS. Two people who look ahead are some 0.02
    apart; a face laid over one that is turned by more than 0.05 is a grimace.
    """
    anchors = list(ANCHORS)
    apart = []
    for donor, shot in zip(donors, shots, strict=True):
        source, target = donor.points_px[anchors], shot.points_px[anchors]
        left = apply_affine(fit_similarity(source, target), source) - target
        apart.append(np.sqrt((left**2).sum(axis=1).mean()) / face_px(shot))
    return float(np.mean(apart))


def _require_alike(job: FrameJob, most: float) -> None:
    require_donors(job, job.other_clip_donors, "another clip")
    unlike = unlikeness(job.other_clip_donors, job.frames)
    if unlike > most:
        raise ForgeError(
            f"the donor's head is held otherwise by {unlike:.3f} heights of the face, at most "
            f"{most:g} is allowed; take another moment or another clip"
        )


def _lay_matched(patch: Patch, there: Pixels, most_lifted: float) -> Rgb:
    """Lay a donor's skin over a frame, in its complexion and its light.

    Raises:
        ForgeError: A colour is all but missing there, as blue is in the light of a candle;
            lifted to that of now, it would paint the lips.
    """
    lifted = float(patch.light_gain(there).max())
    if lifted > most_lifted:
        raise ForgeError(
            f"a colour of the donor's skin would have to become {lifted:.1f} times as bright, "
            f"at most {most_lifted:g} is allowed; take another clip"
        )
    return patch.lay(patch.in_light(patch.as_bright(there)))


def bend_face(shot: FaceFrame, donor: FaceFrame, window: Window) -> Pixels:
    """Bend a donor's face so that each landmark lies where the face has it.

    Args:
        shot: The face.
        donor: The donor, in a frame of any size.
        window: The rectangle of the face's frame that is worked on.
    """
    import cv2

    rgb, points = donor.rgb, donor.points_px
    scale = face_px(shot) / face_px(donor)
    if scale < _LEAST_SCALE:
        rgb = cv2.resize(donor.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        points = points * (np.array(rgb.shape[1::-1]) / donor.rgb.shape[1::-1])
    rows = np.column_stack([shot.points_px, np.ones(len(points))])
    back, *_ = np.linalg.lstsq(rows, points, rcond=None)
    pulls, reach_px = points - rows @ back, _PULL * face_px(shot)
    places = interpolate_pulls(shot.points_px, pulls, window, reach_px)
    columns = np.arange(window.left, window.right)[None, :, None]
    places += (columns * back[0] + back[2]).astype(np.float32)
    places += (np.arange(window.top, window.bottom)[:, None, None] * back[1]).astype(np.float32)
    bent = cv2.remap(rgb, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    pixels: Pixels = bent.astype(np.float32)
    return pixels


def interpolate_pulls(
    at: Corners, pulls: Corners, window: Window, reach_px: float
) -> NDArray[np.float32]:
    """Interpolate the pull of landmarks at every pixel of a window.

    Args:
        at: Landmarks in frame pixels, shape ``(point, 2)``.
        pulls: Pull of each, in px, shape ``(point, 2)``.
        window: The rectangle.
        reach_px: How far a landmark pulls, in px.

    Returns:
        A mean of the pulls weighted by nearness, shape ``(height, width, 2)``; computed on a
        grid and spread between.
    """
    import cv2

    width, height = window.size_px
    columns = window.left + (np.arange(_GRID) + 0.5) * width / _GRID
    rows = window.top + (np.arange(_GRID) + 0.5) * height / _GRID
    near_x = np.exp(-0.5 * ((columns[:, None] - at[:, 0]) / reach_px) ** 2)
    near_y = np.exp(-0.5 * ((rows[:, None] - at[:, 1]) / reach_px) ** 2)
    # A Gaussian of two axes is the product of two, so no grid of all distances is needed.
    total = near_y @ near_x.T
    pulled = [(near_y * pulls[:, axis]) @ near_x.T for axis in (0, 1)]
    grid = np.stack(pulled, axis=-1) / (total[..., None] + 0.05)
    spread: NDArray[np.float32] = cv2.resize(
        grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return spread
