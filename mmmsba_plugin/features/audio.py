"""Sound as log-mel columns and their changes, stacked into the snippet.

A splice shows as a step: in the spectrum of the room and microphone, in loudness, or as a
seam a few milliseconds long. So columns keep a hop of 10 ms however long the snippet is.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.evidence import FacePicture, FeatureRows, SoundBlock
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import Grid, hops_per_cell, s_to_samples

HOP_S = 0.01
_WINDOW_S = 0.025
#: 16 kHz over 512 gives bins of 31 Hz, as in the usual 25 ms speech front-end.
_NUM_FFT = 512
#: Below it a column is silent, in dB of full scale.
_FLOOR_DB = -100.0
#: Columns are computed when this much sound has come, so that memory stays flat.
_CHUNK_S = 10.0
_LEVELS_A_CELL = 2


class LogMelConfig(Chapter):
    """Settings of the ``log-mel`` front-end."""

    num_mels: int = Field(default=40, ge=8, le=128, description="Mel bands up to 8 kHz.")


class LogMel:
    """Log-mel columns, relative to the clip's mean spectrum, and their changes.

    A row holds, for each 10 ms column of the cell, ``num_mels`` levels in units of 10 dB
    about the clip's mean and as many changes from the column before; then for each band the
    lowest level of the cell, which is the room's where the voice is not; then the mean level
    of the cell and its range, in the same unit.
    """

    def __init__(self, config: LogMelConfig) -> None:
        self._config = config
        self._columns: list[NDArray[np.float32]] = []

    @property
    def dim(self) -> int:
        """Length of one vector; 0 before ``start``, since it depends on the stride."""
        if not hasattr(self, "_per_cell"):
            return 0
        return (self._per_cell * 2 + 1) * self._config.num_mels + _LEVELS_A_CELL

    def start(self, media: Media, grid: Grid) -> None:
        """Hear which clip comes, and on which grid its rows shall lie.

        Raises:
            GridError: The stride is not a whole number of 10 ms hops.
        """
        self._grid = grid
        self._per_cell = hops_per_cell(grid.stride_s, HOP_S)
        self._pending = np.zeros(_NUM_FFT // 2, dtype=np.float32)
        self._num_taken = 0

    def add(self, observation: SoundBlock | FacePicture) -> None:
        """Take in a block of sound; a gap before it counts as silence.

        Raises:
            FeatureError: The sound has not the sample rate that the bands are made for.
        """
        block = cast("SoundBlock", observation)
        self._rate_hz = block.sample_rate_hz
        if s_to_samples(_WINDOW_S, self._rate_hz) > _NUM_FFT:
            raise FeatureError(
                f"log-mel needs sound of 8 to 20 kHz, got {self._rate_hz} Hz; "
                "set media.sample_rate_hz to 16000"
            )
        start = s_to_samples(block.start_s - self._grid.start_s, self._rate_hz)
        gap = start - self._num_taken
        samples = block.samples[max(0, -gap) :]
        self._pending = np.concatenate(
            [self._pending, np.zeros(max(0, gap), dtype=np.float32), samples]
        )
        self._num_taken += max(0, gap) + len(samples)
        if len(self._pending) >= s_to_samples(_CHUNK_S, self._rate_hz):
            self._flush()

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""
        if self._num_taken == 0:
            silent = np.zeros((num_snippets, self.dim), dtype=np.float32)
            return FeatureRows(silent, np.zeros(num_snippets, dtype=bool))
        self._pending = np.pad(self._pending, (0, _NUM_FFT // 2))
        self._flush()
        num_columns = num_snippets * self._per_cell
        columns, heard = _fit(np.concatenate(self._columns), num_columns)
        rows = self._stack(columns, heard, num_snippets)
        present = np.arange(num_snippets) * self._per_cell < heard
        rows[~present] = 0.0
        return FeatureRows(rows, present)

    def _flush(self) -> None:
        hop = s_to_samples(HOP_S, self._rate_hz)
        num_columns = (len(self._pending) - _NUM_FFT) // hop + 1
        if num_columns > 0:
            columns = log_mel(self._pending, self._rate_hz, num_mels=self._config.num_mels)
            self._columns.append(columns[:num_columns])
            self._pending = self._pending[num_columns * hop :]

    def _stack(
        self, columns: NDArray[np.float32], heard: int, num_snippets: int
    ) -> NDArray[np.float32]:
        levels = columns.mean(axis=1).reshape(num_snippets, self._per_cell)
        about_mean = columns - columns[:heard].mean(axis=0)
        changes = np.diff(columns, axis=0, prepend=columns[:1])
        stacked = np.concatenate([about_mean, changes], axis=1).reshape(num_snippets, -1)
        floor = about_mean.reshape(num_snippets, self._per_cell, -1).min(axis=1)
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
        n_fft=_NUM_FFT,
        win_length=s_to_samples(_WINDOW_S, sample_rate_hz),
        hop_length=s_to_samples(HOP_S, sample_rate_hz),
        center=False,
        n_mels=num_mels,
    )
    floor = 10.0 ** (_FLOOR_DB / 10)
    levels: NDArray[np.float32] = 10.0 * np.log10(np.maximum(power, floor)).T.astype(np.float32)
    return levels


def _fit(columns: NDArray[np.float32], num_columns: int) -> tuple[NDArray[np.float32], int]:
    """Return exactly ``num_columns``, the missing ones silent, and how many are real."""
    heard = min(len(columns), num_columns)
    missing = num_columns - heard
    padded = np.pad(columns[:heard], ((0, missing), (0, 0)), constant_values=_FLOOR_DB)
    return padded, heard
