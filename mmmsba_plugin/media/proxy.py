"""Makes a copy of a file that every browser plays: H.264 and AAC in mp4.

The pictures keep their time stamps, so that what is said about the one in seconds holds for the
other.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.audio import SoundReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import PictureReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import s_to_samples

#: A sample rate that every AAC decoder knows.
_SAMPLE_RATE_HZ = 44_100
_USUAL_FPS_HZ = 25


def write_proxy(source: str | Path, path: str | Path, *, max_short_side_px: int = 720) -> None:
    """Write a copy of a video that browsers play; it appears only once it is complete.

    Pictures are taken one at a time; all of the sound, as one channel, is held at once.

    Args:
        source: The file.
        path: Where to; an ``.mp4``.
        max_short_side_px: Pictures whose shorter side is longer are scaled down to it.

    Raises:
        MediaNotFoundError: There is no file at ``source``.
        MediaUnreadableError: Nothing in it can be decoded.
    """
    media = probe(source, with_hash=False)
    sound, start_s = _sound(media)
    video = media.video
    fps_hz = Fraction(video.fps_hz if video and video.fps_hz else _USUAL_FPS_HZ)
    write_clip(
        path,
        PictureReader(media, max_short_side_px=max_short_side_px),
        fps_hz=fps_hz.limit_denominator(1001),
        sound=sound,
        sample_rate_hz=_SAMPLE_RATE_HZ,
        sound_start_s=start_s,
    )


def _sound(media: Media) -> tuple[NDArray[np.float32] | None, float]:
    """Return the sound of a file, shape ``(sample,)``, and when it starts, in seconds."""
    blocks = list(SoundReader(media, sample_rate_hz=_SAMPLE_RATE_HZ))
    if not blocks:
        return None, 0.0
    start_s = min(block.start_s for block in blocks)
    places = [s_to_samples(block.start_s - start_s, _SAMPLE_RATE_HZ) for block in blocks]
    ends = [at + block.samples.size for at, block in zip(places, blocks, strict=True)]
    # Each where it is heard: a gap in a file stays one.
    sound = np.zeros(max(ends), dtype=np.float32)
    for at, end, block in zip(places, ends, blocks, strict=True):
        sound[at:end] = block.samples
    return sound, start_s
