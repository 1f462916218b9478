"""Find the 468 points of one face in a square around it.

The square is 1.5 times the longer side of the face's box, turned so that the eyes are
level; the next frame's square comes from this frame's points.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.tracks.detect import Detection
from mmmsba_plugin.tracks.models import MESH, load_network

LIPS_OUTER = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
LIPS_INNER = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip

#: Corners of the right eye, then of the left one.
EYE_CORNERS = (33, 133, 362, 263)

_INPUT_PX = 192
_NUM_POINTS = 468
_SQUARE_SCALE = 1.5


@dataclass(frozen=True, slots=True)
class Roi:
    """The turned square that the mesh looks at, in frame pixels.

    Attributes:
        center_px: Its middle, as ``(x, y)``.
        side_px: Length of a side.
        angle_rad: How far the line through the eyes is turned, clockwise on the screen.
    """

    center_px: tuple[float, float]
    side_px: float
    angle_rad: float

    def to_input(self) -> NDArray[np.float64]:
        """Return the affine map from frame pixels to input pixels, shape ``(2, 3)``."""
        scale = _INPUT_PX / self.side_px
        cos, sin = scale * np.cos(self.angle_rad), scale * np.sin(self.angle_rad)
        turn = np.array([[cos, sin], [-sin, cos]])
        shift = _INPUT_PX / 2 - turn @ np.asarray(self.center_px)
        return np.column_stack([turn, shift])


@dataclass(frozen=True, eq=False)
class Mesh:
    """A face's points.

    Attributes:
        points_px: In frame pixels, shape ``(468, 2)``, float64.
        confidence: How sure the network is that a face is there, in [0, 1].
    """

    points_px: NDArray[np.float64]
    confidence: float

    @cached_property
    def box_xyxy_px(self) -> tuple[float, float, float, float]:
        """The box around all points, in frame pixels."""
        (left, top), (right, bottom) = self.points_px.min(axis=0), self.points_px.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def area_px(self) -> float:
        """Area of the box, in square pixels."""
        left, top, right, bottom = self.box_xyxy_px
        return (right - left) * (bottom - top)

    def roi(self) -> Roi:
        """Return the square to look at in the next frame."""
        corners = self.points_px[list(EYE_CORNERS)]
        eyes = corners.reshape(2, 2, 2).mean(axis=1)
        return _roi(np.asarray(self.box_xyxy_px), eyes)


class FaceMesh:
    """Finder of a face's points; holds the network."""

    def __init__(self) -> None:
        self._network = load_network(MESH)
        self._outputs = self._network.getUnconnectedOutLayersNames()

    def __call__(self, rgb: Rgb, roi: Roi) -> Mesh:
        """Find the points of the face in ``roi``, and how sure it is that one is there."""
        import cv2

        to_input = roi.to_input()
        crop = cv2.warpAffine(rgb, to_input, (_INPUT_PX, _INPUT_PX), flags=cv2.INTER_LINEAR)
        self._network.setInput(cv2.dnn.blobFromImage(crop, 1 / 255))
        outputs = {out.size: out for out in self._network.forward(self._outputs)}
        points = outputs[_NUM_POINTS * 3].reshape(_NUM_POINTS, 3)[:, :2].astype(np.float64)
        logit = float(outputs[1].ravel()[0])
        to_frame = cv2.invertAffineTransform(to_input)
        return Mesh(
            points_px=apply_affine(to_frame, points),
            confidence=float(1.0 / (1.0 + np.exp(-np.clip(logit, -50, 50)))),
        )


def roi_of_detection(detection: Detection) -> Roi:
    """Return the square to look at where a face was just detected."""
    return _roi(detection.box_xyxy_px, detection.eyes_px)


def apply_affine(
    affine: NDArray[np.float64], points: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return points of shape ``(point, 2)`` mapped by an affine of shape ``(2, 3)``."""
    mapped: NDArray[np.float64] = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def _roi(box_xyxy_px: NDArray[np.float64], eyes_px: NDArray[np.float64]) -> Roi:
    across = eyes_px[1] - eyes_px[0]
    width_px, height_px = box_xyxy_px[2:] - box_xyxy_px[:2]
    x, y = (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2
    return Roi(
        center_px=(float(x), float(y)),
        side_px=max(1.0, _SQUARE_SCALE * float(max(width_px, height_px))),
        angle_rad=float(np.arctan2(across[1], across[0])),
    )
