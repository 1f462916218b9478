"""Read the frames of a file, upright, scaled down and with their true time stamps.

One frame is held at a time, and it is scaled inside the decoder's own scaler: a minute of
4K frames would fill 37 GB.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.container import AvFrame, open_media, seek_before
from mmmsba_plugin.media.packets import (
    Damage,
    Decoder,
    StampOrder,
    StreamDecoder,
    decode_packet,
    first_stream,
    read_packets,
)
from mmmsba_plugin.schema import Media, VideoStream
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.timebase import USUAL_FPS_HZ, Grid, clock, frames_to_s, pts_to_s

#: How far before the wanted frame reading starts anew where a container's index led
#: behind it, in seconds. Key frames lie closer than that in nearly every file.
_STEP_BACK_S = 10.0

_RIGHT_ANGLE_DEG = 90


class FrameReader:
    """The frames of a file, in order of time.

    Iterate over it, as often as needed; each pass reads the file anew and holds one frame.
    A file without a video stream yields none.

    A frame without a time stamp is placed one frame period after the last one. One whose
    stamp is not after the last one's is left out, as a player would do, and counted.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        max_short_side_px: A frame whose shorter side is longer is scaled down to it.
        max_fps_hz: Time is cut into cells of one period of this rate, and the first frame of
            each cell is yielded; all frames if not given.
        decoder: Where frames of the decoder come from; the file if not given.
    """

    def __init__(
        self,
        media: Media,
        *,
        max_short_side_px: int = 540,
        max_fps_hz: float | None = None,
        decoder: Decoder | None = None,
    ) -> None:
        self.media = media
        self.max_short_side_px = max_short_side_px
        self._cells = Grid(stride_s=frames_to_s(1, max_fps_hz)) if max_fps_hz else None
        self._frames = decoder or StreamDecoder(media, "video")
        self._last_s: float | None = None
        self._misplaced = self._unstamped = 0

    @property
    def damage(self) -> Damage:
        """Damage in the packets that were read so far."""
        return replace(self._frames.damage(), misplaced=self._misplaced, unstamped=self._unstamped)

    def __iter__(self) -> Iterator[Frame]:
        import av

        self._last_s, self._misplaced, self._unstamped = None, 0, 0
        if self.media.video is None:
            return
        upright = _Upright(self.media.video, self.max_short_side_px)
        for frame in self._frames:
            if frame.pts is not None:
                pts_s = pts_to_s(frame.pts, frame.time_base, zero_s=self.media.zero_s)
            elif self._last_s is None:
                pts_s = self.media.video.start_s
            else:
                pts_s = self._last_s + frames_to_s(1, self.media.video.fps_hz or USUAL_FPS_HZ)
            self._unstamped += frame.pts is None
            if self._last_s is not None and pts_s <= self._last_s:
                self._misplaced += 1
                continue
            if self._is_between(pts_s):
                self._last_s = pts_s
                continue
            try:
                rgb = upright(frame)
            except av.FFmpegError:
                # A damaged header can call for a conversion that there is not.
                self._frames.errors += 1
                continue
            self._last_s = pts_s
            yield Frame(pts_s, rgb)

    def _is_between(self, pts_s: float) -> bool:
        """Return whether a frame lies in the cell of the one before it."""
        if self._cells is None or self._last_s is None:
            return False
        return self._cells.index_at(pts_s) == self._cells.index_at(self._last_s)


def frame_at(media: Media, time_s: float, *, max_short_side_px: int = 540) -> Frame:
    """Decode the frame that is shown at a moment.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        time_s: The moment, from the clip's zero, in seconds. The first frame stands for
            moments before it, the last one for moments after it.
        max_short_side_px: A frame whose shorter side is longer is scaled down to it.

    Raises:
        MediaUnreadableError: There is no video stream, or no frame near that moment can
            be decoded.
    """
    if media.video is None:
        raise MediaUnreadableError(f"{media.path} has no frames; give a file with video")
    for from_s in (time_s, time_s - _STEP_BACK_S, 0.0):
        if nearest := _decode_until(media, time_s, from_s=max(0.0, from_s)):
            frame, pts_s = nearest
            # An index that led behind the moment is noticed by this; the next try is earlier.
            if pts_s <= time_s or from_s <= 0:
                return Frame(pts_s, _Upright(media.video, max_short_side_px)(frame))
    raise MediaUnreadableError(
        f"no frame of {media.path} at {clock(time_s)} can be decoded; try another moment"
    )


def _decode_until(media: Media, time_s: float, *, from_s: float) -> tuple[AvFrame, float] | None:
    """Decode the last frame up to a moment and its time, from a key frame before ``from_s``."""
    latest = None
    with open_media(media.path) as container:
        stream = first_stream(container, "video", media.video.index if media.video else None)
        if stream is None:
            return None
        stream.codec_context.thread_count = 1
        seek_before(container, stream, media, from_s)
        packets = (p for p in read_packets(container) if p and p.stream_index == stream.index)
        order = StampOrder(stream)
        for packet in chain(packets, [None]):
            if packet is not None:
                order.add(packet)
            for frame in map(order.stamp, decode_packet(stream, packet) or ()):
                if frame.pts is None:
                    continue
                pts_s = pts_to_s(frame.pts, frame.time_base, zero_s=media.zero_s)
                if latest is not None and pts_s > time_s:
                    return latest
                latest = frame, pts_s
    return latest


class _Upright:
    """Converter of decoded frames to upright RGB arrays of one size."""

    def __init__(self, video: VideoStream, max_short_side_px: int) -> None:
        from av.video.reformatter import VideoReformatter

        # One scaler for all frames: building one costs as much as using it.
        self._scaler = VideoReformatter()
        self._quarter_turns = video.rotation_deg // _RIGHT_ANGLE_DEG
        size_px = fit_px(video.width_px, video.height_px, max_short_side_px)
        self._stored_size_px = size_px[::-1] if self._quarter_turns % 2 else size_px

    def __call__(self, frame: AvFrame) -> Rgb:
        width, height = self._stored_size_px
        scaled = self._scaler.reformat(frame, width=width, height=height, format="rgb24")
        rgb = scaled.to_ndarray().astype(np.uint8, copy=False)
        return (
            np.ascontiguousarray(np.rot90(rgb, self._quarter_turns)) if self._quarter_turns else rgb
        )


def fit_px(width: int, height: int, max_short_side_px: int) -> tuple[int, int]:
    """Compute the size to which a frame is scaled, in px; never larger than it is.

    Sides that are scaled become even, which every video codec accepts.

    Example:
        >>> fit_px(1920, 1080, 540)
        (960, 540)
        >>> fit_px(351, 287, 540)
        (351, 287)
    """
    short = min(width, height)
    if short <= max_short_side_px:
        return width, height
    scale = max_short_side_px / short
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)
