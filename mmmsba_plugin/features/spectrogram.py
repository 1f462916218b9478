"""Sound as a picture: levels over evenly spaced frequencies, for a network with a stem.

Bins of 62 Hz show the harmonics of a voice one by one, which mel bands blur. What resynthesis
loses, and what a cut does to a harmonic that runs through it, is seen between them: on forged
sound of people who were held out, the same network, after six passes, told snippets apart with
an AUC of 0.74 by 128 such bins and of 0.67 by 64 mel bands.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.features.columns import (
    NUM_FFT,
    ColumnByColumn,
    Columns,
    level_db,
    powers,
)

#: Two of the transform's bins become one; the one at half the rate is left out.
NUM_BINS = NUM_FFT // 4
_DB_A_UNIT = 10.0


class SpectrogramConfig(Chapter):
    """Settings of the ``spectrogram`` front-end: it has none."""


class Spectrogram(ColumnByColumn):
    """Columns of a spectrogram relative to the clip's mean spectrum.

    A row holds the columns of its cell one after the other, :data:`NUM_BINS` levels each from
    low to high frequencies, in units of 10 dB.
    """

    def __init__(self, config: SpectrogramConfig) -> None:
        self.config = config

    def row_length(self, per_cell: int) -> int:
        """Return the length of a row of so many columns."""
        return per_cell * NUM_BINS

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return the level of each bin, shape ``(column, NUM_BINS)``."""
        return picture(powers(samples, sample_rate_hz))

    def stack(self, columns: Columns, heard: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``; silence behind the sound is at the mean."""
        about_mean = columns - columns[:heard].mean(axis=0)
        about_mean[heard:] = 0.0
        rows = about_mean.reshape(-1, per_cell * NUM_BINS) / _DB_A_UNIT
        return np.asarray(rows, dtype=np.float32)


def picture(power: NDArray[np.float32]) -> Columns:
    """Return the level of each bin in dB, shape ``(column, NUM_BINS)``.

    Args:
        power: As :func:`mmmsba_plugin.features.columns.powers` returns it.
    """
    return level_db(power[: 2 * NUM_BINS].T.reshape(-1, NUM_BINS, 2).mean(axis=2))
