"""Speaker embeddings by an encoder that ships with the package.

Who made it and under which licence stands in ``NOTICE.speaker`` beside this file.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.embeddings.bundled import in_batches, read_weights, restore
from mmmsba_plugin.run_control import check

if TYPE_CHECKING:
    from torch import nn

NUM_MELS = 40
#: Columns as the encoder knows them: 25 ms of audio of this rate, in samples, every 10 ms.
RATE_HZ = 16_000
WINDOW = 400
_UNITS, _LAYERS = 256, 3
#: It has learned from speech of -30 dB of full scale.
_MEAN_SQUARE = 1e-3
#: Windows at a time, so that memory stays flat, and what the last batch is a multiple of.
_BATCH, _MULTIPLE = 32, 32

FILE = "speaker.safetensors"
_BANDS = "bands"
SHA256 = "e1620b04753ddbdcafa86c03dec89ba3661d67d0525a7e26bb9663582b7341fa"


def speaker_embeddings(
    mels: NDArray[np.float32], *, mean_square: float, window: int, every: int
) -> NDArray[np.float32]:
    """Compute speaker embeddings around the middle of each snippet.

    Args:
        mels: Power in each mel band of each column, shape ``(column, NUM_MELS)``.
        mean_square: Of the whole audio, to bring it to the level that the encoder knows.
        window: Columns that one embedding is taken of; beyond either end the last one lasts on.
        every: Columns of a snippet.

    Returns:
        Vectors of length one, shape ``(snippet, 256)``; their products are cosines.

    Raises:
        ModelFileError: The file of the encoder is missing, or not the one that was shipped.

    Source:
        Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018.
    """
    import torch

    loud = mels * np.float32(_MEAN_SQUARE / max(mean_square, 1e-12))
    before = (window - every) // 2
    after = window - every - before
    padded = np.pad(loud, ((max(0, before), max(0, after)), (0, 0)), mode="edge")
    # A snippet longer than a window is known by the window around its middle.
    skipped = max(0, -before)
    windows = np.lib.stride_tricks.sliding_window_view(padded[skipped:], window, axis=0)[::every]
    num = len(windows)

    def embed(first: int, stop: int) -> NDArray[np.float32]:
        # Beyond the last window it is repeated.
        return _embed(np.swapaxes(windows[np.arange(first, stop).clip(max=num - 1)], 1, 2))

    with torch.inference_mode():
        return in_batches(embed, num, dim=_UNITS, size=_BATCH, multiple=_MULTIPLE)


def _embed(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    import torch

    check()
    recurrence, dense = load_encoder()
    _, (state, _) = recurrence(torch.from_numpy(windows.copy()))
    unit = torch.nn.functional.normalize(dense(state[-1]).relu(), dim=1)
    values: NDArray[np.float32] = unit.numpy()
    return values


@cache
def load_encoder() -> "tuple[nn.Module, nn.Module]":
    """Load the encoder: its recurrent layers, and the dense one behind their last state.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    from torch import nn

    layers = nn.ModuleDict(
        {
            "recurrence": nn.LSTM(NUM_MELS, _UNITS, _LAYERS, batch_first=True),
            "dense": nn.Linear(_UNITS, _UNITS),
        }
    )
    weights = read_weights(FILE, sha256=SHA256)
    restore(layers, {name: value for name, value in weights.items() if name != _BANDS})
    return layers["recurrence"], layers["dense"]


@cache
def mel_bands() -> NDArray[np.float32]:
    """Load the mel filter bank of the encoder.

    Returns:
        Slaney's mel bands over 512 samples of 16 kHz, shape ``(NUM_MELS, 257)``. They lie with
        the weights, since making them takes librosa a second to load.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    bands: NDArray[np.float32] = read_weights(FILE, sha256=SHA256)[_BANDS].numpy()
    return bands
