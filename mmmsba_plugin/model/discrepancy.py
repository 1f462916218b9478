"""Discrepancy of audio and video: another system, in the style of DiMoDif.

Each side is aligned with the other within a short window, since lips and voice are never quite
simultaneous; what the alignment leaves over goes through a layer of its own. Above it stands the
feature pyramid of :mod:`mmmsba_plugin.model.pyramid`, and heads for scores and boundaries.

Stated in the abstract, which is all that was read: features of recognisers of speech and of lips;
a hierarchical fusion across modalities with adaptive alignment in time; a learned mapping of the
discrepancy; and a loss on frames and on intervals. Taken from there: alignment, mapping, hierarchy,
both losses. Ours: the features, which are those that every network here is told; that alignment is
attention of one head within a window, whose values are the rows themselves, so that both sides stay
in one space; that what is mapped is the difference of each side from the other, aligned; and all
widths.

Source:
    Koutlis & Papadopoulos, "DiMoDif: Discourse Modality-information Differentiation for
    Audio-visual Deepfake Detection and Localization", arXiv 2411.10193.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.model.encoder import start_like_keras
from mmmsba_plugin.model.pyramid import neighbours
from mmmsba_plugin.model.sides import Side, Sides, side_of


class Alignment(nn.Module):
    """Brings one side to the times of the other, by attention within a window.

    Args:
        units: Width of both sides.
        window: Snippets on either side that are attended to.
    """

    def __init__(self, units: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.queries = nn.Linear(units, units)
        self.keys = nn.Linear(units, units)

    def forward(self, to: Side, source: Side) -> Tensor:
        """Return the source as seen from each snippet of the other side.

        A weighted mean of its rows near, shape ``(batch, snippet, units)``; its own row, zeros,
        where none near counts.
        """
        near = neighbours(source.mask, self.window)
        queries, keys = self.queries(to.rows), self.keys(source.rows)
        return scaled_dot_product_attention(queries, keys, source.rows, attn_mask=near)


class Discrepancy(nn.Module):
    """Both sides, and a mapping of what tells each from the other.

    Args:
        modalities: Those that the network reads.
        config: Widths, window and dropout.

    Raises:
        ConfigError: A side has no modality.
    """

    def __init__(self, modalities: Sequence[str], config: ModelConfig) -> None:
        super().__init__()
        units = config.dense_units
        self.sides = Sides(modalities, config)
        self.align_audio = Alignment(units, config.pyramid_window)
        self.align_visual = Alignment(units, config.pyramid_window)
        self.map = nn.Linear(2 * units, units)
        self.dropout = nn.Dropout(config.dropout_dense)
        for module in (self.align_audio, self.align_visual, self.map):
            start_like_keras(module)
        self.width = 3 * units

    def forward(self, streams: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors that the pyramid reads, shape ``(batch, snippet, 3 * dense_units)``.

        Audio, what is seen, and their discrepancy, which is zero where one of them is missing.

        Args:
            streams: For each modality, shape ``(batch, snippet, stream_units)``.
            masks: Which snippets count, shape ``(batch, snippet)``.
        """
        audio, visual = self.sides(streams, masks)
        differences = torch.cat(
            [
                visual.rows - self.align_audio(visual, audio),
                audio.rows - self.align_visual(audio, visual),
            ],
            dim=-1,
        )
        mapped = self.dropout(self.map(differences).relu())
        discrepancy = side_of(mapped, audio.mask & visual.mask).rows
        return torch.cat([audio.rows, visual.rows, discrepancy], dim=-1)
