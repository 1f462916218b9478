"""Loudness of each snippet, as a front-end."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid


class LoudnessConfig(Config):
    """Settings of the ``toy-loudness`` front-end."""

    floor_db: float = Field(
        default=-80.0, lt=0, description="Level that counts as silence, in dB of full scale."
    )


class Loudness:
    """Mean and peak level of each snippet, in tens of dB above the floor."""

    dim = 2

    def __init__(self, config: LoudnessConfig) -> None:
        self._floor_db = config.floor_db
        self._power: dict[int, float] = {}
        self._count: dict[int, int] = {}
        self._peak: dict[int, float] = {}

    def start(self, media: Media, grid: Grid) -> None:
        """Take the grid on which the rows shall lie."""
        self._grid = grid

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in a block of audio."""
        assert isinstance(observation, AudioBlock)
        index = np.arange(observation.samples.size)
        cells = self._grid.indices_at(observation.start_s + index / observation.sample_rate_hz)
        for cell in np.unique(cells).tolist():
            inside = observation.samples[cells == cell].astype(np.float64)
            self._power[cell] = self._power.get(cell, 0.0) + float(inside @ inside)
            self._count[cell] = self._count.get(cell, 0) + inside.size
            self._peak[cell] = max(self._peak.get(cell, 0.0), float(np.abs(inside).max()))

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return level and peak of each snippet, shape ``(num_snippets, 2)``."""
        values = np.zeros((num_snippets, self.dim), dtype=np.float32)
        present = np.zeros(num_snippets, dtype=np.bool_)
        for cell, count in self._count.items():
            if 0 <= cell < num_snippets:
                present[cell] = True
                rms, peak = np.sqrt(self._power[cell] / count), self._peak[cell]
                values[cell] = self._above_floor(np.array([rms, peak]))
        return FeatureRows(values, present)

    def _above_floor(self, amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
        floor = 10 ** (self._floor_db / 20)
        levels_db: NDArray[np.float64] = 20 * np.log10(np.maximum(amplitudes, floor))
        return (levels_db - self._floor_db) / 10
