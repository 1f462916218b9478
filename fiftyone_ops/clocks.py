"""When the pictures of a sample are shown: by its file, and where that is gone by its metadata."""

from collections.abc import Callable
from functools import cache
from typing import Any

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.glance import Glance
from mmmsba_plugin.timebase import PictureClock

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


def lazily(filepath: str, known: Any = None) -> Callable[[], PictureClock]:
    """Return what reads a clock once it is asked for, and only once."""
    return cache(lambda: clock_of(filepath, known))
