"""Thumbnails of clips, decoded when they are seen, and kept."""

from typing import Final

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.timebase import clock

from ..responses import Thumbnail
from .file_cache import cached_by_file

#: Short side of a thumbnail: twice what a row is high, for screens with fine pixels.
_THUMBNAIL_PX: Final = 72
#: Thumbnails that are kept, at some 3 kB each.
_NUM_KEPT: Final = 2048


@cached_by_file(_NUM_KEPT)
def thumbnail(path: str, time_s: float) -> Thumbnail:
    """Return a small frame of a clip, decoded when it is first asked for.

    Args:
        path: The clip's file.
        time_s: The moment to show, in seconds.
    """
    from mmmsba_plugin.media.encode import jpeg_data_uri
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.media.video import frame_at

    try:
        media = probe(path, with_hash=False)
        frame = frame_at(media, time_s, max_short_side_px=_THUMBNAIL_PX)
    except MmmsbaError as error:
        return Thumbnail(src=None, caption=str(error))
    return Thumbnail(src=jpeg_data_uri(frame.rgb), caption=f"Frame at {clock(frame.pts_s)}")
