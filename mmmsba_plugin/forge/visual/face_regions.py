"""The parts of a face that forgers replace, as polygons in frame pixels."""

import numpy as np

from mmmsba_plugin.forge.visual.blend import Corners
from mmmsba_plugin.forger import FaceFrame
from mmmsba_plugin.tracks.mesh import LIPS_OUTER

#: The foot of the nose, which a mouth's edge must stay below, and the tip of the chin.
_NOSE, _CHIN = 2, 152

#: How much of the way from the foot of the nose to the chin a mouth may take.
_MOUTH_DEPTH = (0.06, 1.0)


def mouth(shot: FaceFrame, lips: Corners, *, spread: float) -> Corners:
    """Return the lips made larger, but clear of nose and chin.

    Args:
        shot: The face.
        lips: The points to be covered; those of two mouths, if one replaces the other.
        spread: Size of the polygon against that of the lips.
    """
    center = (lips.min(axis=0) + lips.max(axis=0)) / 2
    corners = center + spread * (lips - center)
    depth = _depth(shot, corners)
    moved = (np.clip(depth, *_MOUTH_DEPTH) - depth)[:, None] * _down(shot)
    return hull(corners + moved)


def lips(shot: FaceFrame) -> Corners:
    """Return the outline of the lips."""
    return shot.points_px[list(LIPS_OUTER)]


def lower_face(shot: FaceFrame, *, top: float, size: float) -> Corners:
    """Return the region below the nose, as lip-sync generators paint it anew.

    Args:
        shot: The face.
        top: Where it begins, in ways from the foot of the nose to the chin; below zero it
            takes the tip of the nose and the cheeks beside it.
        size: Against the whole, in (0, 1]; less than one keeps off the jaw's outline.
    """
    points = shot.points_px
    return shrunk(hull(points[_depth(shot, points) >= top]), size)


def whole_face(shot: FaceFrame, *, size: float) -> Corners:
    """Return the face from the forehead to the chin.

    Args:
        shot: The face.
        size: Against the whole, in (0, 1]; less than one keeps off hair and background.
    """
    return shrunk(hull(shot.points_px), size)


def hull(points: Corners) -> Corners:
    """Return the corners of the convex hull of some points, in order around it."""
    import cv2

    corners: Corners = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    return corners


def shrunk(corners: Corners, size: float) -> Corners:
    """Return a polygon drawn towards its middle, to ``size`` of what it was."""
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return np.asarray(middle + size * (corners - middle))


def _down(shot: FaceFrame) -> Corners:
    """Return the way from the foot of the nose to the chin, shape ``(2,)``."""
    return np.asarray(shot.points_px[_CHIN] - shot.points_px[_NOSE])


def _depth(shot: FaceFrame, points: Corners) -> Corners:
    """Compute how deep points lie: 0 at the foot of the nose, 1 at the chin."""
    down = _down(shot)
    return np.asarray((points - shot.points_px[_NOSE]) @ down / max(float(down @ down), 1e-6))
