"""Compare a mouth with the audio: it moves when its voice sounds.

The measure is crude. On 86 clips of real footage, of 4 to 30 s, the own audio agrees more than
that of another clip in 81 % of pairs, and in 85 % without those from courts and a panel show, in
which others speak too. Below the threshold lie 52 % of the foreign voices and 8 % of the own
ones, a dubbed clip among them.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.timebase import s_to_samples
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

#: Below this correlation the voice is taken for somebody else's.
LEAST_AGREEMENT = 0.1

#: Both are compared every so often, over so long at least.
_STEP_S, _LEAST_S = 0.04, 3.0
_SMOOTH_STEPS = 7
#: Lips and audio may be recorded that far apart, in steps.
_MAX_LAG = 5
#: Levels lower than this below the loudest are silence: 26 dB.
_RANGE_NEPERS = 6.0
#: Levels are taken over the band of speech, in Hz, in windows of about 64 ms.
_BAND_HZ, _WINDOW_S = (150.0, 4_000.0), 0.064
_TINY = 1e-9

#: Windows whose levels are computed at a time.
_BLOCK = 500


def lip_points(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the lips' points against their middle.

    Args:
        points: Points of aligned faces, shape ``(..., 468, 2)``.
    """
    lips = points[..., [*LIPS_INNER, *LIPS_OUTER], :].astype(np.float64)
    return np.asarray(lips - lips.mean(axis=-2, keepdims=True))


def measure_agreement(
    times_s: NDArray[np.float64],
    speeds: NDArray[np.float64],
    audio: NDArray[np.float32],
    *,
    end_s: float,
    sample_rate_hz: int,
) -> float | None:
    """Measure whether a mouth moves while there is speech.

    Args:
        times_s: Times at which the lips' speed is known, in seconds from the start of the audio,
            shape ``(change,)``.
        speeds: Speed of the lips there, in px of the aligned face a second, the same shape.
        audio: Shape ``(sample,)``; it may be empty.
        end_s: End of what is compared, in seconds.
        sample_rate_hz: Sample rate, in Hz.

    Returns:
        Correlation of the lips' speed with the level of the audio, in [-1, 1]; None where the
        face is seen, or the audio lasts, for too short.
    """
    if times_s.size * _STEP_S < _LEAST_S / 2 or end_s < _LEAST_S or not np.any(audio):
        return None
    grid_s = np.arange(0, end_s, _STEP_S)
    levels = compute_speech_levels(audio, grid_s, sample_rate_hz)
    lips = _smooth(np.interp(grid_s, times_s, speeds))
    return correlate(np.log1p(lips), _smooth(levels))


def compute_speech_levels(
    audio: NDArray[np.float32], times_s: NDArray[np.float64], sample_rate_hz: int
) -> NDArray[np.float64]:
    """Compute the logarithm of the power in the band of speech around each time.

    Args:
        audio: Shape ``(sample,)``.
        times_s: In seconds, shape ``(time,)``.
        sample_rate_hz: Sample rate, in Hz.

    Returns:
        In nepers of power, none lower than silence, shape ``(time,)``.
    """
    size = s_to_samples(_WINDOW_S, sample_rate_hz)
    padded = np.pad(audio, (size // 2, size))
    starts = np.rint(times_s * sample_rate_hz).astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    freqs_hz = np.fft.rfftfreq(size, 1 / sample_rate_hz)
    in_band = (freqs_hz > _BAND_HZ[0]) & (freqs_hz < _BAND_HZ[1])
    levels = np.empty(times_s.size)
    # All windows of two minutes at once would take 100 MiB.
    for first in range(0, times_s.size, _BLOCK):
        block = windows[starts[first : first + _BLOCK]] * np.hanning(size)
        power = np.abs(np.fft.rfft(block, axis=1)) ** 2
        levels[first : first + _BLOCK] = np.log(power[:, in_band].sum(axis=1) + _TINY)
    return np.asarray(np.maximum(levels, levels.max() - _RANGE_NEPERS))


def correlate(lips: NDArray[np.float64], levels: NDArray[np.float64]) -> float:
    """Compute the largest correlation of two signals over small lags; 0 where one is constant."""
    size, best = lips.size, -1.0
    for lag in range(-_MAX_LAG, _MAX_LAG + 1):
        first = lips[max(0, lag) : size + min(0, lag)]
        second = levels[max(0, -lag) : size + min(0, -lag)]
        if min(first.std(), second.std()) < _TINY:
            return 0.0
        best = max(best, float(np.corrcoef(first, second)[0, 1]))
    return best


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(values, _SMOOTH_STEPS))
