"""Audio and what is seen as two sides of one width, which systems of others compare.

They know one stream of each; here all modalities but the audio are the one that is seen.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.encoder import start_like_keras

AUDIO = "audio"


class Side(NamedTuple):
    """Rows of one side, and where they count.

    Attributes:
        rows: Shape ``(batch, snippet, dense_units)``; zeros where they do not count.
        mask: Shape ``(batch, snippet)``.
    """

    rows: Tensor
    mask: Tensor


class Sides(nn.Module):
    """Projects streams onto two sides, audio and what is seen.

    Args:
        modalities: Those that the network reads.
        config: Widths.

    Raises:
        ConfigError: One of the sides has no modality.
    """

    def __init__(self, modalities: Sequence[str], config: ModelConfig) -> None:
        super().__init__()
        self.visual_modalities = tuple(name for name in modalities if name != AUDIO)
        if not self.visual_modalities or AUDIO not in modalities:
            raise ConfigError(
                f"cross_modal {config.cross_modal!r} compares audio with what is seen; give the "
                f"network audio and another modality, got {', '.join(modalities)}"
            )
        units = config.dense_units
        self.audio = nn.Linear(config.stream_units, units)
        self.visual = nn.Linear(len(self.visual_modalities) * config.stream_units, units)
        start_like_keras(self)

    def forward(
        self, streams: Mapping[str, Tensor], masks: Mapping[str, Tensor]
    ) -> tuple[Side, Side]:
        """Return the sides of audio and of what is seen.

        Args:
            streams: For each modality, shape ``(batch, snippet, stream_units)``.
            masks: Which snippets count, shape ``(batch, snippet)``.
        """
        rows = torch.cat([streams[name] for name in self.visual_modalities], dim=-1)
        is_visual = torch.stack([masks[name] for name in self.visual_modalities]).any(dim=0)
        return (
            side_of(self.audio(streams[AUDIO]), masks[AUDIO]),
            side_of(self.visual(rows), is_visual),
        )


def side_of(rows: Tensor, mask: Tensor) -> Side:
    """Return rows as a side, with zeros where they do not count."""
    return Side(rows.masked_fill(~mask.unsqueeze(-1), 0.0), mask)
