"""Makes a copy of a file that every browser plays: H.264 and AAC in mp4.

The pictures keep their time stamps, so that what is said about the one in seconds holds for the
other.
"""

from pathlib import Path

from mmmsba_plugin.media.audio import read_sound
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import PictureReader

#: A sample rate that every AAC decoder knows.
_SAMPLE_RATE_HZ = 44_100


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
    heard = media.audio is not None
    write_clip(
        path,
        PictureReader(media, max_short_side_px=max_short_side_px),
        fps_hz=fps_of(media),
        sound=read_sound(media, sample_rate_hz=_SAMPLE_RATE_HZ).samples if heard else None,
        sample_rate_hz=_SAMPLE_RATE_HZ,
    )
