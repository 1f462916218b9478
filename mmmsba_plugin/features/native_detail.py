"""Detail as it stands in the decoded frame, before any cut was resampled.

A mouth that was pasted was moved by parts of a pixel, and what moved it took a little of the
finest detail away. A cut that is itself resampled hides that; the frame's own pixels do
not.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.texture import NOISE_POWER, Image, luma
from mmmsba_plugin.structures import FaceCrop
from mmmsba_plugin.tracks.mesh import LIPS_OUTER, apply_affine

#: Mesh points whose box, stretched by a factor, is a region: the lips and their surround,
#: then places that a mouth's forger leaves alone: cheeks, chin, the skin above the lip,
#: forehead, and between the eyes.
_REGIONS: tuple[tuple[tuple[int, ...], float], ...] = (
    (LIPS_OUTER, 1.0),
    (LIPS_OUTER, 1.35),
    ((117, 50, 205, 187), 1.1),
    ((346, 280, 425, 411), 1.1),
    ((18, 200, 199, 83, 313), 1.1),
    ((2, 0, 37, 267, 164), 1.1),
    ((9, 8, 108, 337), 1.1),
    ((33, 263, 168, 5), 1.1),
)
_NUM_MOUTH = 2
_NUM_MEASURES = 3
_MIN_SIDE_PX = 4

#: Measures of every region, and of both mouth regions against the mean of the others.
NUM_VALUES = _NUM_MEASURES * (len(_REGIONS) + _NUM_MOUTH)


def native_detail(face: FaceCrop) -> NDArray[np.float32]:
    """Return logarithms of fine detail by region, shape ``(NUM_VALUES,)``.

    Curvature from pixel to pixel, and two octaves of band-pass.
    """
    import cv2

    image = luma(face.native)
    soft, softer = (cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (1.0, 2.0))
    filtered = (cv2.Laplacian(image, cv2.CV_32F), image - soft, soft - softer)
    points = apply_affine(face.to_native, face.points)
    windows = [_window(points[list(which)], grow, image) for which, grow in _REGIONS]
    powers = np.array(
        [
            [math.log(cv2.norm(m[w], cv2.NORM_L2SQR) / m[w].size + NOISE_POWER) for m in filtered]
            for w in windows
        ]
    )
    against = powers[:_NUM_MOUTH] - powers[_NUM_MOUTH:].mean(axis=0)
    return np.concatenate([powers.ravel(), against.ravel()]).astype(np.float32)


def _window(points: NDArray[np.float64], grow: float, image: Image) -> tuple[slice, slice]:
    """Return rows and columns of the grown box around points, never empty."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = np.maximum((high - low) / 2 * grow, _MIN_SIDE_PX / 2)
    size = np.array(image.shape[::-1])
    start = np.clip(np.round((low + high) / 2 - half), 0, np.maximum(size - _MIN_SIDE_PX, 0))
    stop = np.clip(np.round((low + high) / 2 + half), start + 1, size)
    (left, top), (right, bottom) = start.astype(int), stop.astype(int)
    return slice(top, bottom), slice(left, right)
