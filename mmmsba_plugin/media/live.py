"""Read sources that pass by once: pipes, devices, and the URLs of cameras and broadcasts.

Nothing is known of them before it comes: no duration, no hash, no second pass. Frames and audio
are decoded from one pass, and each is handed out in order of time. A source that does not wait
is read ahead by a thread; what does not fit into its buffer is dropped, and said to be.
"""

import math
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from time import monotonic

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.container import AvFrame, AvPacket, AvStream, LiveSource, open_live
from mmmsba_plugin.media.packets import (
    Damage,
    Decoder,
    Kind,
    StampOrder,
    decode_packet,
    first_stream,
    read_packets,
)
from mmmsba_plugin.media.probe import StreamStart, describe_audio, describe_video
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import pts_to_s

#: A stream that does not come for as long, while another does, is taken for ended, in seconds.
_PATIENCE_S = 10.0

#: A source that comes so many times as fast as time passes is no live one.
_FAST = 1.5

_KINDS: tuple[Kind, ...] = ("video", "audio")


class LiveReader:
    """Reader of a source that passes by once.

    Args:
        source: The source.
        buffer_s: How much of a source that does not wait is kept until it is asked for, in seconds.

    Attributes:
        media: The source as far as its beginning tells it.
        decoders: The decoder of each kind of stream.
        errors: Packets of each kind that could not be decoded so far.

    Raises:
        MediaUnreadableError: It cannot be opened, or nothing in it can be decoded.
    """

    def __init__(self, source: LiveSource, *, buffer_s: float = 30.0) -> None:
        self._container, name, waits = open_live(source)
        self._streams: dict[int, tuple[Kind, AvStream, StampOrder]] = {}
        for kind in _KINDS:
            if (stream := first_stream(self._container, kind)) is not None:
                stream.codec_context.thread_count = 1
                self._streams[stream.index] = kind, stream, StampOrder(stream)
        packets = read_packets(self._container)
        kinds = {index: kind for index, (kind, _, _) in self._streams.items()}
        self._buffer = None if waits else _Buffer(packets, kinds, buffer_s)
        self._packets: Iterator[AvPacket | None] = iter(self._buffer or packets)
        self._frames: dict[Kind, deque[AvFrame]] = {kind: deque() for kind in _KINDS}
        self.errors = dict.fromkeys(_KINDS, 0)
        self._ended = False
        self.media = self._begin(name)
        self.decoders: dict[Kind, Decoder] = {kind: LiveDecoder(self, kind) for kind in _KINDS}

    @property
    def dropped(self) -> tuple[Segment, ...]:
        """Segments dropped because the buffer was full, from the source's zero, in seconds."""
        zero_s = self.media.zero_s
        spans = list(self._buffer.dropped) if self._buffer else []
        return tuple(Segment(span.start_s - zero_s, span.end_s - zero_s) for span in spans)

    def close(self) -> None:
        """Stop reading."""
        if self._buffer:
            self._buffer.stop()
        self._container.close()

    def next_frame(self, kind: Kind) -> AvFrame | None:
        """Return the next frame of a kind; None at its end."""
        self._fill(kind)
        return self._frames[kind].popleft() if self._frames[kind] else None

    def _begin(self, path: str) -> Media:
        for kind, _, _ in self._streams.values():
            self._fill(kind)
        starts = {
            kind: StreamStart(stream, self._frames[kind][0])
            for kind, stream, _ in self._streams.values()
            if self._frames[kind]
        }
        if not starts:
            self.close()
            raise MediaUnreadableError(
                f"nothing of {path} can be decoded; check that it sends frames or audio"
            )
        zero_s = min(start.start_s for start in starts.values())
        return Media(
            path=path,
            container=self._container.format.name,
            zero_s=zero_s,
            video=describe_video(starts["video"], zero_s) if "video" in starts else None,
            audio=describe_audio(starts["audio"], zero_s) if "audio" in starts else None,
        )

    def _fill(self, kind: Kind) -> None:
        """Read on until a frame of a kind is there, or none is to be expected."""
        while not self._frames[kind] and not self._ended and self._waited_s(kind) < _PATIENCE_S:
            try:
                packet = next(self._packets)
            except StopIteration:
                self._ended = True
                for of_kind, stream, order in self._streams.values():
                    rest = decode_packet(stream, None) or ()
                    self._frames[of_kind].extend(map(order.stamp, rest))
                return
            if packet is not None and packet.stream_index in self._streams:
                of_kind, stream, order = self._streams[packet.stream_index]
                order.add(packet)
                frames = decode_packet(stream, packet)
                self.errors[of_kind] += frames is None
                self._frames[of_kind].extend(map(order.stamp, frames or ()))

    def _waited_s(self, kind: Kind) -> float:
        """Measure how much of the other stream came while none of this one did, in seconds."""
        others = [frames for of_kind, frames in self._frames.items() if of_kind != kind and frames]
        times_s = [
            frame.pts * frame.time_base for f in others for frame in (f[0], f[-1]) if frame.pts
        ]
        return float(max(times_s) - min(times_s)) if times_s else 0.0


