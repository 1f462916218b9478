"""Makes small media files of every ordinary and every broken kind.

Each frame carries its own number as black and white bars, and the audio is silence with
clicks, so that a test can say when what was seen and heard.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.structures import AudioBlock, Frame, Rgb
from mmmsba_plugin.timebase import frames_to_s, s_to_samples, samples_to_s

#: Bars across a frame; its number is below two to the power of this.
NUM_BARS = 8

#: How long a click lasts, in seconds: long enough to survive a speech codec at 16 kHz.
CLICK_S = 0.002


def numbered(number: int, *, width: int = 128, height: int = 96) -> Rgb:
    """Return a frame that shows ``number`` in binary, lowest bit on the left."""
    bits = (number >> np.arange(NUM_BARS)) & 1
    bars = np.repeat(40 + 170 * bits, -(-width // NUM_BARS))[:width].astype(np.uint8)
    return np.broadcast_to(bars[None, :, None], (height, width, 3)).copy()


def number_of(rgb: Rgb) -> int:
    """Return the number that a frame of :func:`numbered` shows, at any size."""
    columns = rgb.mean(axis=(0, 2))
    middles = ((np.arange(NUM_BARS) + 0.5) * columns.size / NUM_BARS).astype(int)
    return int(((columns[middles] > 125) << np.arange(NUM_BARS)).sum())


def numbered_frames(
    num_frames: int, *, fps_hz: int | Fraction = 25, start_s: float = 0.0, width: int = 128
) -> Iterator[Frame]:
    """Yield frames numbered from 0, at a constant rate from ``start_s``."""
    for number in range(num_frames):
        pts_s = start_s + frames_to_s(number, fps_hz)
        yield Frame(pts_s, numbered(number, width=width, height=width * 3 // 4))


def frames_at(times_s: Iterable[float]) -> Iterator[Frame]:
    """Yield frames numbered from 0 at the times given, in seconds."""
    return (Frame(time_s, numbered(number)) for number, time_s in enumerate(times_s))


def clicks(
    *at_s: float, duration_s: float, sample_rate_hz: int = 16_000, level: float = 0.8
) -> NDArray[np.float32]:
    """Return silence with a short burst of 2 kHz around each time, shape ``(sample,)``."""
    times_s = np.arange(s_to_samples(duration_s, sample_rate_hz)) / sample_rate_hz
    audio = np.zeros(times_s.size)
    for click_s in at_s:
        envelope = np.exp(-(((times_s - click_s) / CLICK_S) ** 2))
        audio += level * envelope * np.cos(2 * np.pi * 2_000 * (times_s - click_s))
    return audio.astype(np.float32)


def click_s(block: AudioBlock) -> float:
    """Return the middle of the loudest burst of a block, in seconds from the clip's zero."""
    loudness = np.convolve(block.samples**2, np.hanning(s_to_samples(2 * CLICK_S, 16_000)), "same")
    return block.start_s + samples_to_s(int(loudness.argmax()), block.sample_rate_hz)


def clip(path: Path, *, duration_s: float = 2.0, click_at_s: float = 1.0, **settings) -> Path:
    """Write a clip of numbered frames at 25 Hz with one click, and return its path."""
    frames = numbered_frames(round(duration_s * 25))
    write_clip(path, frames, fps_hz=25, audio=clicks(click_at_s, duration_s=duration_s), **settings)
    return path


def rotated_clip(path: Path, *, quarter_turns: int) -> Path:
    """Write a silent clip, stored lying down, that a player must turn counter-clockwise."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stored = [np.rot90(numbered(number), -quarter_turns) for number in range(10)]
        stream.height, stream.width = stored[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(90 * quarter_turns)
        for rgb in stored:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")))
        out.mux(stream.encode(None))
    return path


def stretched_clip(path: Path, *, pixel_aspect: Fraction) -> Path:
    """Write a silent clip of 128 x 96 pixels that are not square."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel_aspect
        for number in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "rgb24")))
        out.mux(stream.encode(None))
    return path


