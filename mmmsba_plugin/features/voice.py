"""Sound as a picture, and beside it how much each moment's voice is like the rest of the clip.

A splice of somebody else's words, a cloned voice, or a machine's has another owner than the
clip around it. That is learned from far less footage than a spectrogram takes, since the
speaker encoder knows thousands of voices already: on sound forged from the clips that the
bundled weights learn from, the nearest likeness alone tells snippets apart with an AUC of 0.93
for splices, 0.77 for speech of a machine and 0.76 for another voice. A sound that occurs twice
is the opposite: too much alike.
"""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.evidence import FacePicture, SoundBlock
from mmmsba_plugin.features.columns import HOP_S, NUM_FFT, Columns, level_db, powers
from mmmsba_plugin.features.likeness import NUM_VALUES, likenesses
from mmmsba_plugin.features.spectrogram import NUM_BINS, Spectrogram, picture
from mmmsba_plugin.features.voiceprint import NUM_MELS, RATE_HZ, WINDOW, voiceprints

#: How long the stretches are that voices are taken from, in columns: short enough to lie in a
#: forged word, and long enough to know a voice. One of twice the length knew machines a little
#: better (0.80), for twice the work.
_WINDOW = 40
#: Of every likeness: itself, and its deviation from the clip's median.
NUM_BESIDE = 2 * NUM_VALUES


class SpectrogramVoice(Spectrogram):
    """A row of ``spectrogram``, then :data:`NUM_BESIDE` likenesses of the voice."""

    def row_length(self, per_cell: int) -> int:
        """Return the length of a row of so many columns."""
        return super().row_length(per_cell) + NUM_BESIDE

    def add(self, observation: SoundBlock | FacePicture) -> None:
        """Take in a block of sound; a gap before it counts as silence.

        Raises:
            FeatureError: The sound has not the sample rate that the speaker encoder knows.
        """
        rate_hz = getattr(observation, "sample_rate_hz", RATE_HZ)
        if rate_hz != RATE_HZ:
            raise FeatureError(
                f"voices are compared at {RATE_HZ} Hz, got sound of {rate_hz} Hz; set "
                f"media.sample_rate_hz to {RATE_HZ}, or use the front-end spectrogram"
            )
        super().add(observation)

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        """Return levels in dB: of each bin, of each mel band, and of all, one row a column."""
        power = powers(samples, sample_rate_hz)
        return np.column_stack([picture(power), level_db(_mels(power)), level_db(_overall(power))])

    def stack(self, columns: Columns, heard: int, per_cell: int) -> NDArray[np.float32]:
        """Return rows, shape ``(snippet, dim)``."""
        pictures = super().stack(columns[:, :NUM_BINS], heard, per_cell)
        powers_again = 10.0 ** (columns[:, NUM_BINS:] / 10.0)
        beside = _likenesses(powers_again[:, :-1], powers_again[:heard, -1].mean(), per_cell)
        return np.column_stack([pictures, beside])


def _likenesses(
    mels: NDArray[np.float32], mean_square: float, per_cell: int
) -> NDArray[np.float32]:
    """Return likenesses and their deviations, shape ``(snippet, NUM_BESIDE)``."""
    prints = voiceprints(mels, mean_square=mean_square, window=_WINDOW, every=per_cell)
    values = likenesses(prints, stride_s=per_cell * HOP_S, window_s=_WINDOW * HOP_S)
    return np.concatenate([values, values - np.median(values, axis=0)], axis=1)


def _mels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return power in mel bands as a transform of the encoder's own window gives it."""
    from librosa.filters import mel

    bands = mel(sr=RATE_HZ, n_fft=NUM_FFT, n_mels=NUM_MELS)
    mels: NDArray[np.float32] = (bands @ power).T * np.float32(WINDOW / NUM_FFT)
    return mels


def _overall(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean square of the samples of each column, by Parseval's theorem."""
    window_power = np.square(np.hanning(WINDOW)).sum()
    overall: NDArray[np.float32] = 2 * power.sum(axis=0) / (NUM_FFT * window_power)
    return overall