class LiveDecoder:
    """Decoder of one stream of a live source, in the place of a ``StreamDecoder``.

    Args:
        reader: The source.
        kind: Which stream.
    """

    def __init__(self, reader: LiveReader, kind: Kind) -> None:
        self._reader, self._kind = reader, kind
        self.errors = 0

    def __iter__(self) -> Iterator[AvFrame]:
        while (frame := self._reader.next_frame(self._kind)) is not None:
            self.errors = self._reader.errors[self._kind]
            yield frame

    def damage(self) -> Damage:
        """Return the damage in the packets that were read so far."""
        return Damage(self._kind, self.errors)


class _Buffer:
    """Packets of a source that may not wait, read ahead by a thread.

    When it is full and the source came no faster than time passes, all that waits is dropped up to
    the next frame that needs none before it: one hole, instead of many that shift audio against
    frames. A source that comes faster, such as a film on a server, does wait.
    """

    def __init__(
        self, packets: Iterator[AvPacket | None], kinds: Mapping[int, Kind], buffer_s: float
    ) -> None:
        self.dropped: list[Segment] = []
        self._packets, self._kinds, self._buffer_s = packets, kinds, buffer_s
        self._has_video = "video" in kinds.values()
        self._waiting: deque[AvPacket] = deque()
        self._changed, self._ended = threading.Condition(), False
        self._hole_start_s: float | None = None
        self._last_s = 0.0
        self._began, self._first_s = monotonic(), math.nan
        threading.Thread(target=self._read, daemon=True).start()

    def stop(self) -> None:
        """Stop reading, after the packet that is being read."""
        with self._changed:
            self._ended = True

    def __iter__(self) -> Iterator[AvPacket]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                packet = self._waiting.popleft()
                self._changed.notify()
            yield packet

    def _read(self) -> None:
        try:
            for packet in self._packets:
                with self._changed:
                    if self._ended:
                        return
                    if packet is not None and packet.stream_index in self._kinds:
                        self._add(packet)
                        self._changed.notify()
        finally:
            with self._changed:
                self._close_hole()
                self._ended = True
                self._changed.notify()

    def _add(self, packet: AvPacket) -> None:
        time_s = _time_s(packet)
        if self._hole_start_s is not None:
            self._last_s = max(self._last_s, time_s)
            if self._has_video and not (
                packet.is_keyframe and self._kinds[packet.stream_index] == "video"
            ):
                return
            self._close_hole()
        self._waiting.append(packet)
        if math.isnan(self._first_s):
            self._first_s = time_s
        if time_s - _time_s(self._waiting[0]) <= self._buffer_s:
            return
        if time_s - self._first_s > _FAST * (monotonic() - self._began):
            self._changed.wait_for(lambda: self._ended or not self._is_full(time_s))
        else:
            self._hole_start_s, self._last_s = _time_s(self._waiting[0]), time_s
            self._waiting.clear()

    def _close_hole(self) -> None:
        if self._hole_start_s is not None:
            self.dropped.append(Segment(self._hole_start_s, self._last_s))
            self._hole_start_s = None

    def _is_full(self, time_s: float) -> bool:
        return bool(self._waiting) and time_s - _time_s(self._waiting[0]) > self._buffer_s


def _time_s(packet: AvPacket) -> float:
    stamp = packet.pts if packet.dts is None else packet.dts
    return 0.0 if stamp is None else pts_to_s(stamp, packet.time_base)
