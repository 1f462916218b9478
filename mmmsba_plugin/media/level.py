"""Tell signal from silence by level, relative to what a coding can hold.

Silence is not zero: a recorder adds a constant (DC offset), and codings with coarse steps toggle
between those around zero. So it is the swing of a signal that counts, not its distance from zero,
and it counts from a few steps of its coding on.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.container import AvFrame
from mmmsba_plugin.timebase import s_to_samples, samples_to_s

#: Audio that swings by less than -80 dB of full scale is silent: one step of 16 bits is at -90 dB.
#: Lower than ``media.silence.SILENT_DB`` (-60 dB, where audio starts), since a segment must be
#: without any signal to be no evidence; higher than ``features.spectrogram.FLOOR_DB`` (-100 dB,
#: the floor of levels).
SILENT_PEAK = 1e-4

#: Length of a window of which the swing is taken, in seconds.
WINDOW_S = 0.05

#: A track with less signal has none but a click or a coder's start, in seconds.
_LEAST_LOUD_S = 0.1
#: So much of a silent track is heard in full, in seconds; then one packet of so many.
_WHOLE_S = 30.0
_EVERY_PACKET = 16

#: Full scale of the sample formats that PyAV decodes to; floats are at it.
_FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}

#: Height of a coding's steps around zero, as a share of full scale, where that is more than a step
#: of 16 bits.
#:
#: Source:
#:     ITU-T G.711, tables 1a and 2a: the segments around zero have steps of 2 in 4096 (A-law) and
#:     2 in 8159 (mu-law); 8 of 32768 in 16 bits.
_STEPS = {
    "pcm_u8": 2.0**-7,
    "pcm_s8": 2.0**-7,
    "pcm_s8_planar": 2.0**-7,
    "8svx_exp": 2.0**-7,
    "8svx_fib": 2.0**-7,
    "pcm_alaw": 2.0**-11,
    "pcm_mulaw": 2.0**-12,
}

#: Steps from zero that are noise: of dither there is one on either side, and where it is resampled,
#: up to 2.1 of them (measured on random steps at 8 kHz, resampled to 16 kHz).
_NOISE_STEPS = 2.5


def noise_level(codec: str) -> float:
    """Return the swing below which audio of a codec is noise, as a share of full scale.

    Args:
        codec: Its canonical name.

    Returns:
        Zero where the codec's own noise is below that of 16 bits.
    """
    return _NOISE_STEPS * _STEPS.get(codec, 0.0)


def swings(
    samples: NDArray[np.floating], window_samples: int
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Compute half the range of a signal, window by window; a constant has none.

    Args:
        samples: Shape ``(sample,)``, not empty.
        window_samples: Length of a window. The last one may be up to half longer, or shorter.

    Returns:
        The first sample of each window, and its swing.
    """
    starts = np.arange(0, samples.size, window_samples)
    if starts.size > 1 and samples.size - starts[-1] < window_samples / 2:
        starts = starts[:-1]
    highest = np.maximum.reduceat(samples, starts)
    return starts, (highest - np.minimum.reduceat(samples, starts)) / 2


def from_full_scale(samples: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return decoded samples of any format as shares of full scale."""
    kind = f"{samples.dtype.kind}{samples.dtype.itemsize}"
    values = samples.astype(np.float64)
    if kind == "u1":
        values -= _FULL_SCALE[kind]
    return values / _FULL_SCALE.get(kind, 1.0)


class AudioMeter:
    """Measure of whether a stream has any content, which hears as little of it as that takes.

    Args:
        codec: Canonical name of its codec.
    """

    def __init__(self, codec: str) -> None:
        self._level = max(SILENT_PEAK, noise_level(codec))
        self._decoded_s = 0.0
        self._loud_s = 0.0

    @property
    def has_content(self) -> bool:
        """Whether there was more than a click."""
        return self._loud_s >= _LEAST_LOUD_S

    @property
    def has_signal(self) -> bool:
        """Whether there was anything at all."""
        return self._loud_s > 0

    def wants(self, number: int) -> bool:
        """Return whether the packet of a number is to be decoded for it."""
        return not self.has_content and (self._decoded_s < _WHOLE_S or number % _EVERY_PACKET == 0)

    def add(self, frame: AvFrame) -> None:
        """Take in a decoded frame."""
        if not frame.samples:
            return
        samples = from_full_scale(frame.to_ndarray())
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        window_samples = max(1, s_to_samples(WINDOW_S, frame.sample_rate))
        num_loud = []
        for channel in samples:
            starts, levels = swings(channel, window_samples)
            lengths = np.diff(starts, append=channel.size)
            num_loud.append(int(lengths[levels >= self._level].sum()))
        self._loud_s += samples_to_s(max(num_loud), frame.sample_rate)
        self._decoded_s += samples_to_s(frame.samples, frame.sample_rate)
