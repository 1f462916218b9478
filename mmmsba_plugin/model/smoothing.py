"""Smoothing of a network's outputs along time."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv1d

#: Standard deviations on either side, beyond which the Gaussian is cut off.
_REACH = 4.0


def smooth(values: Tensor, present: Tensor, *, sigma: float) -> Tensor:
    """Smooth values along time by a Gaussian, over the snippets that are present.

    Args:
        values: Shape ``(batch, snippet, output)``.
        present: Which snippets count, bool, shape ``(batch, snippet)``.
        sigma: Standard deviation of the Gaussian, in snippets, above 0.

    Returns:
        The smoothed values; those of snippets that are not present stay as they are.

    Example:
        >>> present = torch.tensor([[True, True, False]])
        >>> smooth(torch.tensor([[[1.0], [1.0], [9.0]]]), present, sigma=2.0)[0, :, 0]
        tensor([1., 1., 9.])
    """
    radius = math.ceil(_REACH * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-((offsets / sigma) ** 2) / 2).expand(1, 1, -1)
    weights = present.to(values.dtype)[:, None]
    sequences = (values.transpose(1, 2) * weights).flatten(0, 1)[:, None]
    sums = conv1d(sequences, kernel, padding=radius).reshape(values.transpose(1, 2).shape)
    # A snippet that is present has a weight of one for itself; no others are of use.
    means = sums / conv1d(weights, kernel, padding=radius).clamp(min=1.0)
    return torch.where(present[..., None], means.transpose(1, 2), values)
