"""Open and shut the mouth of a portrait, and blinks its eyes.

The portrait is the public-domain photograph of an astronaut by NASA that ships with
scikit-image. Lips, chin and lids are bent column by column, while teeth and eyeballs stay
where the skull holds them; so a face tracker sees lips that really move apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.structures import Rgb

#: The face and its surroundings in the portrait: left, top and side of a square, in px.
_FRAME_PX = (117.0, 12.0, 215.0)
#: What is drawn beyond each side of the frame, as a share of it: room to move the head.
_MARGIN = 0.08

# Where our own face mesh sees the mouth in the portrait, in px. One row a place along the
# lips: x, then y of the upper lip's outer and inner edge and the lower lip's inner and
# outer one.
_LIPS_PX = np.array(
    [
        (199.5, 139.5, 139.8, 139.8, 139.8),
        (203.0, 138.6, 139.8, 141.3, 144.8),
        (206.5, 138.6, 140.0, 144.3, 148.8),
        (212.0, 138.5, 141.1, 147.2, 152.6),
        (216.5, 138.8, 142.0, 148.7, 154.4),
        (222.4, 139.9, 142.7, 149.4, 155.2),
        (228.5, 139.4, 142.6, 149.2, 154.8),
        (233.5, 139.7, 142.1, 148.2, 153.2),
        (238.5, 140.1, 141.7, 146.5, 150.2),
        (242.5, 140.5, 141.6, 143.3, 147.0),
        (246.8, 141.8, 141.8, 141.8, 141.8),
    ]
)
_NOSE_Y_PX, _CHIN_Y_PX, _COLLAR_Y_PX = 133.5, 175.0, 190.0
#: Left, right, and y of the corners of each eye; how high its lids arch.
_EYES_PX = ((193.8, 213.1, 101.6), (236.9, 256.5, 104.0))
_LID_ARCH_PX, _BROW_PX, _CHEEK_PX = 4.0, 10.0, 7.0

_WIDEST_OPEN_PX = 15.0
_NARROWEST = 0.72
_MOUTH_INSIDE = np.array((46.0, 16.0, 18.0))
_TINY_PX = 1e-3

_Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Pose of the head, against the portrait.

    Attributes:
        turn_deg: Tilt to the shoulder.
        scale: Nearer to the camera above 1.
        shift: To the right and down, as shares of the frame's side.
    """

    turn_deg: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


class Portrait:
    """A face that can be posed; draws one frame at a time.

    Args:
        size_px: Side of the square frames.
        look: Which of several lights and sides it is seen in; any whole number.
    """

    def __init__(self, *, size_px: int, look: int = 0) -> None:
        self._size_px, self._mirrored = size_px, bool(look % 2)
        self._canvas, scale, origin_px = _canvas(size_px, look)
        self._mouth = _Mouth(scale, origin_px)
        self._eyes = [_Eye(eye_px, scale, origin_px) for eye_px in _EYES_PX]

    def draw(self, *, opening: float, width: float, blink: float, pose: Pose) -> Rgb:
        """Draw one frame, shape ``(size_px, size_px, 3)``.

        Args:
            opening: How far the lips are apart, in [0, 1].
            width: How wide the mouth is, in [0, 1].
            blink: How far the lids are down, in [0, 1].
            pose: How the head is held.
        """
        import cv2

        face = self._canvas.copy()
        self._mouth.draw(self._canvas, face, opening=opening, width=width)
        if blink > 0:
            for eye in self._eyes:
                eye.draw(self._canvas, face, blink=blink)
        middle_px = face.shape[0] / 2
        affine = cv2.getRotationMatrix2D((middle_px, middle_px), pose.turn_deg, pose.scale)
        affine[:, 2] += self._size_px * (0.5 + np.asarray(pose.shift)) - middle_px
        size_px = (self._size_px, self._size_px)
        frame: Rgb = cv2.warpAffine(face, affine, size_px, borderMode=cv2.BORDER_REFLECT)
        return np.ascontiguousarray(frame[:, ::-1]) if self._mirrored else frame


class _Mouth:
    """The part of the canvas that lips and chin move in."""

    def __init__(self, scale: float, origin_px: NDArray[np.float64]) -> None:
        lips = (_LIPS_PX - origin_px[[0, 1, 1, 1, 1]]) * scale
        ends_px = (np.array([_NOSE_Y_PX, _CHIN_Y_PX, _COLLAR_Y_PX]) - origin_px[1]) * scale
        self._nose_px, self._chin_px, self._collar_px = ends_px
        self._center_px = float(lips[:, 0].mean())
        self._half_px = float(np.ptp(lips[:, 0]) / 2)
        self._lips, self._open_px = lips, scale * _WIDEST_OPEN_PX
        reach_px = 2 * self._half_px
        self._area = _Area(
            self._center_px - reach_px, self._nose_px, self._center_px + reach_px, self._collar_px
        )

    def draw(self, canvas: Rgb, face: Rgb, *, opening: float, width: float) -> None:
        """Draw the mouth into ``face``, bent from the ``canvas``."""
        # The source column of each column at the lips, and the shift everywhere.
        squeeze = 1.0 / (_NARROWEST + (1.0 - _NARROWEST) * width) - 1.0
        straight = self._area.columns[0]
        shift = squeeze * (straight - self._center_px)
        shift = shift * np.exp(-((self._across(straight) / 1.2) ** 4))
        blend_px = float(self._lips[:, 2:4].mean())
        fade = np.exp(-(((self._area.rows - blend_px) / (0.6 * self._half_px)) ** 4))
        columns, sideways = straight + shift, shift * fade
        outer, upper, lower, under = (
            np.interp(columns, self._lips[:, 0], self._lips[:, i]) for i in range(1, 5)
        )
        gap = lower - upper
        open_px = gap / gap.max() * opening * self._open_px
        lift = 0.35 * np.maximum(0.0, gap - open_px)
        top, bottom = upper + lift, upper + lift + open_px
        drop = bottom - lower
        jaw = 0.7 * drop.max(initial=0.0) * np.exp(-(self._across(columns) ** 2))
        teeth = np.minimum(bottom, lower)
        #              nose           upper lip        teeth          dark    lower lip    chin
        target = (self._nose_px, outer + lift, top, top, teeth, bottom, bottom,
                  under + drop, self._chin_px + jaw, self._collar_px)  # fmt: skip
        source = (self._nose_px, outer, upper, top, teeth, teeth, lower,
                  under, self._chin_px, self._collar_px)  # fmt: skip
        rows = _bend(self._area.rows, target, source)
        bent = self._area.sample(canvas, self._area.columns + sideways, rows).astype(np.float64)
        # Dark below the teeth.
        teeth_px = 0.7 * gap
        depth = np.clip((self._area.rows - top - teeth_px) / np.maximum(teeth_px, 1.0), 0.0, 1.0)
        shade = (0.9 * depth * np.clip(bottom - self._area.rows, 0.0, 1.0))[..., None]
        self._area.paste(face, bent + shade * (_MOUTH_INSIDE - bent))

    def _across(self, columns: _Field) -> _Field:
        return (columns - self._center_px) / self._half_px


