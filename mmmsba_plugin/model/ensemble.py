"""Several networks that answer as one; a single network is an ensemble of one.

With little footage, which people a network learned from decides much of what it says of others.
The mean of networks that learned from different people varies less.

Networks of one kind, by what they learn from and which modalities they read, are averaged. Of
several kinds the one counts that finds a snippet most suspicious: a mean would hide what only one
kind knows how to find. A kind that reads nothing that is present does not count.

A network's logits may be smoothed along time first: a fake lasts, and what lasts for a single
snippet is more often chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, Self, cast

import torch
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig, dims_read
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.heads import FAKE
from mmmsba_plugin.model.mmmsba import MmmsBa, NetworkOutput
from mmmsba_plugin.model.smoothing import smooth
from mmmsba_plugin.run_control import check


class Network(Protocol):
    """What predicts along a clip, by whichever runtime."""

    @property
    def is_explainable(self) -> bool:
        """Return whether it gives attention maps too."""

    @property
    def dims(self) -> dict[str, int]:
        """Features a snippet, for each modality."""

    @property
    def device(self) -> torch.device:
        """Where it wants its inputs."""

    def eval(self) -> Any:  # noqa: ANN401 - of modules it is they themselves
        """Switch to evaluation."""

    def __call__(
        self,
        inputs: Mapping[str, Tensor],
        *,
        present: Mapping[str, Tensor],
        views: Mapping[str, Tensor] | None = None,
    ) -> NetworkOutput:
        """Predict a batch of sequences, or several views of one; see :meth:`MmmsBa.forward`."""


class Ensemble(nn.Module):
    """Networks whose outputs are averaged, each kind by itself.

    Args:
        members: They may differ in everything but the features that they read.

    Raises:
        ConfigError: There is none, or they read different features.
    """

    is_explainable: Final = True

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
        """Features a snippet, for each modality that any member reads."""
        return dims_read(self.configs)

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.parameters()).device

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None = None,
        *,
        present: Mapping[str, Tensor] | None = None,
        views: Mapping[str, Tensor] | None = None,
        return_attention: bool = False,
    ) -> NetworkOutput:
        """Predict a batch of sequences, or several views of one; see :meth:`MmmsBa.forward`.

        Returns:
            The means of the outputs of each head over the members of a kind that have them, and
            of several kinds those of the most suspicious one, snippet by snippet. The means of
            attention over all. Streams, and what heads read, lie one member behind the other; they
            are empty unless attention is asked for too, since nothing takes as much memory.
        """
        outputs: list[NetworkOutput] = []
        for member in self:
            check()
            output = member(
                inputs, mask, present=present, views=views, return_attention=return_attention
            )
            if not return_attention:
                output = replace(output, streams={}, fused=output.fused.new_empty(0))
            outputs.append(_smoothed(output, member.config.smoothing))
        of_kind: dict[tuple[str, ...], list[NetworkOutput]] = {}
        for member, output in zip(self, outputs, strict=True):
            of_kind.setdefault(member.config.kind, []).append(output)
        of_segments = [of_kind[kind] for kind in of_kind if kind[0] == "segments"]
        attention = [output.attention for output in outputs if output.attention is not None]
        names = dict.fromkeys(name for output in outputs for name in output.streams)
        return NetworkOutput(
            heads=_most_suspicious(list(of_kind.values())),
            streams={
                name: torch.cat([o.streams[name] for o in outputs if name in o.streams], dim=-1)
                for name in names
            },
            fused=torch.cat([output.fused for output in outputs], dim=-1),
            attention=_averages(attention) if attention else None,
            of_segments=(
                _most_suspicious(of_segments) if of_segments and len(of_kind) > 1 else None
            ),
        )


def _smoothed(output: NetworkOutput, sigma: float) -> NetworkOutput:
    """Smooth the logits of an output along time, by so many snippets."""
    if not sigma:
        return output
    present = cast("Tensor", output.present)
    logits = smooth(output.heads["classify"], present, sigma=sigma)
    return replace(output, heads={**output.heads, "classify": logits})


def _averages(outputs: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each tensor over the members that have it; not all have every head."""
    names = dict.fromkeys(name for output in outputs for name in output)
    return {
        name: torch.stack([output[name] for output in outputs if name in output]).mean(dim=0)
        for name in names
    }


def _most_suspicious(of_kind: Sequence[Sequence[NetworkOutput]]) -> dict[str, Tensor]:
    """Return for each snippet the outputs of the kind whose logits speak most for fake.

    A head that not all kinds have is averaged over those that have it.

    Args:
        of_kind: The outputs of the members of each kind.
    """
    kinds = [_averages([output.heads for output in outputs]) for outputs in of_kind]
    if len(kinds) == 1:
        return kinds[0]
    margins = [
        (heads["classify"][..., FAKE] - heads["classify"][..., 1 - FAKE]).masked_fill(
            ~cast("Tensor", outputs[0].present), -torch.inf
        )
        for heads, outputs in zip(kinds, of_kind, strict=True)
    ]
    winner = torch.stack(margins).argmax(dim=0)
    chosen = _averages(kinds)
    for name in chosen:
        if all(name in heads for heads in kinds):
            outputs = torch.stack([heads[name] for heads in kinds])
            index = winner[None, ..., None].expand(1, *outputs.shape[1:])
            chosen[name] = outputs.gather(0, index)[0]
    return chosen
