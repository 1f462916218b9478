"""Weights of the bundled encoders, and the audio that one of them looks at."""

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.files import read_bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor, nn

    Encoder = TypeVar("Encoder", bound=nn.Module)


def read_weights(name: str, *, sha256: str) -> "Mapping[str, Tensor]":
    """Read the tensors of a file beside this module, in single precision.

    Raises:
        ModelFileError: The file is missing, or not the one that was shipped.
    """
    from safetensors.torch import load

    weights = load(read_bundled(__package__, name, sha256=sha256))
    return {key: value.float() for key, value in weights.items()}


def restore(encoder: "Encoder", weights: "Mapping[str, Tensor]") -> "Encoder":
    """Give an encoder its weights, and fix them."""
    encoder.load_state_dict(weights)
    return encoder.eval().requires_grad_(requires_grad=False)


def batches(num: int, size: int, multiple: int) -> "Iterator[tuple[int, int]]":
    """Yield the bounds of batches, the last one rounded up.

    For each size of input PyTorch keeps what it prepared, up to 25 MiB: memory would grow with
    every clip of another length.

    Args:
        num: Number of items.
        size: Items of a batch.
        multiple: Number that the last batch is a multiple of; it divides ``size``.
    """
    padded = -(-num // multiple) * multiple
    for first in range(0, num, size):
        yield first, min(first + size, padded)


def in_batches(
    embed: "Callable[[int, int], NDArray[np.float32]]",
    num: int,
    *,
    dim: int,
    size: int,
    multiple: int,
) -> NDArray[np.float32]:
    """Embed items batch by batch.

    Args:
        embed: Computes the embeddings of items from a first to a last, shape ``(item, dim)``; it
            takes some beyond ``num``.
        num: Number of items.
        dim: Values of an embedding.
        size: Items of a batch.
        multiple: Number that the last batch is a multiple of; it divides ``size``.

    Returns:
        The embeddings, shape ``(num, dim)``.
    """
    # Their place is made first: what each batch leaves behind would lie at the end of the heap,
    # whose free parts then suit no later batch (speech quality of two minutes: 500 MiB, not 320).
    embeddings = np.empty((num + size, dim), np.float32)
    for first, stop in batches(num, size, multiple):
        embeddings[first:stop] = embed(first, stop)
    return embeddings[:num]


def cut_mirrored(samples: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Cut samples ``start`` to ``stop``; beyond its ends audio is mirrored, as often as it takes.

    Args:
        samples: Shape ``(sample,)``, at least one.
        start: First sample, which may lie before the audio.
        stop: First sample behind the cut, which may lie behind the audio.
    """
    indices = np.arange(start, stop) % (2 * samples.size)
    cut: NDArray[np.float32] = samples[np.minimum(indices, 2 * samples.size - 1 - indices)]
    return cut
