"""Several networks that answer as one.

With little footage, which people a network learned from decides much of what it says of others.
The mean of networks that learned from different people varies less.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.model.mmmsba import MmmsBa, NetworkOutput


class Ensemble(nn.Module):
    """Networks of one kind whose logits and distances are averaged.

    Args:
        members: Of the same configuration.
    """

    def __init__(self, members: Sequence[MmmsBa]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.config = members[0].config.model_copy(update={"members": len(members)})

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None = None,
        *,
        present: Mapping[str, Tensor] | None = None,
        return_attention: bool = False,
    ) -> NetworkOutput:
        """Judge a batch of sequences; see :meth:`MmmsBa.forward`.

        Returns:
            The means of logits, of distances and of attention. Streams, and what heads read, lie
            one member behind the other.
        """
        outputs: list[NetworkOutput] = [
            member(inputs, mask, present=present, return_attention=return_attention)
            for member in self.members
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


Network = MmmsBa | Ensemble


def make_network(config: ModelConfig) -> Network:
    """Return the network, or the ensemble of networks, that a configuration describes."""
    alone = config.model_copy(update={"members": 1})
    members = [MmmsBa(alone) for _ in range(config.members)]
    return as_one(members)


def as_one(members: Sequence[MmmsBa]) -> Network:
    """Return a network as it is, and several as a ensemble."""
    return members[0] if len(members) == 1 else Ensemble(members)


def members_of(network: Network) -> list[MmmsBa]:
    """Return the networks that a network consists of: itself, if it is no ensemble."""
    if isinstance(network, MmmsBa):
        return [network]
    return [member for member in network.members if isinstance(member, MmmsBa)]
