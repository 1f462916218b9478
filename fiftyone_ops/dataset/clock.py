"""Clocks of files: when each frame of a sample is shown, read from its packets."""

from collections.abc import Callable
from functools import cache
from typing import Any

from mmmsba_plugin.errors import MediaUnreadableError, MmmsbaError
from mmmsba_plugin.media.container import open_media
from mmmsba_plugin.media.frame_index import Glance, glance, stated_zero_s
from mmmsba_plugin.timebase import FrameClock

IndexOrError = Glance | MmmsbaError


def look(path: str) -> IndexOrError:
    """Read the frame index of a file; an error is returned, not raised."""
    try:
        return glance(path)
    except MmmsbaError as error:
        return error


def clock_of(filepath: str, stated: Any = None) -> FrameClock:
    """Read the presentation times of a file's frames, from its first one.

    Args:
        filepath: The file.
        stated: Its ``fo.VideoMetadata``, if there are any.

    Raises:
        MediaUnreadableError: The file cannot be read, and nothing is known of it.
    """
    frame_index = look(filepath)
    if isinstance(frame_index, Glance):
        return frame_index.from_zero()
    if stated is not None and stated.frame_rate and stated.total_frame_count:
        return FrameClock.steady(stated.total_frame_count, fps_hz=stated.frame_rate)
    raise MediaUnreadableError(f"{frame_index}; its labels cannot be placed in time without it")


def lazily(filepath: str, stated: Any = None) -> Callable[[], FrameClock]:
    """Return a function that reads a clock once it is asked for, and only once."""
    return cache(lambda: clock_of(filepath, stated))


def zero_of(filepath: str) -> float:
    """Return the clip's zero on the clock of its file, in seconds, as the file states.

    That is the clock a player goes by. Most files start at its 0, some that were cut do not. Where
    a file cannot be read it is 0: nothing plays it then.
    """
    try:
        with open_media(filepath) as container:
            return stated_zero_s(container)
    except MmmsbaError:
        return 0.0
