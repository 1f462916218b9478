"""Decode one stream of a file packet by packet, whatever is broken in it.

A plain decoding loop ends silently at the first damaged packet (a flipped bit in the audio
even raises ``PermissionError``), and a file that was cut short ends as if it were whole. So
each packet is decoded by itself, and what went wrong is counted instead of raised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal, Protocol

import numpy as np

from mmmsba_plugin.media.container import (
    AvContainer,
    AvFrame,
    AvPacket,
    AvStream,
    open_media,
    seek_before,
)
from mmmsba_plugin.media.joined_clock import MAX_GAPS_S, JoinedClock
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import clock, pts_to_s

Kind = Literal["video", "audio"]

#: How much sooner than stated a file may end and still count as whole, in seconds. Headers
#: round, and the last frame or audio frame is often left out of the sum.
END_TOLERANCE_S = 0.5

#: Most frames that a decoder holds back to put them in order, by the standards of H.264 and HEVC.
MAX_REORDERED = 17

#: FFmpeg's names of layouts, by their number of channels.
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

_NAMES: dict[Kind, str] = {"video": "frame", "audio": "audio"}


@dataclass(frozen=True, slots=True)
class Damage:
    """Counts of broken packets and frames in a stream.

    Attributes:
        kind: Which stream.
        errors: Packets that could not be read or decoded.
        corrupt: Frames that were decoded, but with parts missing or made up.
        misplaced: Frames left out because their stamp was not after the last one's.
        unstamped: Frames without a stamp, placed one after the other.
        end_s: Where the file's packets of all streams end, in seconds.
        stated_end_s: Where the file says that it ends, in seconds; None if it does not.
        truncated: Whether it ends well before what it states.
    """

    kind: Kind
    errors: int = 0
    corrupt: int = 0
    misplaced: int = 0
    unstamped: int = 0
    end_s: float = 0.0
    stated_end_s: float | None = None
    truncated: bool = False

    def warnings(self) -> tuple[str, ...]:
        """Format the damage as sentences for the report; none if all is well."""
        name = _NAMES[self.kind]
        problems = (
            (self.errors, f"of the packets of the {name} could not be decoded"),
            (self.corrupt, f"of the frames of the {name} are damaged"),
            (self.misplaced, "of the frames have a wrong time stamp and were left out"),
        )
        words = [f"{n} {text}; scores near them are unsure" for n, text in problems if n]
        if self.unstamped:
            words.append(
                f"{self.unstamped} of the frames have no time stamp and were placed by their order"
            )
        if self.truncated and self.stated_end_s is not None:
            words.append(
                f"the file ends at {clock(self.end_s)}, though it says it lasts until "
                f"{clock(self.stated_end_s)}; it was cut off, so copy it again in full"
            )
        return tuple(words)


def streams_of(container: AvContainer, kind: Kind) -> list[AvStream]:
    """Return the streams of a kind that have a decoder, those that players choose first.

    A cover is not a video.
    """
    from av.stream import Disposition

    streams = [
        stream
        for stream in getattr(container.streams, kind)
        if stream.codec_context is not None
        and (kind == "audio" or not stream.disposition & Disposition.attached_pic)
    ]
    return sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)


def first_stream(container: AvContainer, kind: Kind, index: int | None = None) -> AvStream | None:
    """Return the stream of a kind that is read, or None if there is none.

    Args:
        container: The opened file.
        kind: Which streams.
        index: Number of the stream in the file, as a probe chose it; the one that players choose
            if not given.
    """
    streams = streams_of(container, kind)
    chosen = [stream for stream in streams if stream.index == index]
    return next(iter(chosen or streams), None)


def is_by_order(stream: AvStream) -> bool:
    """Return whether a stream's frames are stamped by the order in which they come out.

    AVI stores no presentation times; what libavformat makes up for frames that are decoded in
    another order than they are shown in is wrong.
    """
    return bool(stream.type == "video" and stream.container.format.name == "avi")


class StampOrder:
    """Stamps of frames that come in order of presentation, from packets in order of storage.

    Where a stream says when its frames are shown, they keep what it says.

    Args:
        stream: The stream; its packets are to be added before they are decoded.
    """

    def __init__(self, stream: AvStream) -> None:
        self._by_order = is_by_order(stream)
        self._waiting: list[int] = []

    def add(self, packet: AvPacket) -> None:
        """Take in the stamp of a packet."""
        if self._by_order and packet.pts is not None:
            heappush(self._waiting, packet.pts)
            # Those of packets that gave no frame would make all that follow late.
            if len(self._waiting) > MAX_REORDERED:
                heappop(self._waiting)

    def stamp(self, frame: AvFrame) -> AvFrame:
        """Return a frame with the earliest stamp that no frame before it had."""
        if self._by_order and self._waiting:
            frame.pts = heappop(self._waiting)
        return frame


def decode_packet(stream: AvStream, packet: AvPacket) -> list[AvFrame] | None:
    """Return the frames that a packet completes, or None if it is broken.

    Args:
        stream: The stream that the packet belongs to.
        packet: The packet; None asks for the frames that the decoder still holds.
    """
    import av

    try:
        frames = list(stream.decode(packet))
    except av.FFmpegError:
        return None
    if stream.type == "audio":
        frames = [_with_known_layout(frame) for frame in frames]
    for frame in frames:
        # Those that are asked for without a packet come without a clock.
        frame.time_base = stream.time_base
    return frames


def _with_known_layout(frame: AvFrame) -> AvFrame:
    """Return a frame of audio whose channels can be mixed: the first eight, by their number.

    Of eight planes and more, PyAV reads beyond the last (18.1), so they are interleaved.
    """
    import av
    from av.audio.frame import format_dtypes

    num_channels = frame.layout.nb_channels
    if num_channels < max(LAYOUTS) and not frame.layout.name.endswith(" channels"):
        return frame
    dtype, num_mixed = np.dtype(format_dtypes[frame.format.name]), min(num_channels, max(LAYOUTS))
    if frame.format.is_planar:
        planes = [np.frombuffer(frame.planes[i], dtype) for i in range(num_mixed)]
        samples = np.stack([plane[: frame.samples] for plane in planes], axis=1)
    else:
        packed = np.frombuffer(frame.planes[0], dtype)[: frame.samples * num_channels]
        samples = packed.reshape(-1, num_channels)[:, :num_mixed]
    form = frame.format.name.removesuffix("p")
    mixed = av.AudioFrame.from_ndarray(samples.reshape(1, -1), form, LAYOUTS[num_mixed])
    mixed.pts, mixed.sample_rate = frame.pts, frame.sample_rate
    return mixed


def packet_end_s(packet: AvPacket) -> float | None:
    """Return the end of a packet on the container's clock, in seconds; None if unstamped."""
    start = packet.dts if packet.pts is None else packet.pts
    if start is None:
        return None
    duration_s = pts_to_s(packet.duration or 0, packet.time_base)
    # A duration is written in no time: what is longer than gaps may be is not believed.
    believed_s = duration_s if duration_s <= MAX_GAPS_S else 0.0
    return pts_to_s(start, packet.time_base) + believed_s


