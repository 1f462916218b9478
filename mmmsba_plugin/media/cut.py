"""Cuts a stretch out of a file, as a clip that every browser plays."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.evidence import Picture
from mmmsba_plugin.media.audio import SoundReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.video import PictureReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import clock, s_to_samples

_SAMPLE_RATE_HZ = 44_100
_USUAL_FPS_HZ = 25


def cut(media: Media, within: Segment, path: str | Path, *, max_short_side_px: int = 540) -> None:
    """Write a stretch of a file as a clip of its own; it appears only once it is complete.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        within: The stretch, in seconds from the file's zero, which becomes the clip's. Pictures
            that appear in it are kept, with their time stamps.
        path: Where to; an ``.mp4``.
        max_short_side_px: Pictures whose shorter side is longer are scaled down to it.

    Raises:
        MediaUnreadableError: Nothing is seen or heard there.
    """
    pictures = (
        Picture(picture.pts_s - within.start_s, picture.rgb)
        for picture in PictureReader(media, max_short_side_px=max_short_side_px)
        if picture.pts_s in within
    )
    sound = _sound(media, within)
    has_pictures = media.video is not None
    if not has_pictures and sound is None:
        raise MediaUnreadableError(
            f"nothing is seen or heard in {media.path} at {clock(within.start_s)}; choose a "
            "stretch within the file"
        )
    fps_hz = Fraction(media.video.fps_hz if media.video and media.video.fps_hz else _USUAL_FPS_HZ)
    write_clip(
        path,
        pictures,
        fps_hz=fps_hz.limit_denominator(1001),
        sound=sound,
        sample_rate_hz=_SAMPLE_RATE_HZ,
    )


def _sound(media: Media, within: Segment) -> NDArray[np.float32] | None:
    """Return what is heard in a stretch, shape ``(sample,)``; None where nothing is."""
    wanted = np.zeros(s_to_samples(within.duration_s, _SAMPLE_RATE_HZ), dtype=np.float32)
    heard = False
    for block in SoundReader(media, sample_rate_hz=_SAMPLE_RATE_HZ):
        at = s_to_samples(block.start_s - within.start_s, _SAMPLE_RATE_HZ)
        first, last = max(0, -at), min(block.samples.size, wanted.size - at)
        if last > first:
            wanted[at + first : at + last] = block.samples[first:last]
            heard = True
    return wanted if heard else None
