"""Index the frames of a file from its packets alone; nothing is decoded.

A minute of video takes a few milliseconds, where :func:`mmmsba_plugin.media.probe.probe` opens
decoders and hashes all bytes. The time stamps of the packets are those of the frames, in the
order of storage.
"""

import mimetypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.container import AvContainer, AvStream, open_media
from mmmsba_plugin.media.packets import first_stream, read_packets
from mmmsba_plugin.timebase import USUAL_FPS_HZ, FrameClock, frames_to_s, pts_to_s

#: Codecs that Chromium plays, which is what most people watch with. MPEG-4 part 2, HEVC and
#: the older ones are not among them.
_PLAYED_VIDEO = frozenset({"h264", "vp8", "vp9", "av1"})
_PLAYED_AUDIO = frozenset({"aac", "mp3", "opus", "vorbis", "flac", "pcm_s16le"})
#: Containers that it opens.
_PLAYED_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """Index of a file: streams, codecs and the time stamps of its frames.

    Attributes:
        path: The file.
        size_bytes: Its size.
        mime_type: Media type by its name.
        container: Name of the container format.
        width_px: Width of its frames as stored.
        height_px: Height of its frames as stored.
        video_codec: Codec of its frames.
        audio_codec: Codec of its audio; None without audio that can be decoded.
        sample_rate_hz: Sample rate of its audio as stated, in Hz; None without audio.
        clock: Presentation times of the frames, on the container's own clock.
        zero_s: Where the clip's zero lies on it as the file states, in seconds. A probe, which
            decodes, knows better where a file is broken.
    """

    path: str
    size_bytes: int
    mime_type: str
    container: str
    width_px: int
    height_px: int
    video_codec: str
    audio_codec: str | None
    sample_rate_hz: int | None
    clock: FrameClock
    zero_s: float

    @property
    def num_frames(self) -> int:
        """Number of stored frames."""
        return len(self.clock.starts_s)

    @property
    def duration_s(self) -> float:
        """From where the first frame appears to where the last one goes, in seconds."""
        return self.clock.end_s - float(self.clock.starts_s[0])

    @property
    def fps_hz(self) -> float:
        """Frames a second, on average."""
        return self.num_frames / self.duration_s

    @property
    def why_not_played(self) -> str:
        """Reason why a browser cannot play it, in words; empty if it can."""
        if self.video_codec not in _PLAYED_VIDEO:
            return f"no browser plays frames coded as {self.video_codec}"
        if self.audio_codec is not None and self.audio_codec not in _PLAYED_AUDIO:
            return f"no browser plays audio coded as {self.audio_codec}"
        if self.container not in _PLAYED_CONTAINERS:
            return f"no browser opens {self.container} files"
        return ""

    def from_zero(self, zero_s: float | None = None) -> FrameClock:
        """Return the presentation times of frames, from a clip's zero.

        Args:
            zero_s: Where that lies on the container's clock, in seconds; where the file states
                if not given.
        """
        zero_s = self.zero_s if zero_s is None else zero_s
        return FrameClock(self.clock.starts_s - zero_s, self.clock.end_s - zero_s)


def glance(path: str | Path) -> Glance:
    """Read the index of a file from its packets.

    Raises:
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: It is in no format that can be opened, or holds no frames that can
            be decoded.
    """
    with open_media(path) as container:
        video, audio = (first_stream(container, kind) for kind in ("video", "audio"))
        if video is None:
            raise MediaUnreadableError(
                f"{path} holds no frames that can be decoded; give a video file, or convert it to "
                "mp4 with H.264 and AAC"
            )
        clock = _read_clock(path, container, video)
        return Glance(
            path=str(path),
            size_bytes=Path(path).stat().st_size,
            mime_type=mimetypes.guess_type(str(path))[0] or "video/mp4",
            container=container.format.name,
            width_px=video.codec_context.width,
            height_px=video.codec_context.height,
            video_codec=video.codec_context.codec.canonical_name,
            audio_codec=None if audio is None else audio.codec_context.codec.canonical_name,
            sample_rate_hz=None if audio is None else audio.codec_context.sample_rate,
            clock=clock,
            zero_s=stated_zero_s(container, default=float(clock.starts_s[0])),
        )


def stated_zero_s(container: AvContainer, *, default: float = 0.0) -> float:
    """Return the start of the clip on the container's clock, as its streams state it.

    Args:
        container: The opened file; no packet of it is read.
        default: Where it lies if no stream states its start.

    Returns:
        The earliest start of the first streams of video and audio, in seconds.
    """
    streams = (first_stream(container, kind) for kind in ("video", "audio"))
    return min(
        (
            pts_to_s(stream.start_time, stream.time_base)
            for stream in streams
            if stream is not None and stream.start_time is not None
        ),
        default=default,
    )


def _read_clock(path: str | Path, container: AvContainer, video: AvStream) -> FrameClock:
    """Read the presentation time of each stored frame, on the container's clock."""
    starts_s, last_for_s = [], frames_to_s(1, video.average_rate or USUAL_FPS_HZ)
    for packet in read_packets(container):
        if packet is None or packet.stream_index != video.index or packet.is_discard:
            continue
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            starts_s.append(pts_to_s(stamp, video.time_base))
            if packet.duration:
                last_for_s = pts_to_s(packet.duration, video.time_base)
    if not starts_s:
        raise MediaUnreadableError(
            f"no frame in {path} has a time stamp; convert it to mp4 with H.264 and AAC"
        )
    # In the order of presentation; of two frames with one stamp, a player shows one.
    shown_s = np.unique(starts_s)
    return FrameClock(shown_s, float(shown_s[-1]) + last_for_s)
