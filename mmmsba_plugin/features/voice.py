"""Front-end ``voice``: levels, self-similarity of the speaker, and anti-spoofing traces.

Somebody else's words, a cloned voice, or a machine's have another owner and another maker than
the clip around them. That is learned from far less footage than a spectrogram takes, since two
encoders that ship know thousands of voices and six machines already. On audio forged from
the clips that the bundled weights learn from, similarities alone separate snippets of held-out
identities with an AUC of 0.64, traces alone with 0.67, and all that is here with 0.70 (model card).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.features.align import in_units_of_spread
from mmmsba_plugin.features.embeddings import quality, spoofing
from mmmsba_plugin.features.embeddings.speaker import (
    NUM_MELS,
    RATE_HZ,
    WINDOW,
    mel_bands,
    speaker_embeddings,
)
from mmmsba_plugin.features.self_similarity import NUM_VALUES, self_similarity
from mmmsba_plugin.features.spectrogram import HOP_S, NUM_FFT, ColumnByColumn, Columns, level_db
from mmmsba_plugin.timebase import s_to_samples, samples_to_s

#: Bands of 500 Hz, from low to high.
NUM_BANDS = 16
_BINS_A_BAND = NUM_FFT // 2 // NUM_BANDS
_DB_A_UNIT = 10.0
#: How long the segments are that voices are taken from, in columns: short enough to lie in a
#: fake word, and long enough to know a voice. By the nearest similarity alone, one of twice the
#: length knew machines a little better (0.80 against 0.77), for twice the work.
_WINDOW = 40
_HOP = s_to_samples(HOP_S, RATE_HZ)
#: Where the parts of a column end: bands, mel bands, the mean square; samples lie behind.
_PARTS = (NUM_BANDS, NUM_BANDS + NUM_MELS, NUM_BANDS + NUM_MELS + 1)


class VoiceConfig(Config):
    """Settings of the ``voice`` front-end."""

    traces: tuple[Literal["spoofing", "quality"], ...] = Field(
        default=("spoofing",), description="Encoders that describe how the audio was made."
    )


class Voice(ColumnByColumn):
    """Extractor of audio features, most of them relative to the rest of the clip.

    A row holds, for each band, its mean level about the clip's mean in units of 10 dB, the same
    in units of the clip's own spread, and the step from the snippet before; then five
    similarities of the voice and their deviations from the clip's median; then traces of how the
    audio was made, by each of the encoders that the settings name.
    """

    required_rate_hz = RATE_HZ

    def __init__(self, config: VoiceConfig) -> None:
        self.config = config

    def row_length(self, per_cell: int) -> int:
        """Return the length of a row, the same for all strides."""
        traces = sum(_TRACE_VALUES[name] for name in self.config.traces)
        return 3 * NUM_BANDS + 2 * NUM_VALUES + traces

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return levels in dB of bands, of mel bands and of all, then the samples of the hop."""
        import torch

        spectrum = torch.stft(
            torch.from_numpy(samples),
            n_fft=NUM_FFT,
            win_length=WINDOW,
            hop_length=_HOP,
            window=torch.hann_window(WINDOW),
            center=False,
            return_complex=True,
        )
        # The power of each bin of each column.
        power: NDArray[np.float32] = spectrum.abs().square().numpy()
        levels = level_db(power[: NUM_BANDS * _BINS_A_BAND].T)
        bands = levels.reshape(len(levels), NUM_BANDS, _BINS_A_BAND).mean(axis=2)
        hops = samples[NUM_FFT // 2 :][: len(levels) * _HOP].reshape(-1, _HOP)
        # Power in mel bands as a transform of the encoder's own window gives it.
        mels = (mel_bands() @ power).T * np.float32(WINDOW / NUM_FFT)
        # The mean square of the samples of each column, by Parseval's theorem.
        overall = 2 * power.sum(axis=0) / (NUM_FFT * np.square(np.hanning(WINDOW)).sum())
        return np.column_stack([bands, level_db(mels), level_db(overall), hops])

    def stack(self, columns: Columns, num_audio: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``; zeros behind the audio."""
        # Frames may go on long after the audio: only snippets that have some say what is usual.
        num_snippets, num_rows = len(columns) // per_cell, -(-num_audio // per_cell)
        bands, mels, overall, hops = np.split(columns[: num_rows * per_cell], _PARTS, axis=1)
        power, mean_square = 10.0 ** (mels / 10.0), (10.0 ** (overall[:num_audio] / 10.0)).mean()
        embeddings = speaker_embeddings(
            power.astype(np.float32), mean_square=float(mean_square), window=_WINDOW, every=per_cell
        )
        alike = self_similarity(embeddings, stride_s=per_cell * HOP_S, window_s=_WINDOW * HOP_S)
        about_mean = (bands - bands[:num_audio].mean(axis=0)) / _DB_A_UNIT
        about_mean[num_audio:] = 0.0
        levels = about_mean.reshape(-1, per_cell, NUM_BANDS).mean(axis=1)
        steps = np.abs(np.diff(levels, axis=0, prepend=levels[:1]))
        parts = (
            *(levels, in_units_of_spread(levels), steps),
            np.concatenate([alike, alike - np.median(alike, axis=0)], axis=1),
            # The last hop is only partly audio, or not at all.
            *(
                _TRACES[name](hops[: max(1, num_audio - 1)].ravel(), num_rows, per_cell)
                for name in self.config.traces
            ),
        )
        return np.pad(np.column_stack(parts), ((0, num_snippets - num_rows), (0, 0)))


def _spoofing_traces(
    samples: NDArray[np.float32], num_snippets: int, per_cell: int
) -> NDArray[np.float32]:
    """Compute anti-spoofing embeddings, ``(snippet, spoofing.NUM_VALUES)``."""
    embeddings = spoofing.spoofing_embeddings(samples)
    steps_s = (np.arange(len(embeddings)) + 0.5) * samples_to_s(spoofing.STEP, RATE_HZ)
    return in_units_of_spread(_at_middles(embeddings, steps_s, num_snippets, per_cell))


def _quality_traces(
    samples: NDArray[np.float32], num_snippets: int, per_cell: int
) -> NDArray[np.float32]:
    """Compute speech-quality embeddings as they are, and in units of the clip's own spread.

    Audio that was made by a machine from end to end has no rest to differ from.
    """
    embeddings = quality.quality_embeddings(samples)
    steps_s = np.arange(len(embeddings)) * samples_to_s(quality.STEP, RATE_HZ)
    rows = _at_middles(embeddings, steps_s, num_snippets, per_cell)
    return np.concatenate([rows, in_units_of_spread(rows)], axis=1)


def _at_middles(
    values: NDArray[np.float32], times_s: NDArray[np.floating], num_snippets: int, per_cell: int
) -> NDArray[np.float32]:
    """Interpolate values at each snippet's middle, shape ``(snippet, value)``."""
    middles_s = (np.arange(num_snippets) + 0.5) * per_cell * HOP_S
    return np.column_stack([np.interp(middles_s, times_s, column) for column in values.T]).astype(
        np.float32
    )


#: The length of each encoder's part of a row, and what computes it.
_TRACE_VALUES = {"spoofing": spoofing.NUM_VALUES, "quality": 2 * quality.NUM_VALUES}
_TRACES = {"spoofing": _spoofing_traces, "quality": _quality_traces}
