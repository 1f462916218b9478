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
    HOP_S,
    NUM_FFT,
    WINDOW_S,
    ColumnByColumn,
    Columns,
    level_db,
)
from mmmsba_plugin.timebase import s_to_samples

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
        import librosa

        waves = librosa.stft(
            samples,
            n_fft=NUM_FFT,
            win_length=s_to_samples(WINDOW_S, sample_rate_hz),
            hop_length=s_to_samples(HOP_S, sample_rate_hz),
            center=False,
        )
        power = np.square(np.abs(waves[: 2 * NUM_BINS])).T
        return level_db(power.reshape(-1, NUM_BINS, 2).mean(axis=2))

    def stack(self, columns: Columns, heard: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``; silence behind the sound is at the mean."""
        about_mean = columns - columns[:heard].mean(axis=0)
        about_mean[heard:] = 0.0
        rows = about_mean.reshape(-1, self.row_length(per_cell)) / _DB_A_UNIT
        return np.asarray(rows, dtype=np.float32)
