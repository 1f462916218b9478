"""Encode one stream of a file that is being written, and put its packets in place."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.codecs import (
    Container,
    is_steady,
    priming_samples,
    stored_rate_hz,
)
from mmmsba_plugin.media.container import AvContainer, AvPacket, AvStream
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import frames_to_s, pts_to_s, s_to_pts, s_to_samples, samples_to_s

#: The clock on which frames are placed, seconds a tick: MPEG's, whose rate is a multiple
#: of every usual frame rate.
_TICK_S = Fraction(1, 90_000)

#: Samples of audio handed to an encoder at once.
_CHUNK_SAMPLES = 1024


class FrameTrack:
    """The video stream of a file that is being written."""

    def __init__(
        self,
        out: AvContainer,
        codec: str,
        container: Container,
        *,
        like: Rgb,
        fps_hz: int | Fraction,
        options: dict[str, str],
    ) -> None:
        import av

        self._out = out
        self._size_px = _even_size_px(like)
        self._steady = is_steady(container, codec)
        self._tick_s = 1 / Fraction(fps_hz) if self._steady else _TICK_S
        self._period_ticks = s_to_pts(frames_to_s(1, fps_hz), self._tick_s)
        self._last: tuple[int, Rgb] | None = None
        self._stream = _add_stream(out, codec, Fraction(fps_hz), options)
        self._stream.width, self._stream.height = self._size_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.bit_rate = 0
        self._stream.codec_context.time_base = self._tick_s
        self._stream.codec_context.thread_count = 1
        try:
            self._stream.codec_context.open()
        except av.FFmpegError as error:
            width, height = self._size_px
            raise ConfigError(
                f"{codec} cannot write {width}x{height} px at {fps_hz} frames a second; use a "
                "usual rate such as 25, or another container such as .mp4"
            ) from error

    def write(self, time_s: float, rgb: Rgb) -> None:
        """Encode one frame, unless it falls on the place of the last one.

        Where frames lie on a grid of constant rate, the last one is repeated until then.
        """
        width, height = self._size_px
        if _even_size_px(rgb) != self._size_px:
            raise ConfigError(
                f"the frame at {time_s:.3f} s is {rgb.shape[1]}x{rgb.shape[0]} px, but the clip "
                f"began with {width}x{height}; scale all frames to one size"
            )
        pts = s_to_pts(time_s, self._tick_s)
        if self._last is not None:
            last_pts, last_rgb = self._last
            if pts <= last_pts:
                return
            for missing in range(last_pts + 1, pts) if self._steady else ():
                self._encode(missing, last_rgb)
        self._last = pts, rgb[:height, :width]
        self._encode(*self._last)

    def _encode(self, pts: int, rgb: Rgb) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
        frame.pts, frame.time_base, frame.duration = pts, self._tick_s, self._period_ticks
        self._out.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what the encoder holds back."""
        self._out.mux(self._stream.encode(None))


class AudioTrack:
    """The audio stream of a file that is being written.

    Some containers cannot say that the first samples are an encoder's priming, and every
    player would play them, late by up to 69 ms. There, silence is put in front that fills
    up the last packet of priming, and those packets are left out; nor can they start late,
    so silence is put before late audio as well::

        samples   | priming | silence | late by …, audio …
        packets   |   left out        | kept …
    """

    def __init__(
        self,
        out: AvContainer,
        codec: str,
        container: Container,
        *,
        audio: NDArray[np.float32],
        sample_rate_hz: int,
        start_s: float,
        bit_rate: int,
    ) -> None:
        rate_hz = stored_rate_hz(codec, sample_rate_hz)
        self._out = out
        self._audio = audio.astype(np.float32, copy=False)
        self._start, self._keep_from_s = s_to_samples(start_s, sample_rate_hz), -math.inf
        if not container.skips_priming:
            priming, packet = priming_samples(codec, rate_hz)
            silent_s = samples_to_s(-priming % packet, rate_hz)
            num_silent = s_to_samples(silent_s, sample_rate_hz)
            self._audio = np.pad(self._audio, (num_silent + self._start, 0))
            self._start, self._keep_from_s = -num_silent, -samples_to_s(packet, rate_hz) / 2
        self._next = 0
        self._rate_hz = sample_rate_hz
        # A reservoir of bits would tie the first packet that is kept to one that is not.
        options = {"flags": "+bitexact", "reservoir": "0"}
        self._stream = _add_stream(out, codec, rate_hz, options)
        self._stream.layout = "mono"
        self._stream.bit_rate = bit_rate

    def write_until(self, end_s: float) -> None:
        """Encode the audio up to a moment, in whole chunks."""
        end = s_to_samples(end_s, self._rate_hz) - self._start
        while self._next < min(end, self._audio.size):
            self._write_chunk()

    def finish(self) -> None:
        """Encode the rest, and what the encoder holds back."""
        while self._next < self._audio.size:
            self._write_chunk()
        self._mux(self._stream.encode(None))

    def _write_chunk(self) -> None:
        import av

        chunk = np.ascontiguousarray(self._audio[None, self._next : self._next + _CHUNK_SAMPLES])
        frame = av.AudioFrame.from_ndarray(chunk, format="flt", layout="mono")
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._start + self._next
        self._next += chunk.size
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[AvPacket]) -> None:
        for packet in packets:
            if pts_to_s(packet.pts or 0, packet.time_base) >= self._keep_from_s:
                self._out.mux(packet)


def _add_stream(
    out: AvContainer, codec: str, rate_hz: int | Fraction, options: dict[str, str]
) -> AvStream:
    try:
        return out.add_stream(codec, rate=rate_hz, options=options)
    except ValueError as error:
        raise ConfigError(
            f"{error}; leave the codec out to have the usual one of {out.format.name}"
        ) from error


def _even_size_px(rgb: Rgb) -> tuple[int, int]:
    """Return the width and height of a frame without an odd last row or column.

    Encoders store colour at half the size, and refuse an odd one.
    """
    height, width = rgb.shape[:2]
    return width - width % 2, height - height % 2
