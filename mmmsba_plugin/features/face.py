"""The whole face: where detail, colour and change lie on it, and how the head is held."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Config
from mmmsba_plugin.features import texture
from mmmsba_plugin.features.per_frame import PerFrame
from mmmsba_plugin.structures import FaceCrop

_RASTER = (4, 4)
_NUM_PLACES = _RASTER[0] * _RASTER[1]
_NUM_CHANGE_BANDS = 2
_NUM_POSE = 6

#: Mesh points that tell how a head is turned: tip of the nose, both cheeks, chin, forehead.
_NOSE, _RIGHT_CHEEK, _LEFT_CHEEK, _CHIN, _FOREHEAD = 1, 234, 454, 152, 10


class FaceTextureConfig(Config):
    """Settings of the ``face-texture`` front-end: it has none."""


class FaceTexture(PerFrame):
    """Detail in three bands, change in two, colour, and pose, on a raster of 4 x 4 places."""

    num_values = _NUM_PLACES * (texture.NUM_BANDS + _NUM_CHANGE_BANDS + 2) + _NUM_POSE

    def __init__(self, config: FaceTextureConfig) -> None:
        super().__init__()
        self.config = config

    def describe(self, face: FaceCrop) -> NDArray[np.float32]:
        """Return the vector of one frame, shape ``(num_values,)``."""
        now = texture.bands(texture.luma(face.face))
        if self.fresh:
            self._bands_before = now
        changes = texture.change(now, self._bands_before)
        self._bands_before = now
        energies = [texture.log_energy(band, _RASTER) for band in (*now, *changes)]
        return np.concatenate([*energies, texture.chroma(face.face, _RASTER), pose(face)])


def pose(face: FaceCrop) -> NDArray[np.float32]:
    """Compute the pose of the head, in units of about one, shape ``(6,)``.

    Left-right turn, up-down tilt, width and height of the outline, roll, and the mesh's
    doubt.
    """
    points = face.points / 44.0
    right, left = points[_RIGHT_CHEEK], points[_LEFT_CHEEK]
    chin, forehead = points[_CHIN], points[_FOREHEAD]
    turn = points[_NOSE] - (right + left) / 2
    roll = np.arctan2(face.to_face[1, 0], face.to_face[0, 0])
    values = (*turn, left[0] - right[0], chin[1] - forehead[1], roll, 1.0 - face.confidence)
    return np.array(values, dtype=np.float32)
