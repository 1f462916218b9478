"""Front-end ``pseudo-words``: where words may begin and end, by the level of the audio alone.

For clips without a transcript. Speech is cut at pauses, and between two cuts wherever its level
has a deep minimum: about a syllable or two, seldom a word. What is said stays unknown.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Config
from mmmsba_plugin.features.spectrogram import HOP_S, NUM_FFT, ColumnByColumn, Columns, level_db
from mmmsba_plugin.features.words import NUM_TIMES, word_rows
from mmmsba_plugin.media.transcript import Word
from mmmsba_plugin.timebase import Grid, s_to_samples

#: Levels are averaged over as long, in seconds: half a syllable.
_SMOOTH_S: Final = 0.07
#: Two cuts are no nearer than that, in seconds.
_SHORTEST_S: Final = 0.15
#: Depth of a minimum that cuts, in dB.
_DEPTH_DB: Final = 6.0
#: A pause is as far below loud speech, which is louder than nine tenths of the clip, in dB.
_PAUSE_DB: Final = 25.0


class PseudoWordsConfig(Config):
    """Settings of the ``pseudo-words`` front-end: it has none."""


class PseudoWords(ColumnByColumn):
    """Rows of pseudo-words; see :class:`mmmsba_plugin.features.words.Words`, without hashes."""

    def __init__(self, config: PseudoWordsConfig) -> None:
        self._config = config

    def row_length(self, per_cell: int) -> int:
        """Return the length of a row, whatever the number of its columns."""
        return NUM_TIMES

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return the level of each column, shape ``(column, 1)``."""
        hop = s_to_samples(HOP_S, sample_rate_hz)
        windows = np.lib.stride_tricks.sliding_window_view(samples, NUM_FFT)[::hop]
        return level_db(np.mean(windows.astype(np.float64) ** 2, axis=1, keepdims=True))

    def stack(self, columns: Columns, num_audio: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, NUM_TIMES)``."""
        num_snippets, grid = len(columns) // per_cell, Grid(stride_s=per_cell * HOP_S)
        words = pseudo_words(columns[:num_audio, 0])
        if not words:
            return np.zeros((num_snippets, NUM_TIMES), dtype=np.float32)
        return word_rows(words, grid, num_snippets, num_hashes=0)


def pseudo_words(levels_db: NDArray[np.floating]) -> list[Word]:
    """Cut speech into pseudo-words, between pauses and deep minima of its level.

    Args:
        levels_db: Level every 10 ms, shape ``(column,)``.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    smooth = uniform_filter1d(levels_db.astype(np.float64), round(_SMOOTH_S / HOP_S))
    minima, _ = find_peaks(-smooth, distance=round(_SHORTEST_S / HOP_S), prominence=_DEPTH_DB)
    is_loud = smooth > np.quantile(smooth, 0.9) - _PAUSE_DB
    edges = np.flatnonzero(np.diff(is_loud)) + 1
    cuts = np.unique([0, *edges.tolist(), *minima.tolist(), len(smooth)])
    return [
        Word("", HOP_S * start, HOP_S * stop)
        for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        if is_loud[start:stop].all()
    ]