def with_cover(audio: NDArray[np.float32], path: Path) -> Path:
    """Write audio with a cover frame, as music files have it."""
    import av
    from av.stream import Disposition

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libmp3lame", rate=16_000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 128, 96, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1), "rgb24")))
        out.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(audio[None], format="flt", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


class _Pipe:
    """A file that can be written only onwards, as a recorder's."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def streamed(source: Path, path: Path, *, muxer: str) -> Path:
    """Copy a file as a recorder would have written it, which never learns how long it wrote."""
    pipe = _Pipe()
    _copy_packets(source, pipe, muxer=muxer, keep=lambda packet: True)
    path.write_bytes(pipe.data)
    return path


def without_packets(source: Path, path: Path, *, kind: str, lost: range, muxer: str) -> Path:
    """Copy a file without some packets of its frame or audio, and return the copy's path."""
    count = itertools.count()
    _copy_packets(
        source,
        str(path),
        muxer=muxer,
        keep=lambda packet: packet.stream.type != kind or next(count) not in lost,
    )
    return path


def _copy_packets(
    source: Path,
    target: Any,
    *,
    muxer: str,
    keep: Callable[[Any], bool],
    late_s: float = 0.0,
    from_s: float = -math.inf,
) -> None:
    import av

    # Left to itself, a muxer shifts what would lie below zero.
    options = {"avoid_negative_ts": "disabled"} if late_s < 0 else {}
    with (
        av.open(str(source)) as read,
        av.open(target, "w", format=muxer, options=options) as out,
    ):
        streams = {s.index: out.add_stream_from_template(s) for s in read.streams}
        for packet in read.demux():
            if packet.size and keep(packet):
                packet.stream = streams[packet.stream_index]
                if late_s and packet.dts * packet.time_base >= from_s:
                    late = round(late_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + late, packet.dts + late
                out.mux(packet)


def truncated(source: Path, path: Path, *, share: float) -> Path:
    """Copy the first part of a file, and return the copy's path."""
    path.write_bytes(source.read_bytes()[: round(source.stat().st_size * share)])
    return path


def flipped(source: Path, path: Path, *, num_bytes: int, seed: int = 0) -> Path:
    """Copy a file with random bytes of its second half changed, and return the copy's path."""
    data = bytearray(source.read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(len(data) // 2, len(data), num_bytes):
        data[at] ^= 0xFF
    path.write_bytes(data)
    return path


def with_broken_packet(source: Path, path: Path, *, kind: str, index: int) -> Path:
    """Copy a file with one packet overwritten by ones, and return the copy's path."""
    import av

    with av.open(str(source)) as read:
        packet = [p for p in read.demux() if p.size and p.stream.type == kind][index]
        at, size = packet.pos, packet.size
    data = bytearray(source.read_bytes())
    data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    return path


def copied(
    source: Path, path: Path, *, muxer: str, late_s: float = 0.0, from_s: float = -math.inf
) -> Path:
    """Copy all packets of a file into another format, those from a time on so much later."""
    _copy_packets(
        source, str(path), muxer=muxer, keep=lambda packet: True, late_s=late_s, from_s=from_s
    )
    return path


def with_unknown_codec(source: Path, path: Path, *, codec_id: bytes) -> Path:
    """Copy a Matroska file with one stream's codec replaced by one that nobody decodes."""
    unknown = codec_id[:2] + b"X" * len(codec_id[2:])
    path.write_bytes(source.read_bytes().replace(codec_id, unknown, 1))
    return path


def with_late_index(source: Path, path: Path) -> Path:
    """Copy a clip into an mp4 whose index comes last, as cameras write it."""
    return copied(source, path, muxer="mp4")


def bare_video(path: Path, *, num_frames: int) -> Path:
    """Write a bare stream of MPEG-2 frames, which carries no time stamps."""
    import av

    with av.open(str(path), "w", format="mpeg2video") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(num_frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "rgb24")))
        out.mux(stream.encode(None))
    return path
