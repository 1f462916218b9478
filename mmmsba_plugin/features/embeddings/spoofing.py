"""Anti-spoofing embeddings by an encoder that ships with the package: traces of synthesis.

It has heard what six speech generators and voice converters leave in a waveform, which no
three minutes of footage teach. Who made it and under which licence stands in
``NOTICE.spoofing`` beside this file.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.embeddings.bundled import (
    cut_mirrored,
    in_batches,
    read_weights,
    restore,
)
from mmmsba_plugin.run_control import check

if TYPE_CHECKING:
    from torch import nn

_POOL = 3
#: Channels of each block.
_WIDTHS = (32, 32, 64, 64, 64, 64)
#: Samples from one print to the next: pooled by three once, and once more by each block.
STEP = _POOL ** (len(_WIDTHS) + 1)
#: Filters that the waveform goes through, and samples that one looks at.
_FILTERS, _TAPS = 70, 129
#: Prints at a time, so that memory stays flat, and what the last batch is a multiple of.
_BATCH, _MULTIPLE = 12, 4
#: The level that audio is brought to, as a mean square.
_MEAN_SQUARE = 2.5e-3

#: Of each of 64 channels: the strongest response over all frequencies, and the mean one.
NUM_VALUES = 2 * _WIDTHS[-1]

FILE = "spoofing.safetensors"
SHA256 = "25ba76d60c5a6b04b1ad5ecf4188801e18b45f1d269f7042b088bbd0971e3efa"


def spoofing_embeddings(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute anti-spoofing embeddings, one every :data:`STEP` samples.

    Args:
        samples: Mono audio of 16 kHz, shape ``(sample,)``, at least one; beyond either end it
            comes back as in a mirror, since where a clip begins nobody put anything in.

    Returns:
        Responses, none negative, shape ``(step, NUM_VALUES)``; step ``k`` is about the samples
        from ``k * STEP`` on.

    Raises:
        ModelFileError: The file of the encoder is missing, or not the one that was shipped.

    Source:
        Jung et al., "AASIST: audio anti-spoofing using integrated spectro-temporal graph
        attention networks", ICASSP 2022, section 2.1.
    """
    import torch

    num = -(-samples.size // STEP)
    gain = np.sqrt(_MEAN_SQUARE / max(float(np.mean(np.square(samples))), 1e-12))
    with torch.inference_mode():
        return in_batches(
            lambda first, stop: _embed(_segment(samples, first, stop) * np.float32(gain)),
            num,
            dim=NUM_VALUES,
            size=_BATCH,
            multiple=_MULTIPLE,
        )


def _segment(samples: NDArray[np.float32], first: int, stop: int) -> NDArray[np.float32]:
    """Cut the samples of embeddings ``first`` to ``stop``, and a step on either side.

    What lies behind the filters reaches less than a step beyond an embedding's own samples, so that
    makes them exact. Beyond its ends audio is mirrored, as often as it takes.
    """
    half = _TAPS // 2
    return cut_mirrored(samples, (first - 1) * STEP - half, (stop + 1) * STEP + half)


def _embed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    import torch

    check()
    output = load_encoder()(torch.from_numpy(samples)[None, None])[0].abs()
    values: NDArray[np.float32] = torch.cat([output.amax(dim=1), output.mean(dim=1)]).T.numpy()
    return values[1:-1]


@cache
def load_encoder() -> "nn.Module":
    """Load the encoder: from audio, shape ``(1, 1, sample)``, to ``(1, 64, 23, step)``.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    import torch

    from mmmsba_plugin.features.embeddings.aasist import Encoder

    encoder = restore(Encoder(_FILTERS, _TAPS, _WIDTHS, _POOL), read_weights(FILE, sha256=SHA256))
    # Convolutions are fastest where the channels of a pixel lie side by side.
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder
