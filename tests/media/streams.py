"""Containers to write to, and the tolerances of what is read from them."""

from mmmsba_plugin.media.video import FrameReader

from .. import clips

SUFFIXES = ("mp4", "mov", "mkv", "webm", "avi", "mpg")


#: Containers that keep any time stamp; the others have frames at a constant rate.
STAMPED = ("mp4", "mov", "mkv", "webm")


#: Matroska rounds time stamps to a millisecond; the others are finer.
STAMP_TOLERANCE_S = 0.001


#: A click is found to a sample, and a codec's filters move it by a few.
CLICK_TOLERANCE_S = 0.002


def frame_numbers(media):
    """Return the time of each frame and the number that it shows."""
    return [(p.pts_s, clips.number_of(p.rgb)) for p in FrameReader(media)]
