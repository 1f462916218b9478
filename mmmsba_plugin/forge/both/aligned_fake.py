"""Load a fake that a generator made of a whole real clip, aligned with it frame by frame.

Cutting from the real clip to such a counterpart and back gives a partial fake by a real
generator with exact times. That holds only where the two agree but for what the generator
painted, so the agreement is measured here, and a pair that does not agree is refused.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.source_clip import FrameCache, SourceClip
from mmmsba_plugin.forge.sources import Counterpart
from mmmsba_plugin.forger import FaceFrame
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import s_to_samples
from mmmsba_plugin.tracks.mesh import LIPS_OUTER

#: Two copies of one background that were encoded apart differ by 1 to 5 grey levels.
_MAX_OUTSIDE = 8.0
#: A frame is the generator's where its face or mouth differs by so many times as much as
#: what lies around the face, and by as many levels at least as one more encoding of a face does.
_MIN_RATIO, _MIN_CHANGE = 2.0, 3.0
#: Streams of the two files may end so far apart, in seconds.
_MAX_OFF_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFake:
    """A whole-clip fake beside its real clip.

    Attributes:
        counterpart: The folder's record of it.
        clip: Its frames and audio, with the face trace of the real clip.
        changed: Whether the generator visibly altered each frame, shape ``(frame,)``.
    """

    counterpart: Counterpart
    clip: SourceClip
    changed: NDArray[np.bool_]

    def without(self, cut: range) -> "AlignedFake":
        """Cut some frames away as :meth:`SourceClip.without` does."""
        return replace(self, clip=self.clip.without(cut), changed=np.delete(self.changed, cut))


def load_aligned(
    counterpart: Counterpart, real: SourceClip, *, max_short_side_px: int, max_bytes: int
) -> AlignedFake:
    """Load a counterpart, and make sure that it is aligned with the real clip.

    Args:
        counterpart: The fake.
        real: The clip that it was made of, uncut.
        max_short_side_px: Frames are scaled down to this short side, in px.
        max_bytes: Size of the frame cache.

    Raises:
        ForgeError: The two differ in size, length or background.
    """
    media = probe(counterpart.path, with_hash=False)
    cache = FrameCache(media, max_short_side_px=max_short_side_px, max_bytes=max_bytes)
    audio = np.zeros(0, dtype=np.float32)
    if counterpart.audio and media.audio is not None:
        audio = read_audio(media, sample_rate_hz=real.sample_rate_hz).samples
        off = abs(audio.size - real.audio.size)
        if off > s_to_samples(_MAX_OFF_S, real.sample_rate_hz):
            raise _misaligned(counterpart, f"its audio is longer or shorter by {off} samples")
        audio = np.pad(audio, (0, max(0, real.audio.size - audio.size)))[: real.audio.size]
    changed, outside = _compare_frames(counterpart, real, cache)
    if (difference := float(np.median(outside)) if outside.size else 0.0) > _MAX_OUTSIDE:
        raise _misaligned(
            counterpart,
            f"outside the face it differs by {difference:.1f} grey levels, at most "
            f"{_MAX_OUTSIDE:g} are allowed",
        )
    return AlignedFake(counterpart, replace(real, cache=cache, audio=audio), changed)


def _compare_frames(
    counterpart: Counterpart, real: SourceClip, cache: FrameCache
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Find the altered frames, and the difference around the face of those with one."""
    face = real.face
    changed, outside = np.zeros(face.num_frames, dtype=bool), list[float]()
    num_frames = 0
    for index, (frame, other) in enumerate(zip(real.frames(), cache, strict=False)):
        num_frames += 1
        if frame.rgb.shape != other.rgb.shape:
            sizes = [f"{f.rgb.shape[1]}x{f.rgb.shape[0]}" for f in (frame, other)]
            raise _misaligned(counterpart, "the frames are of {} and {} px".format(*sizes))
        if face.track[index] >= 0:
            inside, around = _compute_change(face.face_frame(index, frame), other.rgb)
            changed[index] = inside >= max(_MIN_CHANGE, _MIN_RATIO * around)
            outside.append(around)
    if num_frames != face.num_frames or sum(1 for _ in cache) != num_frames:
        raise _misaligned(counterpart, "one has more frames than the other")
    return changed, np.array(outside)


def _compute_change(frame: FaceFrame, other: Rgb) -> tuple[float, float]:
    """Compute the mean difference of face or mouth, and the median around the face."""
    import cv2

    difference = cv2.absdiff(frame.rgb, other).mean(axis=-1)
    around = np.ones(difference.shape, dtype=bool)
    inside = []
    for points_px in (frame.points_px, frame.points_px[list(LIPS_OUTER)]):
        corners = (points_px.min(axis=0), np.ceil(points_px.max(axis=0)) + 1)
        (left, top), (right, bottom) = (np.clip(c.astype(int), 0, None) for c in corners)
        around[top:bottom, left:right] = False
        box = difference[top:bottom, left:right]
        inside.append(float(box.mean()) if box.size else 0.0)
    return max(inside), float(np.median(difference[around])) if around.any() else 0.0


def _misaligned(counterpart: Counterpart, reason: str) -> ForgeError:
    return ForgeError(
        f"{counterpart.key} is not aligned with its original, since {reason}; correct 'original' "
        "in the metadata, or remove it"
    )
