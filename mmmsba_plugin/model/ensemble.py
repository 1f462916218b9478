"""Several networks that answer as one; a single network is an ensemble of one.

With little footage, which people a network learned from decides much of what it says of others.
The mean of networks that learned from different people varies less.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self, cast

import torch
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.mmmsba import MmmsBa, NetworkOutput
from mmmsba_plugin.model.tree import tree_map


class Ensemble(nn.Module):
    """Networks whose outputs are averaged.

    Args:
        members: They may differ in everything but the features that they read.

    Raises:
        ConfigError: There is none, or they read different features.
    """

    def __init__(self, members: Sequence[MmmsBa]) -> None:
        super().__init__()
        if len({frozenset(member.config.dims.items()) for member in members}) != 1:
            raise ConfigError(
                "an ensemble has one member or more, and all read the same features; got "
                f"{[member.config.dims for member in members]}"
            )
        self.members = nn.ModuleList(members)

    @classmethod
    def from_configs(cls, configs: Sequence[ModelConfig]) -> Self:
        """Return an ensemble of untrained networks."""
        return cls([MmmsBa(config) for config in configs])

    def __iter__(self) -> Iterator[MmmsBa]:
        return cast("Iterator[MmmsBa]", iter(self.members))

    @property
    def configs(self) -> tuple[ModelConfig, ...]:
        """The configuration of each member."""
        return tuple(member.config for member in self)

    @property
    def dims(self) -> dict[str, int]:
        """Features a snippet, for each modality."""
        return dict(self.configs[0].dims)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None = None,
        *,
        present: Mapping[str, Tensor] | None = None,
        return_attention: bool = False,
    ) -> NetworkOutput:
        """Predict a batch of sequences; see :meth:`MmmsBa.forward`.

        Returns:
            The means of the outputs of each head, and of attention, over the members that have
            them. Streams, and what heads read, lie one member behind the other.
        """
        outputs: list[NetworkOutput] = [
            member(inputs, mask, present=present, return_attention=return_attention)
            for member in self
        ]
        attention = [output.attention for output in outputs if output.attention is not None]
        return NetworkOutput(
            heads=_averages([output.heads for output in outputs]),
            streams=tree_map(
                lambda *streams: torch.cat(streams, dim=-1), *(output.streams for output in outputs)
            ),
            fused=torch.cat([output.fused for output in outputs], dim=-1),
            attention=_averages(attention) if attention else None,
        )


def _averages(outputs: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each tensor over the members that have it; not all have every head."""
    names = dict.fromkeys(name for output in outputs for name in output)
    return {
        name: torch.stack([output[name] for output in outputs if name in output]).mean(dim=0)
        for name in names
    }
