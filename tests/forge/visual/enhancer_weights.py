"""Weights of the enhancer's network that no training made."""

from itertools import pairwise

import numpy as np

WIDTHS = (3, *[64] * 17, 48)


def write_weights(path, *, scale, seed=0):
    """Write random weights of some standard deviation as ncnn does, and return the path."""
    rng = np.random.default_rng(seed)
    stored = b""
    for layer, (before, after) in enumerate(pairwise(WIDTHS)):
        kernel = scale * rng.standard_normal(before * after * 9)
        stored += np.uint32(0x01306B47).tobytes() + kernel.astype("<f2").tobytes()
        stored += np.zeros(after, "<f4").tobytes()
        if layer < len(WIDTHS) - 2:
            stored += np.full(after, 0.1, "<f4").tobytes()
    path.write_bytes(stored)
    return path
