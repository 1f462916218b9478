"""Speech-quality embeddings by an encoder that ships with the package: how audio was made.

It was distilled from a network that people's ratings of synthesised, converted, coded and
denoised speech had taught. What it hears of classical synthesis carries over to neural speech
engines that it was never shown. Who made it and under which licence stands in
``NOTICE.quality`` beside this file.
"""

from functools import cache
from itertools import pairwise
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
    from torch import Tensor, nn

#: Samples from one embedding to the next, at 16 kHz: 20 ms.
STEP = 320
NUM_VALUES = 200

_WINDOW, _HOP = 320, 160
#: Channels of real and imaginary parts, and behind each convolution.
_CHANNELS = (2, 64, 64, 128, 256, 256, 256)
_LAST = len(_CHANNELS) - 2
#: Bins of frequency that six convolutions leave of 161.
_BINS = 4
#: Exponent that brings loud and soft bins nearer to each other.
_COMPRESS = 0.3
#: Embeddings at a time: few enough that the C library keeps the memory of their responses for the
#: next ones, since new pages from the system cost more than the margins computed twice.
#: The last batch is a multiple of the second.
_BATCH, _MULTIPLE = 150, 50
#: How far an embedding looks to either side, in embeddings, rounded up.
_MARGIN = 4

FILE = "quality.safetensors"
SHA256 = "10bf5e87be70d2a2cb1a64fc488793a89fb9b8772c14bab9e505626c2d3dfe19"


def quality_embeddings(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute speech-quality embeddings, one every :data:`STEP` samples.

    Args:
        samples: Mono audio of 16 kHz, shape ``(sample,)``, at least one; beyond either end it
            comes back as in a mirror, since where a clip begins nobody put anything in.

    Returns:
        Shape ``(step, NUM_VALUES)``; step ``k`` is about the samples round ``k * STEP``.

    Raises:
        ModelFileError: The file of the encoder is missing, or not the one that was shipped.

    Source:
        Stahl and Gamper, "Distillation and pruning for scalable self-supervised
        representation-based speech quality assessment", ICASSP 2025: the convolutions, and the
        projection that the transformer reads.
    """
    import torch

    num = -(-samples.size // STEP)
    gain = np.float32(1.0 / max(float(np.abs(samples).max()), 1e-8))
    with torch.inference_mode():
        return in_batches(
            lambda first, stop: _embed(_segment(samples, first, stop) * gain),
            num,
            dim=NUM_VALUES,
            size=_BATCH,
            multiple=_MULTIPLE,
        )


def _segment(samples: NDArray[np.float32], first: int, stop: int) -> NDArray[np.float32]:
    """Cut the samples that embeddings ``first`` to ``stop`` look at, mirrored beyond the ends."""
    half = _WINDOW // 2
    start, end = (first - _MARGIN) * STEP - half, (stop + _MARGIN) * STEP - _HOP + half
    return cut_mirrored(samples, start, end)


def _embed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    import torch

    check()
    spectrum = torch.stft(
        torch.from_numpy(samples)[None],
        n_fft=_WINDOW,
        hop_length=_HOP,
        window=torch.hann_window(_WINDOW),
        center=False,
        return_complex=True,
    )
    magnitude = spectrum.abs().clamp_(min=1e-12)
    parts = torch.view_as_real(spectrum) * (magnitude**_COMPRESS / magnitude)[..., None]
    convolutions, projection = load_encoder()
    responses: Tensor = convolutions(parts.permute(0, 3, 1, 2))
    values: NDArray[np.float32] = projection(responses.flatten(1, 2).transpose(1, 2))[0].numpy()
    return values[_MARGIN:-_MARGIN]


@cache
def load_encoder() -> tuple["nn.Module", "nn.Module"]:
    """Load the encoder: six convolutions over the spectrum, and a projection of their output.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(_CHANNELS)):
        stride = (2 if i else 1, 2 if i == _LAST else 1)
        layers += [nn.Conv2d(before, after, 3, stride=stride, padding=(0, 1)), nn.LeakyReLU(0.1)]
    encoder = nn.ModuleDict(
        {
            "convolutions": nn.Sequential(*layers),
            "projection": nn.Linear(_CHANNELS[-1] * _BINS, NUM_VALUES),
        }
    )
    restore(encoder, read_weights(FILE, sha256=SHA256))
    # Convolutions are fastest where the channels of a bin lie side by side.
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder["convolutions"], encoder["projection"]
