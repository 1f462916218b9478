"""Image embeddings by an encoder that ships with the package: how a patch of a frame looks.

It has seen a thousand kinds of things in more than a million photographs. Its first stages
respond to edges, grain and smoothness, which the generators of faces leave otherwise than a
camera does. Who made it and under which licence stands in ``NOTICE.image`` beside this file.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.embeddings.bundled import read_weights, restore

if TYPE_CHECKING:
    from torch import nn

#: Means and deviations of the channels of the stem and of five stages.
NUM_VALUES = 2 * (32 + 16 + 24 + 40 + 80 + 112)

FILE = "image.safetensors"
SHA256 = "12611d6e9a7816d8a5194aebdfaefdbf3c2a940808c6d6a2af4a8a7a8b87ce75"

#: Mean and deviation of red, green and blue over the images that it learned from.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def image_embeddings(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the embedding of each image.

    Args:
        images: RGB of any one size, shape ``(image, height, width, 3)``.

    Returns:
        Shape ``(image, NUM_VALUES)``.

    Raises:
        ModelFileError: The file of the encoder is missing, or not the one that was shipped.

    Source:
        Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
        ICML 2019; the Lite0 variant.
    """
    import torch

    from mmmsba_plugin.features.embeddings.efficientnet import pooled

    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255.0)
    for channel, (mean, std) in enumerate(zip(_MEAN, _STD, strict=True)):
        pixels[:, channel].sub_(mean).div_(std)
    with torch.inference_mode():
        outputs = load_encoder()(pixels.contiguous(memory_format=torch.channels_last))
        values: NDArray[np.float32] = torch.cat([pooled(o) for o in outputs], dim=1).numpy()
    return values


@cache
def load_encoder() -> "nn.Module":
    """Load the encoder: from images, shape ``(batch, 3, height, width)``, to its six outputs.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    import torch

    from mmmsba_plugin.features.embeddings.efficientnet import Encoder

    encoder = restore(Encoder(), read_weights(FILE, sha256=SHA256))
    # Convolutions are fastest where the channels of a pixel lie side by side.
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder
