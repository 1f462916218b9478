"""Probe a file: its streams, and where its zero lies.

The zero of a clip is the moment at which the earlier of its frame and its audio begins.
Headers are not trusted for it: an encoder's priming, an edit list or a packet that a cut
left behind all make a stream begin elsewhere than stated. So the first frame of each stream
is decoded, which tells rotation and true size as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mmmsba_plugin.errors import AudioTrackError, MediaUnreadableError
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.media.boxes import unread_bytes
from mmmsba_plugin.media.container import AvContainer, AvFrame, AvPacket, AvStream, open_media
from mmmsba_plugin.media.joined_clock import JoinedClock
from mmmsba_plugin.media.level import AudioMeter
from mmmsba_plugin.media.packets import (
    MAX_REORDERED,
    Kind,
    StampOrder,
    decode_packet,
    packet_end_s,
    read_packets,
    streams_of,
)
from mmmsba_plugin.media.traces import read_traces
from mmmsba_plugin.schema import AudioStream, Media, VideoStream
from mmmsba_plugin.timebase import USUAL_FPS_HZ, frames_to_s, pts_to_s, s_to_pts

#: Pixels that are less than this far from square count as square: an encoder that rounds a
#: size writes such ratios, and scaling every frame for them would help nobody.
_SQUARE_TOLERANCE = 0.01

#: Formats whose muxers state as a duration where the last stream ends, whenever the first begins.
_STATE_END = frozenset({"matroska,webm", "nut"})

#: Formats without a header: what libavformat gives as their duration is guessed from a bit
#: rate or a few stamps near the end (2.98 s for 75 frames at 25 Hz of a program stream).
_NO_HEADER = frozenset({"mpeg", "mpegts", "mp3", "aac", "h264", "hevc", "mpegvideo"})

#: Below the thinnest speech codecs.
_FEWEST_BYTES_A_S = 50

#: A video stream with less than this share of another's packets holds stills.
_STILLS_SHARE = 0.1

#: Share of the file, and bytes, from which on it is said that something lies behind the last
#: packet. An index takes less, and so does what fills the last pack of a program stream.
_UNREAD_SHARE, _UNREAD_BYTES = 0.2, 10_000

_AV_TIME_BASE = Fraction(1, 1_000_000)
_RIGHT_ANGLE_DEG = 90
_KINDS: tuple[Kind, ...] = ("video", "audio")


@dataclass(frozen=True, slots=True)
class StreamStart:
    """Stream with its first frame."""

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


class _Head:
    """Beginning of a stream, as far as it is needed to choose among streams.

    Args:
        stream: The stream.
        is_measured: Whether to tell if it has any content, for which more of it is decoded.
    """

    def __init__(self, stream: AvStream, *, is_measured: bool) -> None:
        self.stream = stream
        self.num_packets = 0
        self.first: StreamStart | None = None
        self.end_s: float | None = None
        self.meter = AudioMeter(stream.codec_context.codec.canonical_name) if is_measured else None
        self._order = StampOrder(stream)
        self._num_unstamped = 0
        self._stamps: list[int] = []

    def add(self, packet: AvPacket) -> None:
        """Take in a packet."""
        self.num_packets += 1
        if self.first is None:
            self._order.add(packet)
        if len(self._stamps) < MAX_REORDERED:
            if packet.pts is None:
                self._num_unstamped += 1
            else:
                self._stamps.append(packet.pts)
        if self.first is None or (self.meter and self.meter.wants(self.num_packets)):
            self._decode(packet)
        end_s = None if packet.is_discard else packet_end_s(packet)
        if end_s is not None:
            self.end_s = end_s if self.end_s is None else max(end_s, self.end_s)

    def finish(self) -> None:
        """Take in what the decoder holds, where it gave nothing yet; stamp the first frame."""
        if self.first is None:
            self._decode(None)
        # Matroska loses stamps below zero (H.264): such frames lie before the first that has one.
        if self.first and self.stream.type == "video" and self._stamps:
            frame, fps_hz = self.first.frame, self.stream.average_rate or USUAL_FPS_HZ
            if frame.pts is None:
                lead_s = frames_to_s(self._num_unstamped, fps_hz)
                frame.pts = min(self._stamps) - s_to_pts(lead_s, self.stream.time_base)

    def _decode(self, packet: AvPacket | None) -> None:
        frames = decode_packet(self.stream, packet) or ()
        for frame in frames:
            if self.first is None:
                self.first = StreamStart(self.stream, self._order.stamp(frame))
            if self.meter:
                self.meter.add(frame)


def probe(path: str | Path, *, with_hash: bool = True, audio_track: int | None = None) -> Media:
    """Probe a file: read its container, streams and zero.

    Args:
        path: The file.
        with_hash: Whether to read all of it for its SHA-256.
        audio_track: Number of the audio track to read, from 1, in the file's order; if not
            given, the first that is not silent, of which the default one comes first.

    Raises:
        AudioTrackError: There is no audio track of that number, or it cannot be decoded.
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: Neither frame nor audio in it can be decoded; the message
            says why and what to do.
    """
    with open_media(path) as container:
        joined = JoinedClock()
        wanted_stream = None if audio_track is None else _track(container, audio_track, path)
        heads, read_bytes = _read_heads(container, joined, wanted_stream)
        chosen = {kind: head for kind in _KINDS if (head := _choose(heads, kind, wanted_stream))}
        starts = {kind: head.first for kind, head in chosen.items() if head.first}
        if wanted_stream is not None and "audio" not in starts:
            raise AudioTrackError(
                f"nothing in audio track {audio_track} of {path} can be decoded; choose another",
                track=audio_track,
            )
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
        # Where parts were laid end to end, a header does not know of it.
        stated_s = None if joined.joins_s else _stated_end_s(container, starts)
        if stated_s is not None:
            # A header can state any length, but no stream that is worth reading is so thin.
            stated_s = min(stated_s, zero_s + size_bytes / _FEWEST_BYTES_A_S)
        last_s = max((h.end_s for h in chosen.values() if h.end_s is not None), default=None)
        ends_s = [end_s for end_s in (stated_s, last_s) if end_s is not None]
        return Media(
            path=str(path),
            size_bytes=size_bytes,
            sha256=sha256_of(Path(path)) if with_hash else None,
            container=container.format.name,
            duration_s=max(ends_s) - zero_s if ends_s else None,
            zero_s=zero_s,
            video=describe_video(starts["video"], zero_s) if "video" in starts else None,
            audio=describe_audio(starts["audio"], zero_s) if "audio" in starts else None,
            others=(
                *(_in_words(head) for head in heads if head not in chosen.values()),
                *_unread(Path(path), read_bytes, size_bytes),
            ),
            joins_s=tuple(join_s - zero_s for join_s in joined.joins_s),
            traces=read_traces(container, Path(path)),
        )


def stated_duration_s(path: str | Path) -> float | None:
    """Return the duration that a file's header states, in seconds; None if it states none.

    Raises:
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: It cannot be opened.
    """
    with open_media(path) as container:
        duration = container.duration
        return None if duration is None else pts_to_s(duration, _AV_TIME_BASE)


def audio_tracks(path: str | Path) -> tuple[int, ...]:
    """Return the numbers of a file's audio tracks that have a decoder, from 1.

    Raises:
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: It cannot be opened.
    """
    with open_media(path) as container:
        tracks = enumerate(container.streams.audio, start=1)
        return tuple(number for number, stream in tracks if stream.codec_context is not None)


def _track(container: AvContainer, audio_track: int, path: str | Path) -> AvStream:
    """Return the stream of an audio track.

    Raises:
        AudioTrackError: There is none of that number, or it has no decoder.
    """
    streams = dict(enumerate(container.streams.audio, start=1))
    stream = streams.get(audio_track)
    if stream is not None and stream.codec_context is not None:
        return stream
    lacks = "there is none" if stream is None else "it has no decoder"
    tracks = ", ".join(f"{number} ({_codec_in_words(s)})" for number, s in streams.items())
    choice = f"choose from {tracks}" if tracks else "the file has no audio"
    raise AudioTrackError(
        f"cannot read audio track {audio_track} of {path}: {lacks}; {choice}", track=audio_track
    )


def _read_heads(
    container: AvContainer, joined: JoinedClock, wanted_stream: AvStream | None
) -> tuple[list[_Head], int]:
    """Read the beginning of each stream, those first that players choose first.

    Returns also where the last packet ends in the file, in bytes; 0 if the format does not tell.

    All packets are read, though few are decoded: recorders that write as they go never learn
    how long they wrote, and headers of variable frame rate may state less than there is.
    """
    streams = {kind: streams_of(container, kind) for kind in _KINDS}
    is_measured = {"video": False, "audio": wanted_stream is None and len(streams["audio"]) > 1}
    heads = [_Head(s, is_measured=is_measured[kind]) for kind in _KINDS for s in streams[kind]]
    by_index = {head.stream.index: head for head in heads}
    end = 0
    for packet in read_packets(container, joined):
        if packet is None:
            continue
        if packet.pos is not None:
            end = max(end, packet.pos + packet.size)
        if packet.stream_index in by_index:
            by_index[packet.stream_index].add(packet)
    for head in heads:
        head.finish()
    return heads, end


def _unread(path: Path, end: int, size_bytes: int) -> Iterator[str]:
    """Yield in words what lies behind the last packet, if it is more than an index."""
    if not 0 < end < size_bytes - _UNREAD_BYTES:
        return
    with path.open("rb") as file:
        num_bytes = unread_bytes(file, end, size_bytes)
    share = num_bytes / size_bytes
    if num_bytes > _UNREAD_BYTES and share > _UNREAD_SHARE:
        yield f"rest behind the last packet ({100 * share:.0f} %, perhaps another recording)"


def _choose(heads: list[_Head], kind: Kind, wanted_stream: AvStream | None) -> _Head | None:
    """Choose the stream of a kind to read; None if none can be."""
    readable = [head for head in heads if head.stream.type == kind and head.first]
    if kind == "audio":
        if wanted_stream is not None:
            return next(
                (head for head in readable if head.stream.index == wanted_stream.index), None
            )
        meters = {head.stream.index: head.meter for head in readable}
        has_content = [h for h in readable if (m := meters[h.stream.index]) and m.has_content]
        has_signal = [h for h in readable if (m := meters[h.stream.index]) and m.has_signal]
        return next(iter(has_content or has_signal or readable), None)
    # A few stills beside a film are its posters, whether they are marked as such or not, and one
    # beside audio is a cover.
    longest = max((head.num_packets for head in readable), default=0)
    moving = [h for h in readable if h.num_packets > max(1, _STILLS_SHARE * longest)]
    has_audio = any(head.stream.type == "audio" and head.num_packets > 1 for head in heads)
    return next(iter(moving or (() if has_audio else readable)), None)


def _in_words(head: _Head) -> str:
    stream = head.stream
    if stream.type == "audio":
        silent = ", silent" if head.meter and not head.meter.has_signal else ""
        return f"audio track {_track_number(stream)} ({_codec_in_words(stream)}{silent})"
    still = ", a still" if head.num_packets == 1 else ""
    return f"video stream {stream.index} ({_codec_in_words(stream)}{still})"


def _track_number(stream: AvStream) -> int:
    tracks = stream.container.streams.audio
    return 1 + [track.index for track in tracks].index(stream.index)


def _codec_in_words(stream: AvStream) -> str:
    codec = stream.codec_context.name if stream.codec_context is not None else "no decoder"
    # Without a language, some formats state "undetermined" (ISO 639-2).
    return codec if stream.language in (None, "", "und") else f"{codec}, {stream.language}"


def _stated_end_s(container: AvContainer, starts: dict[Kind, StreamStart]) -> float | None:
    """Read the end that the file states, on its own clock, in seconds; None if it states none."""
    if container.format.name in _NO_HEADER:
        return None
    ends_s = [end_s for start in starts.values() if (end_s := start.end_s) is not None]
    if len(ends_s) == len(starts):
        return max(ends_s)
    if container.duration is None:
        return None
    states_end = container.format.name in _STATE_END
    start_s = 0.0 if states_end else pts_to_s(container.start_time or 0, _AV_TIME_BASE)
    return start_s + pts_to_s(container.duration, _AV_TIME_BASE)


def describe_video(start: StreamStart, zero_s: float) -> VideoStream:
    """Describe a video stream, upright and with square pixels, from its first frame."""
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


def describe_audio(start: StreamStart, zero_s: float) -> AudioStream:
    """Describe an audio stream from its first frame."""
    return AudioStream(
        codec=start.stream.codec_context.codec.canonical_name,
        # Of the frame, because a header of HE-AAC states half the rate that is decoded.
        sample_rate_hz=start.frame.sample_rate,
        channels=start.frame.layout.nb_channels,
        start_s=start.start_s - zero_s,
        duration_s=start.duration_s,
        index=start.stream.index,
        track=_track_number(start.stream),
    )
