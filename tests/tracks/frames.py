"""Frames of images, 40 ms apart."""

import numpy as np

from mmmsba_plugin.structures import Frame


def frames_of(*images: np.ndarray) -> list[Frame]:
    return [Frame(0.04 * i, image) for i, image in enumerate(images)]
