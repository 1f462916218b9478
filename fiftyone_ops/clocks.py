"""When the pictures of a sample are shown: by its file, and where that is gone by its metadata."""

from collections.abc import Callable
from functools import cache
from typing import Any

from mmmsba_plugin.errors import MediaUnreadableError, MmmsbaError
from mmmsba_plugin.media.glance import Glance
from mmmsba_plugin.media.opening import open_media
from mmmsba_plugin.media.packets import first_stream
from mmmsba_plugin.timebase import PictureClock, pts_to_s

from . import metadata


def clock_of(filepath: str, known: Any = None) -> PictureClock:
    """Return when the pictures of a file are shown, from its first one.

    Args:
        filepath: The file.
        known: Its ``fo.VideoMetadata``, if there are any.

    Raises:
        MediaUnreadableError: The file cannot be read, and nothing is known of it.
    """
    seen = metadata.look(filepath)
    if isinstance(seen, Glance):
        return seen.from_zero()
    if known is not None and known.frame_rate and known.total_frame_count:
        return PictureClock.steady(known.total_frame_count, fps_hz=known.frame_rate)
    raise MediaUnreadableError(f"{seen}; its labels cannot be placed in time without it")


def zero_of(filepath: str) -> float:
    """Return where the clip's zero lies on the clock of its file, in seconds, as the file states.

    That is the clock a player goes by. Most files start at its 0, some that were cut do not. Where
    a file cannot be read it is 0: nothing plays it then.
    """
    try:
        with open_media(filepath) as container:
            streams = (first_stream(container, kind) for kind in ("video", "audio"))
            starts_s = [
                pts_to_s(stream.start_time, stream.time_base)
                for stream in streams
                if stream is not None and stream.start_time is not None
            ]
    except MmmsbaError:
        return 0.0
    return min(starts_s, default=0.0)


def lazily(filepath: str, known: Any = None) -> Callable[[], PictureClock]:
    """Return what reads a clock once it is asked for, and only once."""
    return cache(lambda: clock_of(filepath, known))