class _Eye:
    """The part of the canvas that a lid moves in."""

    def __init__(
        self, eye_px: tuple[float, float, float], scale: float, origin_px: NDArray[np.float64]
    ) -> None:
        left_px, right_px = ((x - origin_px[0]) * scale for x in eye_px[:2])
        y_px = (eye_px[2] - origin_px[1]) * scale
        self._brow_px, self._cheek_px = y_px - scale * _BROW_PX, y_px + scale * _CHEEK_PX
        self._area = _Area(left_px - scale, self._brow_px, right_px + scale, self._cheek_px)
        across = (self._area.columns[0] - (left_px + right_px) / 2) / ((right_px - left_px) / 2)
        arch = scale * _LID_ARCH_PX * np.clip(1 - across**2, 0.0, None)
        self._lid, self._lower = y_px - arch, y_px + 0.6 * arch

    def draw(self, canvas: Rgb, face: Rgb, *, blink: float) -> None:
        """Draw the eye into ``face`` with its lid down by ``blink``."""
        lid = self._lid + blink * (self._lower - self._lid)
        target = (self._brow_px, lid, lid, self._lower, self._cheek_px)
        source = (self._brow_px, self._lid, lid, self._lower, self._cheek_px)
        rows = _bend(self._area.rows, target, source)
        self._area.paste(face, self._area.sample(canvas, self._area.columns, rows))


class _Area:
    """A rectangle of the canvas, with the coordinates of its pixels."""

    def __init__(self, left: float, top: float, right: float, bottom: float) -> None:
        self._slices = (
            slice(max(0, int(top)), int(bottom) + 1),
            slice(max(0, int(left)), int(right) + 1),
        )
        rows, columns = np.mgrid[self._slices]
        self.rows: _Field = rows.astype(np.float64)
        self.columns: _Field = columns.astype(np.float64)

    def sample(self, canvas: Rgb, columns: _Field, rows: _Field) -> Rgb:
        """Return the canvas read at some coordinates, of their shape."""
        import cv2

        bent: Rgb = cv2.remap(
            canvas,
            np.broadcast_to(columns, rows.shape).astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return bent

    def paste(self, face: Rgb, pixels: NDArray[np.generic]) -> None:
        """Write pixels over this part of ``face``."""
        face[self._slices] = pixels


def _bend(
    rows: _Field, target: tuple[_Field | float, ...], source: tuple[_Field | float, ...]
) -> _Field:
    """Compute the source row of each row, linear between knots.

    Two knots of one target row are a tear: a lip's edge with the teeth behind it.

    Args:
        rows: Rows to be drawn, shape ``(row, column)``.
        target: Where each knot comes to lie, in row order, a number or shape ``(column,)``.
        source: Where each knot lies in the portrait, likewise.
    """
    bent = source[0] + (rows - target[0]).clip(max=0.0)
    for i in range(len(target) - 1):
        length = np.maximum(np.subtract(target[i + 1], target[i]), _TINY_PX)
        reached = np.clip((rows - target[i]) / length, 0.0, 1.0)
        bent = bent + reached * np.subtract(source[i + 1], source[i])
    return np.asarray(bent + (rows - target[-1]).clip(min=0.0))


def _canvas(size_px: int, look: int) -> tuple[Rgb, float, NDArray[np.float64]]:
    """Return the lit portrait with margins, its scale, and where its corner lies in it."""
    import cv2
    from skimage.data import astronaut

    left_px, top_px, side_px = _FRAME_PX
    scale = size_px / side_px
    origin_px = np.array([left_px, top_px]) - _MARGIN * side_px
    affine = scale * np.column_stack([np.eye(2), -origin_px])
    canvas_px = round(size_px * (1 + 2 * _MARGIN))
    canvas = cv2.warpAffine(
        astronaut(),
        affine,
        (canvas_px, canvas_px),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    light = np.random.default_rng(look)
    gamma, tint = light.uniform(0.8, 1.25), light.uniform(0.88, 1.0, size=3)
    lit = 255 * tint * (canvas / 255) ** gamma
    return lit.astype(np.uint8), scale, origin_px
