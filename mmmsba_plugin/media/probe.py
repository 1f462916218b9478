"""Probe a file: its streams, and where its zero lies.

The zero of a clip is the moment at which the earlier of its frame and its audio begins.
Headers are not trusted for it: an encoder's priming, an edit list or a packet that a cut
left behind all make a stream begin elsewhere than stated. So the first frame of each stream
is decoded, which tells rotation and true size as well.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.media.container import AvContainer, AvFrame, AvPacket, AvStream, open_media
from mmmsba_plugin.media.packets import (
    JoinedClock,
    Kind,
    StampOrder,
    decode_packet,
    packet_end_s,
    read_packets,
    streams_of,
)
from mmmsba_plugin.schema import AudioStream, Media, VideoStream
from mmmsba_plugin.timebase import pts_to_s

#: Pixels that are less than this far from square count as square: an encoder that rounds a
#: size writes such ratios, and scaling every frame for them would help nobody.
_SQUARE_TOLERANCE = 0.01

#: Formats without a header: what libavformat gives as their duration is guessed from a bit
#: rate or a few stamps near the end (2.98 s for 75 frames at 25 Hz of a program stream).
_NO_HEADER = frozenset({"mpeg", "mpegts", "mp3", "aac", "h264", "hevc", "mpegvideo"})

#: Below the thinnest speech codecs.
_FEWEST_BYTES_A_S = 50

_AV_TIME_BASE = Fraction(1, 1_000_000)
_RIGHT_ANGLE_DEG = 90
_KINDS: tuple[Kind, ...] = ("video", "audio")


@dataclass(frozen=True, slots=True)
class _Start:
    """A stream and its first frame."""

    stream: AvStream
    frame: AvFrame

    @property
    def start_s(self) -> float:
        """True start of the stream, on the container's clock, in seconds."""
        frame, stream = self.frame, self.stream
        pts = frame.pts if frame.pts is not None else stream.start_time
        return pts_to_s(pts or 0, stream.time_base)

    @property
    def duration_s(self) -> float | None:
        """Duration of the stream as the container states it, in seconds."""
        stream = self.stream
        return None if stream.duration is None else pts_to_s(stream.duration, stream.time_base)

    @property
    def end_s(self) -> float | None:
        """End of the stream as stated, on the container's clock, in seconds."""
        if self.duration_s is None:
            return None
        return pts_to_s(self.stream.start_time or 0, self.stream.time_base) + self.duration_s


def probe(path: str | Path, *, with_hash: bool = True) -> Media:
    """Probe a file: read its container, streams and zero.

    Args:
        path: The file.
        with_hash: Whether to read all of it for its SHA-256.

    Raises:
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: Neither frame nor audio in it can be decoded; the message
            says why and what to do.
    """
    with open_media(path) as container:
        joined = JoinedClock()
        starts, others, last_s = _scan(container, joined)
        if not starts:
            if not any(getattr(container.streams, kind) for kind in _KINDS):
                raise MediaUnreadableError(
                    f"{path} holds neither frame nor audio; give a video file"
                )
            raise MediaUnreadableError(
                f"nothing in {path} can be decoded, though it states frame or audio; copy it "
                "again, or convert it to mp4 with H.264 and AAC"
            )
        zero_s = min(start.start_s for start in starts.values())
        size_bytes = Path(path).stat().st_size
        stated_s = _stated_end_s(container, starts)
        if stated_s is not None:
            # A header can state any length, but no stream that is worth reading is so thin.
            stated_s = min(stated_s, zero_s + size_bytes / _FEWEST_BYTES_A_S)
        ends_s = [end_s for end_s in (stated_s, last_s) if end_s is not None]
        return Media(
            path=str(path),
            size_bytes=size_bytes,
            sha256=sha256_of(Path(path)) if with_hash else None,
            container=container.format.name,
            duration_s=max(ends_s) - zero_s if ends_s else None,
            zero_s=zero_s,
            video=_video(starts["video"], zero_s) if "video" in starts else None,
            audio=_audio(starts["audio"], zero_s) if "audio" in starts else None,
            others=tuple(map(_in_words, others)),
            joins_s=tuple(join_s - zero_s for join_s in joined.joins_s),
        )


