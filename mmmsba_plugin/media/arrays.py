"""Decoders of frames and audio that another program has decoded already."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MediaTypeError
from mmmsba_plugin.media.container import AvFrame
from mmmsba_plugin.media.packets import LAYOUTS, Damage, Decoder, Kind
from mmmsba_plugin.schema import AudioStream, Media, VideoStream
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import s_to_pts, s_to_samples

#: Clock of frames whose times are given, fine enough for any camera.
_TICK_S = Fraction(1, 1_000_000)
_BLOCK_S = 1.0
_NUM_AXES, _NUM_COLOURS = 3, 3

#: Audio: samples of shape ``(sample,)`` or ``(channel, sample)``, float in [-1, 1] or int16.
Samples = NDArray[Any]


class DecodedSource:
    """Frames and audio that were decoded elsewhere, at once or as they come.

    Both begin at zero. Nothing is held but what is being looked at, so either can be a generator;
    what a camera pushes into a queue is ``iter(queue.get, None)``.

    Args:
        frames: RGB frames of one size, each of shape ``(height, width, 3)``, uint8; none if not
            given.
        fps_hz: Frames per second, or the time of each frame in seconds, rising.
        audio: All samples, or blocks of them one behind the other; none if not given.
        sample_rate_hz: Sample rate of the audio, in Hz.
        name: What a report calls it.

    Attributes:
        media: What is known of it.
        decoders: The decoder of each kind that is there.

    Raises:
        MediaTypeError: There is neither, or shape, type or rate are of no frames or audio.
    """

    def __init__(
        self,
        frames: Iterable[Rgb] | None = None,
        fps_hz: float | Sequence[float] | None = None,
        audio: Samples | Iterable[Samples] | None = None,
        sample_rate_hz: int | None = None,
        *,
        name: str = "decoded frames",
    ) -> None:
        self.decoders: dict[Kind, Decoder] = {}
        video_stream = audio_stream = None
        if isinstance(fps_hz, np.ndarray | np.generic):
            fps_hz = fps_hz.tolist()
        if frames is not None:
            first, all_frames = _peek(frames)
            if first is not None:
                height, width = _checked_frame(first).shape[:2]
                rate_hz = None if isinstance(fps_hz, Sequence) else _checked_rate(fps_hz, "fps_hz")
                video_stream = VideoStream(
                    codec="rawvideo", width_px=width, height_px=height, fps_hz=rate_hz
                )
                times_s = fps_hz if isinstance(fps_hz, Sequence) else None
                self.decoders["video"] = _FrameDecoder(all_frames, rate_hz, times_s)
        if audio is not None:
            rate = int(_checked_rate(sample_rate_hz, "sample_rate_hz"))
            blocks = _cut(audio, rate) if isinstance(audio, np.ndarray) else audio
            block, all_blocks = _peek(blocks)
            if block is not None:
                channels = len(_checked_audio(block))
                audio_stream = AudioStream(codec="pcm", sample_rate_hz=rate, channels=channels)
                self.decoders["audio"] = _AudioDecoder(all_blocks, rate)
        if not self.decoders:
            raise MediaTypeError("there is neither a frame nor audio; give frames, audio, or both")
        self.media = Media(path=name, video=video_stream, audio=audio_stream)

    #: Nothing is lost of what waits for its reader.
    dropped: tuple[Segment, ...] = ()

    def close(self) -> None:
        """Do nothing: what was given is the caller's."""


class _FrameDecoder:
    errors = 0

    def __init__(
        self, frames: Iterable[Rgb], fps_hz: float | None, times_s: Sequence[float] | None
    ) -> None:
        self._frames, self._times_s = frames, times_s
        self._tick_s = 1 / Fraction(fps_hz).limit_denominator(100_000) if fps_hz else _TICK_S

    def __iter__(self) -> Iterator[AvFrame]:
        import av

        stamps: Iterator[int] = count()
        if self._times_s is not None:
            stamps = (s_to_pts(time_s, _TICK_S) for time_s in self._times_s)
        for rgb in self._frames:
            if (pts := next(stamps, None)) is None:
                raise MediaTypeError("there are more frames than times; give a time for each")
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(_checked_frame(rgb)), "rgb24")
            frame.pts, frame.time_base = pts, self._tick_s
            yield frame

    def damage(self) -> Damage:
        return Damage("video")


class _AudioDecoder:
    errors = 0

    def __init__(self, blocks: Iterable[Samples], sample_rate_hz: int) -> None:
        self._blocks, self._rate_hz = blocks, sample_rate_hz

    def __iter__(self) -> Iterator[AvFrame]:
        import av

        pts = 0
        for block in self._blocks:
            samples = _checked_audio(block)
            layout = LAYOUTS[len(samples)]
            frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), "flt", layout)
            frame.pts, frame.sample_rate = pts, self._rate_hz
            frame.time_base = Fraction(1, self._rate_hz)
            pts += samples.shape[1]
            yield frame

    def damage(self) -> Damage:
        return Damage("audio")


def _peek(items: Iterable[Any]) -> tuple[Any, Iterable[Any]]:
    """Return the first item, or None, and all items."""
    iterator = iter(items)
    for first in iterator:
        return first, chain([first], iterator)
    return None, ()


def _cut(audio: Samples, rate_hz: int) -> Iterator[Samples]:
    size = s_to_samples(_BLOCK_S, rate_hz)
    return (audio[..., start : start + size] for start in range(0, audio.shape[-1], size))


def _checked_rate(rate_hz: object, name: str) -> float:
    if isinstance(rate_hz, np.generic):
        rate_hz = rate_hz.item()
    if not isinstance(rate_hz, int | float) or not 0 < rate_hz < float("inf"):
        raise MediaTypeError(f"{name} must be a positive number a second, got {rate_hz!r:.80}")
    return float(rate_hz)


def _checked_frame(frame: object) -> Rgb:
    """Return a frame, if it is one.

    Raises:
        MediaTypeError: It is not.
    """
    rgb = np.asarray(frame)
    is_rgb = rgb.ndim == _NUM_AXES and rgb.shape[2] == _NUM_COLOURS and rgb.size
    if not is_rgb or rgb.dtype != np.uint8:
        raise MediaTypeError(
            "a frame is RGB of shape (height, width, 3) and type uint8, got "
            f"{rgb.shape} of {rgb.dtype}"
        )
    return rgb


def _checked_audio(block: object) -> NDArray[np.float32]:
    """Return a block of audio as float32 of shape ``(channel, sample)``.

    Raises:
        MediaTypeError: Shape or type are of no audio, or a sample is not finite.
    """
    samples = np.atleast_2d(np.asarray(block))
    if samples.ndim >= _NUM_AXES or len(samples) not in LAYOUTS or samples.dtype.kind not in "fi":
        raise MediaTypeError(
            "audio is of shape (sample,) or (channel, sample) with at most eight channels, and "
            f"float or int16, got {samples.shape} of {samples.dtype}"
        )
    if samples.dtype.kind == "i":
        samples = samples / float(np.iinfo(samples.dtype).max + 1)
    if not np.isfinite(samples).all():
        raise MediaTypeError("audio holds NaN or infinity; give zeros where there is none")
    return samples.astype(np.float32)
