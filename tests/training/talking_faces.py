"""Made-up talking faces: a mouth that opens as loud as it speaks."""

import numpy as np

from mmmsba_plugin.features.embeddings.sync import TalkingFace
from mmmsba_plugin.features.embeddings.two_streams import COLUMNS, NUM_MELS, NUM_POINTS


def talking_face(num_frames, seed=0):
    """Return a face whose opening follows a random course, and audio as loud as it is open."""
    rng = np.random.default_rng(seed)
    course = np.convolve(rng.normal(size=num_frames + 4), np.ones(5) / 5, "valid")
    rows = np.abs(np.arange(56) - 28.0)
    is_dark = rows[None, :] < (8 + 6 * course)[:, None]
    crops = np.repeat(np.where(is_dark, 60, 180)[:, :, None], 56, axis=2)
    points = np.zeros((num_frames, NUM_POINTS, 2), dtype=np.float32)
    points[:, ::2, 1] = 0.1 * course[:, None]
    louder = np.interp(np.arange(COLUMNS * num_frames) / COLUMNS, np.arange(num_frames), course)
    levels = -50 + 10 * louder[:, None] + rng.normal(0, 1, (COLUMNS * num_frames, NUM_MELS))
    everywhere = np.ones(num_frames, dtype=bool)
    return TalkingFace(
        crops.astype(np.uint8), points, everywhere, levels.astype(np.float32), everywhere
    )