def _scan(
    container: AvContainer, joined: JoinedClock
) -> tuple[dict[Kind, _Start], list[AvStream], float | None]:
    """Find the streams to read and their first frame, the others, and where the last packet ends.

    All packets are read, though few are decoded: recorders that write as they go never learn
    how long they wrote, and headers of variable frame rate may state less than there is.
    """
    streams = {kind: streams_of(container, kind) for kind in _KINDS}
    by_index = {stream.index: stream for of_kind in streams.values() for stream in of_kind}
    orders = {index: StampOrder(stream) for index, stream in by_index.items()}
    firsts: dict[int, _Start] = {}
    num_packets = dict.fromkeys(by_index, 0)
    ends_s: dict[int, float] = {}
    for packet in read_packets(container, joined):
        if packet is None or (index := packet.stream_index) not in by_index:
            continue
        num_packets[index] += 1
        if index not in firsts:
            orders[index].add(packet)
            _note_first(firsts, by_index[index], packet, orders[index])
        end_s = None if packet.is_discard else packet_end_s(packet)
        if end_s is not None:
            ends_s[index] = max(end_s, ends_s.get(index, end_s))
    for index in by_index.keys() - firsts.keys():
        _note_first(firsts, by_index[index], None, orders[index])
    starts: dict[Kind, _Start] = {}
    for kind, of_kind in streams.items():
        readable = [stream for stream in of_kind if stream.index in firsts]
        # A still beside a film is its poster, whether it is marked as one or not.
        moving = [stream for stream in readable if num_packets[stream.index] > 1]
        if chosen := next(iter(moving or readable), None):
            starts[kind] = firsts[chosen.index]
    chosen_ones = {start.stream.index for start in starts.values()}
    others = [stream for index, stream in by_index.items() if index not in chosen_ones]
    last_s = max((ends_s[index] for index in chosen_ones & ends_s.keys()), default=None)
    return starts, others, last_s


def _note_first(
    firsts: dict[int, _Start], stream: AvStream, packet: AvPacket | None, order: StampOrder
) -> None:
    if frames := decode_packet(stream, packet):
        firsts[stream.index] = _Start(stream, order.stamp(frames[0]))


def _in_words(stream: AvStream) -> str:
    language = f", {stream.language}" if stream.language else ""
    return f"{stream.type} stream {stream.index} ({stream.codec_context.name}{language})"


def _stated_end_s(container: AvContainer, starts: dict[Kind, _Start]) -> float | None:
    """Read the end that the file states, on its own clock, in seconds; None if it states none."""
    if container.format.name in _NO_HEADER:
        return None
    ends_s = [end_s for start in starts.values() if (end_s := start.end_s) is not None]
    if len(ends_s) == len(starts):
        return max(ends_s)
    if container.duration is None:
        return None
    start_s = pts_to_s(container.start_time or 0, _AV_TIME_BASE)
    return start_s + pts_to_s(container.duration, _AV_TIME_BASE)


def _video(start: _Start, zero_s: float) -> VideoStream:
    stream, frame = start.stream, start.frame
    rotation_deg = round(frame.rotation / _RIGHT_ANGLE_DEG) * _RIGHT_ANGLE_DEG % 360
    width_px, height_px = frame.width, frame.height
    pixel_aspect = stream.sample_aspect_ratio
    # Pixels are made square by shrinking one side.
    if pixel_aspect and abs(pixel_aspect - 1) >= _SQUARE_TOLERANCE:
        if pixel_aspect > 1:
            height_px = round(height_px / pixel_aspect)
        else:
            width_px = round(width_px * pixel_aspect)
    if rotation_deg % (2 * _RIGHT_ANGLE_DEG):
        width_px, height_px = height_px, width_px
    return VideoStream(
        codec=stream.codec_context.codec.canonical_name,
        width_px=width_px,
        height_px=height_px,
        rotation_deg=rotation_deg,
        fps_hz=float(stream.average_rate) if stream.average_rate else None,
        start_s=start.start_s - zero_s,
        duration_s=start.duration_s,
        index=start.stream.index,
    )


def _audio(start: _Start, zero_s: float) -> AudioStream:
    return AudioStream(
        codec=start.stream.codec_context.codec.canonical_name,
        # Of the frame, because a header of HE-AAC states half the rate that is decoded.
        sample_rate_hz=start.frame.sample_rate,
        channels=start.frame.layout.nb_channels,
        start_s=start.start_s - zero_s,
        duration_s=start.duration_s,
        index=start.stream.index,
    )
