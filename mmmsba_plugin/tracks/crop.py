"""Cut a face and its mouth out of a frame, steadily.

Both cuts are placed by points that no expression moves (eye corners and the bridge of the
nose), fitted all at once to a fixed layout. So a head that turns or nears the camera leaves
the cut still, and what moves in it is what a forger would have had to move.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import FaceCrop, Rgb
from mmmsba_plugin.tracks.mesh import Mesh, apply_affine

FACE_SIZE_PX = (128, 128)
LIPS_SIZE_PX = (96, 64)

#: Mesh points that do not move with expression: corners of the eyes, bridge of the nose.
RIGID = (33, 133, 362, 263, 168, 6, 197, 195, 5)

#: Where they lie in a face that looks ahead, in distances between the eyes' middles from
#: the point between them: the mean of 45 real clips of as many scenes, made symmetric.
_LAYOUT = np.array(
    [
        (-0.724, -0.015), (-0.276, 0.015), (0.276, 0.015), (0.724, -0.015),
        (0.0, -0.076), (0.0, 0.063), (0.0, 0.185), (0.0, 0.295), (0.0, 0.413),
    ]
)  # fmt: skip

#: Pixels between the eyes' middles, and where the point between them comes to lie. In that
#: unit a face reaches from -0.84 to 1.76 down and the lips from 0.97 to 1.31.
_FACE_SCALE_PX, _FACE_ORIGIN_PX = 44.0, (64.0, 42.0)
_LIPS_SCALE_PX, _LIPS_CENTER = 80.0, (0.0, 1.18)

#: A cut that shrinks the frame by more than this is made from a halved frame, since
#: bilinear sampling would alias.
_MAX_SHRINK = 2.0


def cut(rgb: Rgb, mesh: Mesh, *, pts_s: float, track: int) -> FaceCrop:
    """Cut the face that ``mesh`` describes out of its frame.

    Args:
        rgb: The frame, shape ``(height, width, 3)``.
        mesh: The face's points in that frame.
        pts_s: Presentation time of the frame, in seconds.
        track: Number of the person's track.
    """
    import cv2

    unit = fit_similarity(mesh.points_px[list(RIGID)], _LAYOUT)
    to_face = _scaled(unit, _FACE_SCALE_PX, _FACE_ORIGIN_PX)
    half = (LIPS_SIZE_PX[0] / 2, LIPS_SIZE_PX[1] / 2)
    to_lips = _scaled(unit, _LIPS_SCALE_PX, half, center=_LIPS_CENTER)
    # The pixels in the face's box, at least one.
    box = np.round(np.asarray(mesh.box_xyxy_px)).astype(np.int64).reshape(2, 2)
    size = np.array(rgb.shape[1::-1])
    (left, top) = corner_px = np.clip(box[0], 0, size - 1)
    (right, bottom) = np.clip(box[1], corner_px + 1, size)
    to_native = cv2.invertAffineTransform(to_face)
    to_native[:, 2] -= corner_px
    return FaceCrop(
        pts_s=pts_s,
        track=track,
        face=warp(rgb, to_face, FACE_SIZE_PX),
        lips=warp(rgb, to_lips, LIPS_SIZE_PX),
        points=apply_affine(to_face, mesh.points_px).astype(np.float32),
        native=rgb[top:bottom, left:right],
        to_native=to_native,
        to_face=to_face,
        box_xyxy_px=mesh.box_xyxy_px,
        confidence=mesh.confidence,
    )


def crop_region(face: FaceCrop, center: tuple[float, float], half: float, size_px: int) -> Rgb:
    """Cut a square region of a face, upright and at a fixed scale, out of the frame's own pixels.

    Args:
        face: The face; beyond its box, the border's pixels are repeated.
        center: Middle of the region, from the point between the eyes, in distances between the
            eyes' middles.
        half: Half the side of the region, in the same unit.
        size_px: The same side in pixels.

    Returns:
        Shape ``(size_px, size_px, 3)``.
    """
    import cv2

    factor = size_px / (2 * half) / _FACE_SCALE_PX
    middle = np.asarray(_FACE_ORIGIN_PX) + _FACE_SCALE_PX * np.asarray(center)
    # From the frame's own pixels to the face cut, and on to the region.
    affine = factor * cv2.invertAffineTransform(face.to_native)
    affine[:, 2] += size_px / 2 - factor * middle
    return warp(face.native, affine, (size_px, size_px))


def fit_similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit the turn, scale and shift that brings ``source`` nearest to ``target``.

    Args:
        source: Points, shape ``(point, 2)``.
        target: Where they should come to lie, shape ``(point, 2)``.

    Returns:
        An affine map without shear or mirroring, shape ``(2, 3)``.

    Source:
        Least squares in the complex plane, where turn and scale are one factor.
    """
    z, w = source @ (1, 1j), target @ (1, 1j)
    z_mean, w_mean = z.mean(), w.mean()
    spread = np.vdot(z - z_mean, z - z_mean).real
    factor = np.vdot(z - z_mean, w - w_mean) / max(spread, np.finfo(float).tiny)
    shift = w_mean - factor * z_mean
    a, b = factor.real, factor.imag
    return np.array([[a, -b, shift.real], [b, a, shift.imag]])


def warp(rgb: Rgb, affine: NDArray[np.float64], size_px: tuple[int, int]) -> Rgb:
    """Warp the part of a frame that ``affine`` maps onto ``size_px`` (width, height)."""
    import cv2

    shrink = 1.0 / max(float(np.hypot(affine[0, 0], affine[1, 0])), 1e-6)
    while shrink > _MAX_SHRINK and min(rgb.shape[:2]) > 2 * max(size_px):
        rgb = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        affine, shrink = affine @ np.diag([2.0, 2.0, 1.0]), shrink / 2
    warped: Rgb = cv2.warpAffine(
        rgb, affine, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped


def _scaled(
    unit: NDArray[np.float64],
    scale_px: float,
    origin_px: tuple[float, float],
    *,
    center: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float64]:
    affine = scale_px * unit
    affine[:, 2] += np.asarray(origin_px) - scale_px * np.asarray(center)
    return affine
