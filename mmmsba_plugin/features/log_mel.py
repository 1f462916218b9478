"""Audio as log-mel columns and their changes, stacked into the snippet.

A splice shows as a step: in the spectrum of the room and microphone, in loudness, or as a
seam a few milliseconds long. So columns keep a hop of 10 ms however long the snippet is.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.features.spectrogram import (
    HOP_S,
    NUM_FFT,
    WINDOW_S,
    ColumnByColumn,
    Columns,
    level_db,
)
from mmmsba_plugin.timebase import s_to_samples

_LEVELS_A_CELL = 2


class LogMelConfig(Config):
    """Settings of the ``log-mel`` front-end."""

    num_mels: int = Field(default=40, ge=8, le=128, description="Mel bands up to 8 kHz.")


class LogMel(ColumnByColumn):
    """Log-mel columns, relative to the clip's mean spectrum, and their changes.

    A row holds, for each 10 ms column of the cell, ``num_mels`` levels in units of 10 dB
    about the clip's mean and as many changes from the column before; then for each band the
    lowest level of the cell, which is the room's where the voice is not; then the mean level
    of the cell and its range, in the same unit.
    """

    def __init__(self, config: LogMelConfig) -> None:
        self._config = config

    def row_length(self, per_cell: int) -> int:
        """Return the length of a row of so many columns."""
        return (per_cell * 2 + 1) * self._config.num_mels + _LEVELS_A_CELL

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return the level of each band, shape ``(column, num_mels)``."""
        return log_mel(samples, sample_rate_hz, num_mels=self._config.num_mels)

    def stack(self, columns: Columns, num_audio: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``."""
        num_snippets = len(columns) // per_cell
        levels = columns.mean(axis=1).reshape(num_snippets, per_cell)
        about_mean = columns - columns[:num_audio].mean(axis=0)
        changes = np.diff(columns, axis=0, prepend=columns[:1])
        stacked = np.concatenate([about_mean, changes], axis=1).reshape(num_snippets, -1)
        floor = about_mean.reshape(num_snippets, per_cell, -1).min(axis=1)
        summary = np.stack([levels.mean(axis=1), np.ptp(levels, axis=1)], axis=1)
        return (np.concatenate([stacked, floor, summary], axis=1) / 10.0).astype(np.float32)


def log_mel(
    samples: NDArray[np.float32], sample_rate_hz: int, *, num_mels: int
) -> NDArray[np.float32]:
    """Return the level of each mel band at each hop, in dB of full scale.

    Args:
        samples: PCM in [-1, 1], shape ``(sample,)``, at least one window of 512.
        sample_rate_hz: Samples a second.
        num_mels: Slaney mel bands from 0 to half the rate.

    Returns:
        Shape ``(column, num_mels)``, float32. Column ``k`` looks at the 512 samples from
        ``k`` hops on; nothing is padded.
    """
    import librosa

    power = librosa.feature.melspectrogram(
        y=samples,
        sr=sample_rate_hz,
        n_fft=NUM_FFT,
        win_length=s_to_samples(WINDOW_S, sample_rate_hz),
        hop_length=s_to_samples(HOP_S, sample_rate_hz),
        center=False,
        n_mels=num_mels,
    )
    return level_db(power.T)