class Decoder(Protocol):
    """Decoder of one stream: it yields frames of PyAV in order of presentation.

    Attributes:
        errors: Packets that could not be read or decoded so far.
    """

    errors: int

    def __iter__(self) -> Iterator[AvFrame]:
        """Yield the frames."""

    def damage(self) -> Damage:
        """Return the damage in the packets that were read so far."""


class StreamDecoder:
    """Decoder of the stream of a kind that a probe chose.

    Iterating yields frames of PyAV in order of presentation, one at a time. A file without
    such a stream yields none.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        kind: Which stream.
        from_s: Time from the clip's zero that decoding starts before, in seconds; the start of
            the file if not given. An index may lead behind it.

    Attributes:
        errors: Packets that could not be read or decoded so far.
    """

    def __init__(self, media: Media, kind: Kind, *, from_s: float | None = None) -> None:
        self.media = media
        self._from_s = from_s
        self.kind: Kind = kind
        self.errors = 0
        self._corrupt = 0
        self._end_s = 0.0
        self._finished = False

    def __iter__(self) -> Iterator[AvFrame]:
        self.errors = self._corrupt = 0
        self._end_s, self._finished = 0.0, False
        with open_media(self.media.path) as container:
            of_media = self.media.video if self.kind == "video" else self.media.audio
            stream = first_stream(container, self.kind, of_media.index if of_media else None)
            if stream is None:
                return
            # Threads halve the wall time of a clip and double its processor time (0.44 against
            # 0.22 ms a frame at 360p); clips are evaluated many at a time, so that counts.
            stream.codec_context.thread_count = 1
            if self._from_s is not None:
                seek_before(container, stream, self.media, self._from_s)
            order = StampOrder(stream)
            for packet in read_packets(container):
                if packet is None:
                    self.errors += 1
                    continue
                # Of all streams: only together do they tell where a file ends.
                if (end_s := packet_end_s(packet)) is not None:
                    self._end_s = max(self._end_s, end_s - self.media.zero_s)
                if packet.stream_index == stream.index:
                    order.add(packet)
                    yield from map(order.stamp, self._frames(stream, packet))
            yield from map(order.stamp, self._frames(stream, None))
        self._finished = True

    def damage(self) -> Damage:
        """Return the damage in the packets that were read so far."""
        stated_end_s = self.media.duration_s
        early = stated_end_s is not None and self._end_s < stated_end_s - END_TOLERANCE_S
        return Damage(
            kind=self.kind,
            errors=self.errors,
            corrupt=self._corrupt,
            end_s=self._end_s,
            stated_end_s=stated_end_s,
            truncated=self._finished and early,
        )

    def _frames(self, stream: AvStream, packet: AvPacket) -> Iterator[AvFrame]:
        frames = decode_packet(stream, packet)
        if frames is None:
            self.errors += 1
            return
        for frame in frames:
            self._corrupt += bool(frame.is_corrupt)
            yield frame


def read_packets(
    container: AvContainer, joined: JoinedClock | None = None
) -> Iterator[AvPacket | None]:
    """Yield the packets of all streams in order of storage, and None for each unreadable place.

    A container that cannot read on may still find the next packet behind the damage, so
    reading goes on for as long as it yields any. Their stamps are on one clock.

    Args:
        container: The opened file.
        joined: Notes where parts were laid end to end.
    """
    import av

    joined = joined or JoinedClock()
    # Subtitles and data may pause or lie without costing anything, and a stream that turns up
    # while reading is not read.
    stream_of = {stream.index: stream for stream in container.streams if stream.type in _NAMES}
    progress = True
    while progress:
        progress = False
        try:
            for packet in container.demux():
                # An empty packet asks decoders for what they hold; the readers do that
                # themselves, because it does not come where reading fails.
                if packet.size:
                    progress = True
                    stream = stream_of.get(packet.stream_index)
                    if stream is not None:
                        if is_by_order(stream) and packet.dts is not None:
                            packet.pts = packet.dts
                        joined.place(packet)
                    yield packet
        # PyAV does not know streams that turn up while it reads.
        except (av.FFmpegError, IndexError):
            yield None
        else:
            return
