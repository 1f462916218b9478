"""Augment frames with what happens to them on the way, one frame at a time."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np

from mmmsba_plugin.forge.augment.pipeline import Processing
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.timebase import Grid, frames_to_s

#: Smaller frames than this are not made smaller: nothing of a face would be left.
_SMALLEST_PX = 160
#: Noise is drawn once, larger than the frame by this, and cut from it at another place for
#: each one: drawing it anew takes as long as encoding.
_SPARE_PX = 64

#: One step of the processing of a frame.
Step = Callable[[Rgb], Rgb]


def develop(
    frames: Iterable[Frame], processing: Processing, rng: np.random.Generator
) -> Iterator[Frame]:
    """Yield frames mirrored, lighter, smaller, softer or noisier, all alike.

    Args:
        frames: Of one size.
        processing: What is done.
        rng: Source of the noise.
    """
    steps: list[Step] | None = None
    for frame in frames:
        if steps is None:
            steps = build_steps(frame.rgb, processing, rng)
        rgb = frame.rgb
        for step in steps:
            rgb = step(rgb)
        yield Frame(frame.pts_s, rgb)


def at_rate(frames: Iterable[Frame], fps_hz: int | Fraction, end_s: float) -> Iterator[Frame]:
    """Yield frames at a constant rate: at each moment the one that is shown then.

    Args:
        frames: In time order.
        fps_hz: Frames a second.
        end_s: When the last one ends.
    """
    grid = Grid(stride_s=frames_to_s(1, fps_hz))
    latest: Frame | None = None
    index = 0
    for frame in frames:
        until = grid.num_snippets(frame.pts_s)
        if latest is None:
            index = until
        while latest is not None and index < until:
            yield Frame(frames_to_s(index, fps_hz), latest.rgb)
            index += 1
        latest = frame
    while latest is not None and index < grid.num_snippets(end_s):
        yield Frame(frames_to_s(index, fps_hz), latest.rgb)
        index += 1


def shown_at_rate(time: Segment, fps_hz: int | Fraction) -> Segment | None:
    """Return the presentation times after :func:`at_rate`; None if never shown.

    A segment that begins between two moments of the new rate is first seen at the second.
    """
    grid = Grid(stride_s=frames_to_s(1, fps_hz))
    start, end = grid.num_snippets(time.start_s), grid.num_snippets(time.end_s)
    return Segment(frames_to_s(start, fps_hz), frames_to_s(end, fps_hz)) if start < end else None


def build_steps(like: Rgb, processing: Processing, rng: np.random.Generator) -> list[Step]:
    """Build the steps of a processing, in the order in which they are applied.

    Args:
        like: A frame of the size of all, shape ``(height, width, 3)``.
        processing: What is done.
        rng: Source of the noise.
    """
    import cv2

    def sharpen(rgb: Rgb) -> Rgb:
        soft, weight = cv2.GaussianBlur(rgb, (0, 0), 1.0), processing.sharpen
        return np.asarray(cv2.addWeighted(rgb, 1 + weight, soft, -weight, 0), dtype=np.uint8)

    steps: list[Step] = []
    if processing.mirror:
        steps.append(lambda rgb: np.ascontiguousarray(rgb[:, ::-1]))
    if processing.gamma != 1.0:
        table = np.rint(255 * (np.arange(256) / 255) ** processing.gamma).astype(np.uint8)
        steps.append(lambda rgb: np.asarray(cv2.LUT(rgb, table), dtype=np.uint8))
    size_px = scaled_px(like, processing.scale)
    if size_px != like.shape[1::-1]:
        steps.append(lambda rgb: np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA)))
    if processing.blur_px:
        steps.append(lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), processing.blur_px)))
    if processing.sharpen:
        steps.append(sharpen)
    if processing.grain:
        steps.append(_Grain(size_px, processing.grain, rng))
    return steps


def scaled_px(like: Rgb, scale: float) -> tuple[int, int]:
    """Return width and height after scaling, in px; even, and not below the smallest.

    Example:
        >>> scaled_px(np.zeros((360, 640, 3), np.uint8), 0.7)
        (448, 252)
        >>> scaled_px(np.zeros((120, 90, 3), np.uint8), 0.7)
        (90, 120)
    """
    height, width = like.shape[:2]
    scale = min(1.0, max(scale, _SMALLEST_PX / min(width, height)))
    if scale == 1.0:
        return width, height
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)


class _Grain:
    """Noise that is added, cut for each frame from another place of the same sheet."""

    def __init__(self, size_px: tuple[int, int], sigma: float, rng: np.random.Generator) -> None:
        width, height = size_px
        noise = rng.standard_normal((height + _SPARE_PX, width + _SPARE_PX), dtype=np.float32)
        grey = np.rint(sigma * noise).astype(np.int16)
        self._sheet = np.repeat(grey[..., None], 3, axis=2)
        self._rng = rng

    def __call__(self, rgb: Rgb) -> Rgb:
        import cv2

        top, left = self._rng.integers(_SPARE_PX, size=2)
        height, width = rgb.shape[:2]
        patch = self._sheet[top : top + height, left : left + width]
        return np.asarray(cv2.add(rgb, patch, dtype=cv2.CV_8U), dtype=np.uint8)
