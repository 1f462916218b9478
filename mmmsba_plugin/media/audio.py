"""Read the audio of a file as mono blocks, each at its true time.

Counting samples from the start of a file is wrong as soon as a packet is lost or a
recorder paused: all that follows would slide against the lips. So a block runs only as
long as the file's time stamps agree with the count.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from mmmsba_plugin.media.container import AvFrame
from mmmsba_plugin.media.packets import Damage, Decoder, StreamDecoder
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock
from mmmsba_plugin.timebase import pts_to_s, s_to_samples, samples_to_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How far time stamps may stray from the count of samples before they are believed, in
#: seconds. Containers round stamps to 1 ms (Matroska) or a whole audio frame (AVI, 36 ms).
DRIFT_TOLERANCE_S = 0.05

#: The same right behind a packet that was lost. One packet is shorter than the tolerance
#: above, and its loss must not shift what follows.
LOSS_TOLERANCE_S = 0.005

#: A mix with less than this share of the power of its loudest channel has lost what that says. One
#: of six channels alone keeps more than five times as much.
_CANCELLED = 0.01

#: How far before a wanted time decoding starts, in seconds: codecs such as AAC and Opus need some
#: packets, of up to 60 ms, before what they say is right.
_LEAD_S = 0.5

#: Full scale of the 32-bit integers that the resampler hands over.
_FULL_SCALE = np.float32(2**31)


class AudioReader:
    """The audio of a file, in order of storage.

    Iterate over it, as often as needed; each pass reads the file anew and holds about one
    block. A file without an audio stream yields none.

    Blocks follow each other without a gap until the file's time stamps jump; then the next
    one starts at its true time. After a jump backwards, blocks overlap in time.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        sample_rate_hz: Sample rate to resample to, in Hz.
        block_s: Length of a block in seconds; one before a gap or the end may be shorter.
        decoder: Where frames of the decoder come from; the file if not given.
    """

    def __init__(
        self,
        media: Media,
        *,
        sample_rate_hz: int = 16_000,
        block_s: float = 1.0,
        decoder: Decoder | None = None,
    ) -> None:
        self.media = media
        self.sample_rate_hz = sample_rate_hz
        self._block_samples = max(1, s_to_samples(block_s, sample_rate_hz))
        self._frames = decoder or StreamDecoder(media, "audio")

    @property
    def damage(self) -> Damage:
        """Damage in the packets that were read so far."""
        return self._frames.damage()

    def __iter__(self) -> Iterator[AudioBlock]:
        import av

        if self.media.audio is None:
            return
        run: _Run | None = None
        num_errors = 0
        for frame in self._frames:
            lost, num_errors = self._frames.errors > num_errors, self._frames.errors
            start_s = self._start_s(frame, run)
            if run is None or not run.continues_with(frame, start_s, lost=lost):
                if run is not None:
                    yield from run.finish()
                run = _Run(start_s, frame, self.sample_rate_hz, self._block_samples)
            try:
                yield from run.add(frame)
            except av.FFmpegError:
                # A damaged header can call for a conversion that there is not.
                self._frames.errors += 1
                run = None
                continue
        if run is not None:
            yield from run.finish()

    def _start_s(self, frame: AvFrame, run: "_Run | None") -> float:
        if frame.pts is not None:
            return pts_to_s(frame.pts, frame.time_base, zero_s=self.media.zero_s)
        if run is not None:
            return run.end_s
        return self.media.audio.start_s if self.media.audio else 0.0


def read_audio(media: Media, *, sample_rate_hz: int = 16_000) -> AudioBlock:
    """Read the whole audio of a file, from its zero to its end.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        sample_rate_hz: Sample rate to resample to, in Hz.

    Returns:
        One block that starts at zero and lasts ``media.duration_s``, or as long as the audio
        where that is not known. Zeros stand where there is no audio, so a file without any
        yields silence. Where stamps jump back, what is stored later counts.
    """
    blocks = list(AudioReader(media, sample_rate_hz=sample_rate_hz))
    starts = [s_to_samples(block.start_s, sample_rate_hz) for block in blocks]
    if media.duration_s is None:
        size = max((at + b.samples.size for at, b in zip(starts, blocks, strict=True)), default=0)
    else:
        size = s_to_samples(media.duration_s, sample_rate_hz)
    return AudioBlock(0.0, _laid_out(blocks, starts, size), sample_rate_hz)


def read_audio_between(
    media: Media, start_s: float, end_s: float, *, sample_rate_hz: int = 16_000
) -> AudioBlock:
    """Read the audio between two times, and of a long file no more than lies around them.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        start_s: Start, from the clip's zero, in seconds.
        end_s: End, from the clip's zero, in seconds.
        sample_rate_hz: Sample rate to resample to, in Hz.

    Returns:
        One block that starts and ends there. Zeros stand where there is no audio.
    """
    first, last = s_to_samples(start_s, sample_rate_hz), s_to_samples(end_s, sample_rate_hz)
    for from_s in (start_s - _LEAD_S, None):
        decoder = StreamDecoder(media, "audio", from_s=from_s)
        reader = AudioReader(media, sample_rate_hz=sample_rate_hz, decoder=decoder)
        blocks, entered_s = [], math.inf
        for block in takewhile(lambda block: block.start_s < end_s, reader):
            entered_s = min(entered_s, block.start_s)
            if block.start_s + samples_to_s(block.samples.size, sample_rate_hz) > start_s:
                blocks.append(block)
        # An index that led behind the start is noticed by this; then all before it is read.
        if entered_s <= start_s:
            break
    starts = [s_to_samples(block.start_s, sample_rate_hz) - first for block in blocks]
    return AudioBlock(start_s, _laid_out(blocks, starts, last - first), sample_rate_hz)


def _laid_out(
    blocks: Sequence[AudioBlock], starts: Sequence[int], size: int
) -> "NDArray[np.float32]":
    """Lay blocks out at their places among so many samples, with zeros between them."""
    samples = np.zeros(size, dtype=np.float32)
    for at, block in zip(starts, blocks, strict=True):
        target = samples[max(0, at) : max(0, at + block.samples.size)]
        target[:] = block.samples[max(0, -at) :][: target.size]
    return samples


class _Run:
    """Audio whose time stamps agree with its count of samples, on its way through a resampler."""

    def __init__(
        self, start_s: float, frame: AvFrame, sample_rate_hz: int, block_samples: int
    ) -> None:
        import av

        # To 32-bit integers, not floats: only then does the mix to one channel keep the
        # level of a voice that is on all channels; as floats it comes out 3 dB louder or more.
        self._resampler = av.AudioResampler(format="s32", layout="mono", rate=sample_rate_hz)
        self._format = _format(frame)
        self._start_s = start_s
        self._sample_rate_hz = sample_rate_hz
        self._block_samples = block_samples
        self._num_read = 0
        self._num_yielded = 0
        self._waiting: list[NDArray[np.float32]] = []
        self._channels = _Channels(frame, sample_rate_hz)

    @property
    def end_s(self) -> float:
        """End of the audio that was added so far, by its count of samples, in seconds."""
        return self._start_s + samples_to_s(self._num_read, self._format[0])

    def continues_with(self, frame: AvFrame, start_s: float, *, lost: bool) -> bool:
        """Return whether a frame that starts at ``start_s`` belongs to this run."""
        tolerance_s = LOSS_TOLERANCE_S if lost else DRIFT_TOLERANCE_S
        return _format(frame) == self._format and abs(start_s - self.end_s) <= tolerance_s

    def add(self, frame: AvFrame) -> Iterator[AudioBlock]:
        """Take in a frame and yield the blocks that it completes."""
        self._num_read += frame.samples
        # The resampler counts by itself; stamps that jitter would only confuse it.
        frame.pts = None
        self._channels.add(frame)
        yield from self._blocks(self._resampler.resample(frame), least=self._block_samples)

    def finish(self) -> Iterator[AudioBlock]:
        """Yield the remaining blocks."""
        self._channels.add(None)
        yield from self._blocks(self._resampler.resample(None), least=1)

    def _blocks(self, frames: list[AvFrame], *, least: int) -> Iterator[AudioBlock]:
        """Yield blocks for as long as at least so many samples are waiting."""
        self._waiting += [f.to_ndarray()[0].astype(np.float32) / _FULL_SCALE for f in frames]
        while sum(samples.size for samples in self._waiting) >= least:
            samples = np.concatenate(self._waiting)
            start_s = self._start_s + samples_to_s(self._num_yielded, self._sample_rate_hz)
            block, rest = samples[: self._block_samples], samples[self._block_samples :]
            self._waiting = [rest] if rest.size else []
            self._num_yielded += block.size
            block = self._channels.unless_cancelled(block)
            yield AudioBlock(start_s, block, self._sample_rate_hz)


class _Channels:
    """The channels of a run beside their mix, for moments at which they cancel each other in it.

    A channel that is inverted is heard by everyone, but vanishes where channels are added up.
    """

    def __init__(self, frame: AvFrame, sample_rate_hz: int) -> None:
        import av

        self._resampler = None
        if frame.layout.nb_channels > 1:
            self._resampler = av.AudioResampler(
                format="s32", layout=frame.layout.name, rate=sample_rate_hz
            )
        self._waiting: NDArray[np.float32] = np.zeros((frame.layout.nb_channels, 0), np.float32)

    def add(self, frame: AvFrame | None) -> None:
        """Take in a frame; None asks for the rest."""
        if self._resampler is None:
            return
        frames = [
            f.to_ndarray().reshape(-1, len(self._waiting)).T
            for f in self._resampler.resample(frame)
        ]
        parts = (samples.astype(np.float32) / _FULL_SCALE for samples in frames)
        self._waiting = np.concatenate([self._waiting, *parts], axis=1)

    def unless_cancelled(self, mix: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Return the next part of the mix, or the loudest channel where next to nothing is left."""
        if self._resampler is None:
            return mix
        channels, self._waiting = np.split(self._waiting, [mix.size], axis=1)
        if not channels.size:
            return mix
        # About their means, because a constant is heard by nobody.
        powers = channels.var(axis=1, dtype=np.float64)
        if mix.var(dtype=np.float64) >= _CANCELLED * powers.max():
            return mix
        loudest: NDArray[np.float32] = channels[int(np.argmax(powers))]
        return np.pad(loudest, (0, mix.size - loudest.size))


def _format(frame: AvFrame) -> tuple[int, str, str]:
    """Return the sample rate in Hz, the layout and the sample format of a frame."""
    return frame.sample_rate, frame.layout.name, frame.format.name
