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
#: The points of all regions, as many of each: the first one again where it has fewer.
_CORNERS = np.array([which + which[:1] * (len(LIPS_OUTER) - len(which)) for which, _ in _REGIONS])
_GROW = np.array([[grow] for _, grow in _REGIONS])
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
    windows = _windows(apply_affine(face.to_native, face.points), image)
    powers = np.array(
        [
            [math.log(cv2.norm(m[w], cv2.NORM_L2SQR) / m[w].size + NOISE_POWER) for m in filtered]
            for w in windows
        ]
    )
    against = powers[:_NUM_MOUTH] - powers[_NUM_MOUTH:].mean(axis=0)
    return np.concatenate([powers.ravel(), against.ravel()]).astype(np.float32)


def _windows(points: NDArray[np.float64], image: Image) -> list[tuple[slice, slice]]:
    """Return rows and columns of each region's box, none of them empty."""
    corners = points[_CORNERS]
    low, high = corners.min(axis=1), corners.max(axis=1)
    half = np.maximum((high - low) / 2 * _GROW, _MIN_SIDE_PX / 2)
    size = np.array(image.shape[::-1])
    start = np.clip(np.round((low + high) / 2 - half), 0, np.maximum(size - _MIN_SIDE_PX, 0))
    stop = np.clip(np.round((low + high) / 2 + half), start + 1, size)
    boxes = np.concatenate([start, stop], axis=1).astype(int).tolist()
    return [(slice(top, bottom), slice(left, right)) for left, top, right, bottom in boxes]
