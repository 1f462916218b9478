"""Crops of faces as DeepfakeBench's preprocessing aligns them, for detectors that learned from it.

They differ a little from its own: the five points that they are aligned by are those of
MediaPipe's mesh that lie where dlib's would, and one face is followed through the clip, instead of
the largest one of each frame.

Source:
    https://github.com/SCLBD/DeepfakeBench, ``preprocessing/preprocess.py``.
"""

from collections.abc import Iterator

import numpy as np

from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import FaceCrop, Rgb
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.crop import fit_similarity
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import apply_affine

CROP_PX = 256

#: Upper lids, tip of the nose, and the lips beside their corners: 37, 44, 30, 49, 55 of dlib's.
_POINTS = (160, 387, 1, 39, 321)
#: Where they come to lie in a tight crop of 112 px, and then within a margin of 15 % all round.
_TIGHT_XY_PX = np.array(
    [
        *[(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)],
        *[(41.5493, 92.3655), (70.7299, 92.2041)],
    ]
)
_XY_PX = (_TIGHT_XY_PX / 112 + 0.15) / 1.3 * CROP_PX
#: Taller frames are scaled down, whose detail a crop could not hold.
_MAX_SHORT_SIDE_PX = 1080


def align(rgb: Rgb, face: FaceCrop) -> Rgb:
    """Return the aligned crop of a face in its frame, shape ``(256, 256, 3)``."""
    import cv2

    points_px = apply_affine(cv2.invertAffineTransform(face.to_face), face.points[list(_POINTS)])
    affine = fit_similarity(points_px, _XY_PX)
    # Black beyond the frame, and no smoothing where it shrinks: as those crops are.
    crop: Rgb = cv2.warpAffine(rgb, affine, (CROP_PX, CROP_PX))
    return crop


def aligned_faces(media: Media, grid: Grid) -> Iterator[tuple[int, Rgb]]:
    """Yield crops of the main face: the first one of each cell of time, with the cell's number.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        grid: The cells.
    """
    next_cell = 0
    for observation in follow_main_face(FrameReader(media, max_short_side_px=_MAX_SHORT_SIDE_PX)):
        cell = grid.index_at(observation.frame.pts_s)
        if observation.face is not None and cell >= next_cell:
            next_cell = cell + 1
            yield cell, align(observation.frame.rgb, observation.face)
