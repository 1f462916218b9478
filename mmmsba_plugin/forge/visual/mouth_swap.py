"""Lay the mouth of another moment over a face.

A lip-sync forger without a network: the same person's mouth, moved to where the
face is now, in the light of now, with an edge too soft to see. Only a rectangle around the
mouth is worked on.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, require_donors
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.tracks.crop import RIGID
from mmmsba_plugin.tracks.mesh import apply_affine

#: Points that hold a mouth in place: those that no expression moves, the foot of the nose,
#: the cheekbones, and where the jaw hangs. The first alone lie so far above the mouth that
#: an error of a pixel there is one of several at the lips.
ANCHORS = (*RIGID, 2, 98, 327, 50, 280, 234, 454, 93, 323)


class MouthConfig(Config):
    """Settings of a mouth swap within the clip."""

    spread: float = Field(
        default=1.35, ge=1, le=2, description="Size of the patch against the lips it covers."
    )
    feather: float = Field(
        default=0.08, gt=0, le=0.5, description="Softness of its edge, in widths of the mouth."
    )


class MouthSwap:
    """The mouth of another moment of the same clip, aligned and feathered.

    Stands for lip-sync at its best: somebody's lips are made to say what they did not.
    """

    needs_donor = True

    def __init__(self, config: MouthConfig | None = None) -> None:
        self._config = config or MouthConfig()

    def forge_frames(self, job: FrameJob, rng: np.random.Generator) -> list[Rgb]:
        """Return the frames with the donors' mouths.

        Raises:
            ForgeError: There are not as many donors as frames.
        """
        require_donors(job, job.donors, "another moment of the clip")
        return self.swap_mouths(job.frames, job.donors)

    def swap_mouths(self, shots: Sequence[FaceFrame], donors: Sequence[FaceFrame]) -> list[Rgb]:
        """Lay the mouths of donors over the frames of a segment.

        Args:
            shots: The frames.
            donors: As many frames of the same person.
        """
        fake: list[Rgb] = []
        for shot, donor, move in zip(shots, donors, fit_moves(donors, shots), strict=True):
            patch = mouth_patch(shot, donor, move, self._config)
            fake.append(patch.lay(patch.in_light(patch.bring(donor.rgb, move))))
        return fake


def mouth_patch(
    shot: FaceFrame, donor: FaceFrame, move: NDArray[np.float64], config: MouthConfig
) -> Patch:
    """Return the patch that covers the old lips and the new ones."""
    both = np.concatenate([face_regions.lips(shot), apply_affine(move, face_regions.lips(donor))])
    corners = face_regions.mouth(shot, both, spread=config.spread)
    return Patch(shot, corners, config.feather * float(np.ptp(both[:, 0])))


def fit_moves(there: Sequence[FaceFrame], here: Sequence[FaceFrame]) -> list[NDArray[np.float64]]:
    """Return the affine maps that bring faces onto others, frame by frame.

    Each is averaged with its neighbours: a mesh trembles, a jaw does not.
    """
    moves = [fit_anchors(donor, shot) for donor, shot in zip(there, here, strict=True)]
    padded = [*moves[:1], *moves, *moves[-1:]]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(padded, moves, padded[2:], strict=False)]


def fit_anchors(donor: FaceFrame, shot: FaceFrame) -> NDArray[np.float64]:
    """Return the affine map that brings a donor's face onto that of ``shot``.

    Returns:
        Least-squares fit over :data:`ANCHORS`, shape ``(2, 3)``, in frame pixels.
    """
    source = donor.points_px[list(ANCHORS)]
    rows = np.column_stack([source, np.ones(len(ANCHORS))])
    solution, *_ = np.linalg.lstsq(rows, shot.points_px[list(ANCHORS)], rcond=None)
    return np.ascontiguousarray(solution.T)
