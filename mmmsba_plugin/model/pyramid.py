"""Temporal feature pyramid with local attention: another system, on the same features and heads.

Each level is a transformer block in which a snippet attends to its neighbours alone; between
levels a strided convolution halves the rate. The levels are added from coarse to fine, and the
heads read the finest.

Its abstract, which is all that was read, states frozen encoders of audio and frames (WavLM and
CLIP; here the features that every network of this package is told), a pyramid of several scales
made by blocks of localized attention, and two branches, for probabilities and for offsets of
boundaries. Not stated there, and as in ActionFormer here: a window of one size at every level,
halving by strided depthwise convolution, norms in front, no code of positions. Not stated, and
ours: number of levels, window, one head of attention, widths, and that levels are added from coarse
to fine instead of each having its own predictions, since detectors here score each snippet.

Source:
    Zheng et al., "Multi-modal Deepfake Detection and Localization with FPN-Transformer", arXiv
    2511.08031; Zhang et al., "ActionFormer", ECCV 2022, arXiv 2202.07925; addition from coarse to
    fine: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.model.encoder import start_like_keras

#: Width of the hidden layer of a block, relative to its input.
_EXPANSION = 4


class LocalBlock(nn.Module):
    """Transformer block in which each snippet attends to those around it.

    Args:
        units: Width of its rows.
        window: Snippets on either side that are attended to.
        dropout: Dropout on what attention and the hidden layer add.
    """

    def __init__(self, units: int, window: int, dropout: float) -> None:
        super().__init__()
        self.window = window
        self.norm = nn.LayerNorm(units)
        self.queries_keys_values = nn.Linear(units, 3 * units)
        self.project = nn.Linear(units, units)
        self.norm_hidden = nn.LayerNorm(units)
        self.expand = nn.Linear(units, _EXPANSION * units)
        self.contract = nn.Linear(_EXPANSION * units, units)
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Return rows with what attention and the hidden layer add.

        Args:
            rows: Shape ``(batch, snippet, units)``.
            mask: Which snippets count, shape ``(batch, snippet)``.
        """
        queries, keys, values = self.queries_keys_values(self.norm(rows)).chunk(3, dim=-1)
        near = neighbours(mask, self.window)
        attended = scaled_dot_product_attention(queries, keys, values, attn_mask=near)
        rows = rows + self.dropout(self.project(attended))
        hidden = gelu(self.expand(self.norm_hidden(rows)))
        return rows + self.dropout(self.contract(hidden))  # type: ignore[no-any-return]


class Pyramid(nn.Module):
    """Feature pyramid over the fused rows of all modalities.

    Args:
        width: Width of the fused vector.
        config: Number of levels, window, width and dropout.
    """

    def __init__(self, width: int, config: ModelConfig) -> None:
        super().__init__()
        units = config.dense_units
        self.embed = nn.Linear(width, units)
        self.blocks = nn.ModuleList(
            LocalBlock(units, config.pyramid_window, config.dropout_dense)
            for _ in range(config.pyramid_levels)
        )
        self.halve = nn.ModuleList(
            nn.Conv1d(units, units, kernel_size=3, stride=2, padding=1, groups=units)
            for _ in range(config.pyramid_levels - 1)
        )
        for layer in self.modules():
            # Norms start as the identity.
            if isinstance(layer, nn.Linear | nn.Conv1d):
                start_like_keras(layer)

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        """Return the finest level, with all coarser ones added.

        Args:
            fused: Shape ``(batch, snippet, width)``.
            mask: Which snippets count, shape ``(batch, snippet)``.

        Returns:
            Shape ``(batch, snippet, dense_units)``; zeros where a snippet does not count.
        """
        levels = self.levels(fused, mask)
        finest = levels[-1]
        for finer in reversed(levels[:-1]):
            finest = finer + finest.repeat_interleave(2, dim=1)[:, : finer.shape[1]]
        return finest.masked_fill(~mask.unsqueeze(-1), 0.0)

    def levels(self, fused: Tensor, mask: Tensor) -> list[Tensor]:
        """Return the rows of each level, the finest first; each has half the rate of the last."""
        rows, levels = self.embed(fused), []
        for index, block in enumerate(self.blocks):
            if index:
                rows = self.halve[index - 1](rows.transpose(1, 2)).transpose(1, 2)
                mask = mask[:, ::2]
            # What does not count must not reach its neighbours through a convolution.
            rows = block(rows.masked_fill(~mask.unsqueeze(-1), 0.0), mask)
            rows = rows.masked_fill(~mask.unsqueeze(-1), 0.0)
            levels.append(rows)
        return levels


def neighbours(mask: Tensor, window: int) -> Tensor:
    """Return which snippets each snippet attends to: itself, and those near it that count.

    Args:
        mask: Which snippets count, shape ``(batch, snippet)``.
        window: Snippets on either side.

    Returns:
        Shape ``(batch, snippet, snippet)``.

    Example:
        >>> neighbours(torch.tensor([[True, True, False, True]]), 1)[0].int().tolist()
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1]]
    """
    places = torch.arange(mask.shape[1], device=mask.device)
    distances = (places[:, None] - places).abs()
    return (distances <= window) & mask.unsqueeze(-2) | (distances == 0)
