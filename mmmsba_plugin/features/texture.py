"""Texture of one face crop: detail, colour and change, by place.

A mouth that was pasted or generated is sharper or softer than the face around it, has
another noise, and does not move with it. All three are energies of band-passed frames,
averaged over a coarse raster of places.
"""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import Rgb

#: Standard deviations of the Gaussians between which the bands lie, in pixels of the cut.
_SIGMAS_PX = (0.0, 0.8, 1.6, 3.2)
NUM_BANDS = len(_SIGMAS_PX) - 1
#: Half a brightness step of 255, squared: below it a difference is rounding, not detail.
NOISE_POWER = 0.25

Image = NDArray[np.float32]


def luma(rgb: Rgb) -> Image:
    """Return brightness, 0 to 255, shape ``(height, width)``, float32."""
    import cv2

    gray: Image = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return gray


def bands(image: Image) -> list[Image]:
    """Return band-passed copies of an image, finest first, :data:`NUM_BANDS` of them."""
    import cv2

    levels = [image, *(cv2.GaussianBlur(image, (0, 0), sigma) for sigma in _SIGMAS_PX[1:])]
    return [fine - coarse for fine, coarse in pairwise(levels)]


def change(now: list[Image], before: list[Image]) -> list[Image]:
    """Compute the change of the finest and the coarsest band between two frames.

    Filtering is linear, so bands of a difference need no filtering of their own.
    """
    return [now[0] - before[0], now[-1] - before[-1]]


def log_energy(image: Image, raster: tuple[int, int]) -> NDArray[np.float32]:
    """Return the logarithm of an image's power at each place of a raster.

    Args:
        image: Any signed image, shape ``(height, width)``.
        raster: Places across and down.

    Returns:
        Natural logarithms, row by row, shape ``(across * down,)``.
    """
    logarithms: NDArray[np.float32] = np.log(places(image * image, raster) + NOISE_POWER)
    return logarithms


def places(image: Image, raster: tuple[int, int]) -> NDArray[np.float32]:
    """Return the mean of an image at each place of a raster, row by row."""
    import cv2

    means: NDArray[np.float32] = cv2.resize(image, raster, interpolation=cv2.INTER_AREA).ravel()
    return means


def chroma(rgb: Rgb, raster: tuple[int, int]) -> NDArray[np.float32]:
    """Return colour, without brightness, at each place of a raster.

    Returns:
        Red and blue difference in units of 10 steps, shape ``(2 * across * down,)``.
    """
    import cv2

    small = cv2.resize(rgb, raster, interpolation=cv2.INTER_AREA)
    differences = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)
    colours: NDArray[np.float32] = (differences.reshape(-1) - 128.0) / 10.0
    return colours


def slid(before: Image, now: Image) -> tuple[NDArray[np.float64], float]:
    """Compute the shift of a frame in pixels, ``(x, y)``, and how well it matches, 0 to 1.

    Source:
        Phase correlation with sub-pixel peak (Kuglin and Hines 1975), as OpenCV has it.
    """
    import cv2

    # Copies: where a side needs no padding, OpenCV multiplies the window into its arguments.
    shift, match = cv2.phaseCorrelate(before.copy(), now.copy(), _window(now.shape))
    return np.array(shift), float(np.clip(match, 0.0, 1.0))


@cache
def _window(shape: tuple[int, int]) -> Image:
    import cv2

    window: Image = cv2.createHanningWindow(shape[::-1], cv2.CV_32F)
    return window
