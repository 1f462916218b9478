"""Base of the audio front-ends: a spectrogram frame every 10 ms, then rows on the grid."""

from abc import ABC, abstractmethod
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid, hops_per_cell, s_to_samples, samples_to_s

HOP_S = 0.01
WINDOW_S = 0.025
#: 16 kHz over 512 gives bins of 31 Hz, as in the usual 25 ms speech front-end.
NUM_FFT = 512
#: Below it a column is silent, in dB of full scale.
FLOOR_DB = -100.0
#: Columns are computed when this much audio has come, so that memory stays flat.
_CHUNK_S = 10.0

Columns = NDArray[np.float32]


class ColumnByColumn(ABC):
    """Describes audio by columns that look at 512 samples each, and stacks them into rows.

    Levels are in dB; a column that is missing at the end of the clip is silent.

    Attributes:
        required_rate_hz: The one sample rate that an encoder behind it knows, in Hz; None for any.
    """

    required_rate_hz: int | None = None

    @property
    def dim(self) -> int:
        """Length of one vector; 0 before ``start``, since it depends on the stride."""
        return self.row_length(self._per_cell) if hasattr(self, "_per_cell") else 0

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``.

        Raises:
            GridError: The stride is not a whole number of 10 ms hops.
        """
        self._grid = grid
        self._per_cell = hops_per_cell(grid.stride_s, HOP_S)
        self._columns: list[Columns] = []
        self._pending = np.zeros(NUM_FFT // 2, dtype=np.float32)
        self._num_taken = 0

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in a block of audio; a gap before it counts as silence.

        Raises:
            FeatureError: The audio has not the sample rate that bands or encoder are made for.
        """
        block = cast("AudioBlock", observation)
        self._rate_hz = block.sample_rate_hz
        if self.required_rate_hz not in (None, self._rate_hz):
            raise FeatureError(
                f"audio is encoded at {self.required_rate_hz} Hz, got audio of {self._rate_hz} Hz; "
                f"set media.sample_rate_hz to {self.required_rate_hz}, or use the front-end log-mel"
            )
        if s_to_samples(WINDOW_S, self._rate_hz) > NUM_FFT:
            raise FeatureError(
                f"columns of 25 ms need audio of 8 to 20 kHz, got {self._rate_hz} Hz; "
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
        self._pending = np.pad(self._pending, (0, NUM_FFT // 2))
        self._flush()
        # The frame centred on the very end of the audio looks at its last half window. It opens
        # no cell of its own, or rows would depend on how long the frames of the clip go on.
        end_s = self._grid.start_s + samples_to_s(self._num_taken, self._rate_hz)
        num_reached = min(num_snippets, self._grid.num_snippets(end_s)) * self._per_cell
        columns = np.concatenate(self._columns)[:num_reached]
        num_audio = len(columns)
        missing = num_snippets * self._per_cell - num_audio
        columns = np.pad(columns, ((0, missing), (0, 0)), constant_values=FLOOR_DB)
        rows = self.stack(columns, num_audio, self._per_cell)
        present = np.arange(num_snippets) * self._per_cell < num_audio
        rows[~present] = 0.0
        return FeatureRows(rows, present)

    @abstractmethod
    def row_length(self, per_cell: int) -> int:
        """Return the length of a row of so many columns."""

    @abstractmethod
    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return levels in dB, shape ``(column, value)``.

        Column ``k`` looks at the 512 samples from ``k`` hops on; nothing is padded.
        """

    @abstractmethod
    def stack(self, columns: Columns, num_audio: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``.

        Args:
            columns: Of the whole clip, ``per_cell`` for each of its snippets.
            num_audio: How many of them are audio; those behind are silent.
            per_cell: Columns of a row.
        """

    def _flush(self) -> None:
        hop = s_to_samples(HOP_S, self._rate_hz)
        num_columns = (len(self._pending) - NUM_FFT) // hop + 1
        if num_columns > 0:
            columns = self.describe(self._pending, self._rate_hz)
            self._columns.append(columns[:num_columns])
            self._pending = self._pending[num_columns * hop :]


def level_db(power: NDArray[np.floating]) -> Columns:
    """Return power as dB of full scale, not below the floor, float32."""
    floor = 10.0 ** (FLOOR_DB / 10)
    return np.asarray(10.0 * np.log10(np.maximum(power, floor)), dtype=np.float32)
