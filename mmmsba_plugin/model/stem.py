"""Reads rows that are pictures, such as pieces of a spectrogram, by convolution.

A seam in sound is an edge in a small place of the spectrum, wherever it is. A recurrence over
flat rows has to learn such an edge anew for each bin and each column; a convolution learns it
once. Pieces are joined along time first, so that an edge between two snippets is seen too.
"""

import torch
from torch import Tensor, nn

from mmmsba_plugin.config import StemConfig

_KERNEL = 3
_HALVED = 2
#: How many times the channels of the first layer each layer has.
_WIDTHS = (1, 2, 2, 3)


class Stem(nn.Module):
    """Four convolutions over time and bins, then a dense layer over what is left of the bins.

    Bins are halved by each layer; columns are brought down to one a snippet.

    Args:
        config: How a row is laid out, and how large the layers are.
    """

    def __init__(self, config: StemConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.planes, *(config.channels * width for width in _WIDTHS)]
        self.layers = nn.ModuleList(
            _Layer(before, after, columns)
            for before, after, columns in zip(widths, widths[1:], _poolings(config), strict=False)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(widths[-1] * (config.bins // _HALVED ** len(_WIDTHS)), config.units)

    @property
    def width(self) -> int:
        """Numbers that a row becomes: those of the picture, then those beside it as they are."""
        return self.config.units + self.config.beside

    def forward(self, rows: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return a vector a snippet.

        Args:
            rows: Shape ``(batch, snippet, planes * columns * bins + beside)``.
            mask: Which snippets are not padding, shape ``(batch, snippet)``; all if not given.

        Returns:
            Shape ``(batch, snippet, units + beside)``; those of the picture are not negative.
        """
        batch, snippets, _ = rows.shape
        shape = self.config
        there = rows.new_ones(batch, snippets, dtype=torch.bool) if mask is None else mask
        rows = rows.masked_fill(~there.unsqueeze(-1), 0.0)
        pixels, beside = torch.split(rows, [shape.dim - shape.beside, shape.beside], dim=-1)
        parts = pixels.reshape(batch, snippets, shape.planes, shape.columns, shape.bins)
        picture = parts.transpose(1, 2).flatten(2, 3)
        for layer in self.layers:
            picture = self.dropout(layer(picture, there))
        columns: Tensor = self.dense(picture.transpose(1, 2).flatten(2))
        return torch.cat([columns.relu(), beside], dim=-1)


class _Layer(nn.Module):
    """Convolution, pooling, normalisation over what is no padding, and ReLU.

    Pooled first, there is less to normalise.

    Args:
        before: Channels that come in.
        after: Channels that go out.
        columns: Columns that become one.
    """

    def __init__(self, before: int, after: int, columns: int) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(before, after, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.normalise = _Normalise(after)
        self.pool = nn.MaxPool2d((columns, _HALVED))

    def forward(self, picture: Tensor, there: Tensor) -> Tensor:
        """Return a smaller picture, zero where there is padding.

        Args:
            picture: Shape ``(batch, channel, column, bin)``.
            there: Which snippets are not padding, shape ``(batch, snippet)``.
        """
        pooled = self.pool(self.convolve(picture))
        a_snippet = pooled.shape[2] // there.shape[1]
        counts = there.repeat_interleave(a_snippet, dim=1)[:, None, :, None]
        found: Tensor = self.normalise(pooled, counts).relu()
        # What this layer makes of padding must not leak into the last snippet at the next one.
        return found.masked_fill(~counts, 0.0)


class _Normalise(nn.BatchNorm2d):
    """Batch normalisation whose statistics are those of what counts alone.

    Frozen weights go with frozen statistics; otherwise tuning would move what it is to leave.
    """

    def forward(self, picture: Tensor, counts: Tensor) -> Tensor:  # type: ignore[override]
        """Return a normalised picture; padding holds values without meaning.

        Args:
            picture: Shape ``(batch, channel, column, bin)``.
            counts: Which columns are not padding, shape ``(batch, 1, column, 1)``.
        """
        if self.training and self.weight.requires_grad:
            return self._by_batch(picture, counts)
        return nn.functional.batch_norm(
            picture, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )

    def _by_batch(self, picture: Tensor, counts: Tensor) -> Tensor:
        axes = (0, 2, 3)
        num = (counts.sum() * picture.shape[3]).clamp(min=1)
        mean = (picture * counts).sum(axes, keepdim=True) / num
        about = (picture - mean) * counts
        variance = about.square().sum(axes, keepdim=True) / num
        self._remember(mean.detach().flatten(), variance.detach().flatten())
        gain = self.weight.view_as(mean) / (variance + self.eps).sqrt()
        return about * gain + self.bias.view_as(mean)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None  # noqa: S101  (tells the type checker)
        assert self.running_var is not None  # noqa: S101
        assert self.momentum is not None  # noqa: S101
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def _poolings(config: StemConfig) -> tuple[int, ...]:
    """Return how many columns become one at each layer; their product is a snippet's columns."""
    return 1, _HALVED, _HALVED, config.columns // _HALVED**2
