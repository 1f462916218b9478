"""Cut away from the face for a moment, as editors do while somebody goes on talking.

What is shown instead is the part of the frame beside the face, enlarged. Real and fake clips
are cut away from alike, so that a face that leaves and comes back is no sign of a fake.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.tracks.mesh import apply_affine

#: Hair, ears and neck lie beyond the mesh by this share of its size.
_MARGIN = 0.3
#: From a smaller part of the frame nothing could be recognised.
_SMALLEST_PX = 24


@dataclass(frozen=True, slots=True)
class Cutaway:
    """A part of the frame that is shown instead of all of it.

    Attributes:
        frames: Indices of the frames.
        left: First column that is shown.
        top: First row that is shown.
        width: Number of columns.
        height: Number of rows.
    """

    frames: range
    left: int
    top: int
    width: int
    height: int

    def show(self, rgb: Rgb) -> Rgb:
        """Return the part of a frame, enlarged to the size of the frame."""
        import cv2

        cropped = rgb[self.top : self.top + self.height, self.left : self.left + self.width]
        size_px = rgb.shape[1::-1]
        return np.asarray(cv2.resize(cropped, size_px, interpolation=cv2.INTER_CUBIC))


def find_cutaway(face: FaceTrace, frames: range, size_px: tuple[int, int]) -> Cutaway | None:
    """Find the largest part of the frame, in its proportions, in which the face never is.

    Args:
        face: The face mesh in each frame.
        frames: Indices of the frames.
        size_px: Width and height of the frames.

    Returns:
        The part; None where no face is seen anyway, or it fills the frame.
    """
    import cv2

    with_face = [i for i in frames if face.track[i] >= 0]
    if not with_face:
        return None
    points_px = np.concatenate(
        [
            apply_affine(cv2.invertAffineTransform(face.to_face[i]), face.points[i].astype(float))
            for i in with_face
        ]
    )
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    margin = _MARGIN * (high - low)
    width, height = size_px
    left, top = np.clip(np.floor(low - margin), 0, size_px).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high + margin), 0, size_px).astype(int).tolist()
    sides = (
        (0, 0, left, height),
        (right, 0, width - right, height),
        (0, 0, width, top),
        (0, bottom, width, height - bottom),
    )
    scales = [min(w / width, h / height) for _, _, w, h in sides]
    best = int(np.argmax(scales))
    size = (int(scales[best] * width), int(scales[best] * height))
    if min(size) < _SMALLEST_PX:
        return None
    x, y, free_width, free_height = sides[best]
    # As far from the face as the frame goes.
    x = 0 if x == 0 else x + free_width - size[0]
    y = 0 if y == 0 else y + free_height - size[1]
    return Cutaway(frames, x, y, *size)


def show_cutaway(frames: Iterable[Frame], cutaway: Cutaway | None) -> Iterator[Frame]:
    """Yield frames, those of a cutaway without the face."""
    for index, frame in enumerate(frames):
        if cutaway is not None and index in cutaway.frames:
            yield Frame(frame.pts_s, cutaway.show(frame.rgb))
        else:
            yield frame
