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


class Ensemble(nn.Module):
    """Networks whose logits and distances are averaged.

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
            The means of logits, of distances and of attention. Streams, and what heads read, lie
            one member behind the other.
        """
        outputs: list[NetworkOutput] = [
            member(inputs, mask, present=present, return_attention=return_attention)
            for member in self
        ]
        maps = [output.attention for output in outputs if output.attention is not None]
        distances = [output.distances for output in outputs if output.distances is not None]
        return NetworkOutput(
            logits=torch.stack([output.logits for output in outputs]).mean(dim=0),
            distances=torch.stack(distances).mean(dim=0) if distances else None,
            streams={
                name: torch.cat([output.streams[name] for output in outputs], dim=-1)
                for name in outputs[0].streams
            },
            fused=torch.cat([output.fused for output in outputs], dim=-1),
            attention=(
                {
                    name: torch.stack([output[name] for output in maps]).mean(dim=0)
                    for name in maps[0]
                }
                if maps
                else None
            ),
        )
