"""The mouth: its shape and how that moves, what it looks like, and how it sits in the face."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Config
from mmmsba_plugin.features import native_detail, texture
from mmmsba_plugin.features.per_frame import PerFrame
from mmmsba_plugin.structures import FaceCrop

_RASTER = (4, 3)
_NUM_PLACES = _RASTER[0] * _RASTER[1]
_NUM_CHANGE_BANDS = 2
_APPEARANCE_PX = 16
_NUM_COSINES = 5
_NUM_SHAPE = 9
_NUM_SHIFT = 5

#: Distance between the eyes' middles in the pixels of the face cut.
_EYES_PX = 44.0
#: The same in the pixels of the lips cut.
_EYES_IN_LIPS_PX = 80.0
#: Slides below this share of the eyes' distance are the estimator's own doubt.
_STILL = 1e-3
#: Mesh points of the mouth: corners, middles of the inner and the outer lips, chin, nose.
_RIGHT, _LEFT, _UP_IN, _DOWN_IN, _UP, _DOWN, _CHIN, _NOSE = 78, 308, 13, 14, 0, 17, 152, 2
#: The part of the face cut that no mouth reaches: what the mouth's detail is compared with.
_UPPER_FACE = slice(30, 80)


class LipsTextureConfig(Config):
    """Settings of the ``lips-texture`` front-end: it has none."""


class LipsTexture(PerFrame):
    """Shape with speed and acceleration, appearance, detail, change, colour, and how it holds.

    Detail is described twice: in the steady cut, by place, and in the frame's own pixels,
    against the rest of the face.
    """

    num_values = (
        3 * _NUM_SHAPE
        + _NUM_COSINES**2
        + _NUM_PLACES * (texture.NUM_BANDS + _NUM_CHANGE_BANDS + 2)
        + texture.NUM_BANDS
        + native_detail.NUM_VALUES
        + _NUM_SHIFT
    )

    def __init__(self, config: LipsTextureConfig) -> None:
        super().__init__()
        self.config = config

    def describe(self, face: FaceCrop) -> NDArray[np.float32]:
        """Return the vector of one frame, shape ``(num_values,)``."""
        image = texture.luma(face.lips)
        detail = texture.bands(image)
        upper = texture.luma(face.face[_UPPER_FACE])
        around = texture.bands(upper)
        if self.fresh:
            self._bands_before = detail
        changes = texture.change(detail, self._bands_before)
        self._bands_before = detail
        return np.concatenate(
            [
                self._movement(face),
                appearance(image),
                *(texture.log_energy(band, _RASTER) for band in detail),
                *(texture.log_energy(band, _RASTER) for band in changes),
                self._shift(image, upper),
                native_detail.native_detail(face),
                texture.chroma(face.lips, _RASTER),
                # Detail of the mouth against that of the upper face.
                *(
                    texture.log_energy(band, (1, 1)) - texture.log_energy(other, (1, 1))
                    for band, other in zip(detail, around, strict=True)
                ),
            ]
        )

    def _movement(self, face: FaceCrop) -> NDArray[np.float32]:
        now = shape(face)
        if self.fresh:
            self._shape_before, self._speed_before = now, np.zeros_like(now)
        speed = now - self._shape_before
        gain = speed - self._speed_before
        self._shape_before, self._speed_before = now, speed
        return np.concatenate([now, 10 * speed, 10 * gain])

    def _shift(self, image: texture.Image, upper: texture.Image) -> NDArray[np.float32]:
        """Compute the shift of mouth and upper face since the last frame, shape ``(5,)``.

        A mouth that was laid on trembles against the face by what its aligner missed.
        """
        now = (image, upper)
        if self.fresh:
            self._cuts_before = now
        (mouth, mouth_match), (face, face_match) = map(texture.slid, self._cuts_before, now)
        self._cuts_before = now
        mouth, face = mouth / _EYES_IN_LIPS_PX, face / _EYES_PX
        slides = np.linalg.norm([mouth, face, mouth - face], axis=1)
        return np.array([*np.log(slides + _STILL), mouth_match, face_match], dtype=np.float32)


def shape(face: FaceCrop) -> NDArray[np.float32]:
    """Return the mouth's shape in distances between the eyes, shape ``(9,)``.

    Inner opening, outer opening, width, middle (x, y), height of either corner against the
    middle, drop of the chin, distance to the nose.
    """
    points = face.points / _EYES_PX
    middle = (points[_RIGHT] + points[_LEFT]) / 2
    values = (
        points[_DOWN_IN][1] - points[_UP_IN][1],
        points[_DOWN][1] - points[_UP][1],
        points[_LEFT][0] - points[_RIGHT][0],
        *middle,
        points[_RIGHT][1] - points[_UP_IN][1],
        points[_LEFT][1] - points[_UP_IN][1],
        points[_CHIN][1] - middle[1],
        middle[1] - points[_NOSE][1],
    )
    return np.array(values, dtype=np.float32)


def appearance(image: texture.Image) -> NDArray[np.float32]:
    """Return the mouth's coarse frame: lowest cosines of a 16 x 16 copy, shape ``(25,)``."""
    import cv2

    size = (_APPEARANCE_PX, _APPEARANCE_PX)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    cosines = cv2.dct((small - small.mean()) / 255.0)
    lowest: NDArray[np.float32] = cosines[:_NUM_COSINES, :_NUM_COSINES].ravel()
    return lowest
