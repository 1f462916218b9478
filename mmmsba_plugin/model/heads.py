"""Heads: what a network says of each snippet, with the targets and the loss to learn it.

A head is one class: the number of its outputs, how its targets are made from fake segments,
and its loss. All else maps over dictionaries by the name of the head, so a new head is written in
one file, offered through the hook ``forensics_heads``, and chosen by name in
:attr:`mmmsba_plugin.config.ModelConfig.heads`.

The paper's text and code put the heads directly on the fused vector; the extra dense layer
that its figure 2 draws is in neither.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, cross_entropy

from mmmsba_plugin.config import LossConfig
from mmmsba_plugin.errors import PluginBrokenError
from mmmsba_plugin.model.encoder import start_like_keras
from mmmsba_plugin.model.losses import asymmetric_loss, diou_loss, focal_loss, giou_loss
from mmmsba_plugin.model.targets import boundary_distances, fake_labels
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid

#: Column of the logits that speaks for fake; the other one, 0, for real.
FAKE = 1


class BaseHead(nn.Module, ABC):
    """Any head: it is made of the width of the fused vector, and reads that."""

    num_outputs: ClassVar[int]

    @classmethod
    @abstractmethod
    def targets(
        cls,
        truth: Sequence[Segment],
        grid: Grid,
        num_snippets: int,
        *,
        is_bounded: bool,
        min_overlap: float = 0.0,
    ) -> dict[str, NDArray[Any]]:
        """Make the targets of a clip.

        Args:
            truth: Fake segments in any order; they may overlap.
            grid: Position of the snippets in time.
            num_snippets: Number of snippets.
            is_bounded: Whether the truth says where a manipulation starts and ends; where
                only the whole clip is called fake, there is no boundary to learn.
            min_overlap: Share of a snippet that must be fake for it to be labelled so.

        Returns:
            Arrays by name, each of shape ``(snippet, …)``.
        """

    @classmethod
    @abstractmethod
    def loss(
        cls, output: Tensor, target: Mapping[str, Tensor], mask: Tensor, config: LossConfig
    ) -> Tensor:
        """Compute the loss, summed over snippets.

        Args:
            output: Output of the head, shape ``(batch, snippet, num_outputs)``.
            target: What :meth:`targets` made, each of shape ``(batch, snippet, …)``.
            mask: Which snippets are not padding, bool, shape ``(batch, snippet)``. Padding
                may hold anything, NaN included: select by it, and do not multiply.
            config: Constants of the loss.
        """

    @classmethod
    def loss_weight(cls, config: LossConfig) -> float:
        """Return the weight of this loss in the total."""
        return 1.0


class Head(BaseHead, nn.Linear):
    """Linear layer on the fused vector, with its targets and its loss.

    Args:
        width: Width of the fused vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, self.num_outputs)
        start_like_keras(self)


class ClassificationHead(Head):
    """Two logits a snippet; column :data:`FAKE` speaks for fake."""

    num_outputs = 2

    @classmethod
    def targets(
        cls,
        truth: Sequence[Segment],
        grid: Grid,
        num_snippets: int,
        *,
        is_bounded: bool,
        min_overlap: float = 0.0,
    ) -> dict[str, NDArray[Any]]:
        """Label each snippet as fake (1) or real (0); see :meth:`BaseHead.targets`."""
        return {"labels": fake_labels(truth, grid, num_snippets, min_overlap=min_overlap)}

    @classmethod
    def loss(
        cls, output: Tensor, target: Mapping[str, Tensor], mask: Tensor, config: LossConfig
    ) -> Tensor:
        """Compute the loss that was chosen; see :meth:`BaseHead.loss`."""
        logits, labels = output[mask], target["labels"][mask]
        if config.classification == "cross-entropy":
            return cross_entropy(logits, labels, reduction="sum")
        if config.classification == "asymmetric":
            return asymmetric_loss(logits, labels, gamma=config.focal_gamma).sum()
        alpha, gamma = config.focal_alpha, config.focal_gamma
        return focal_loss(logits, labels, alpha=alpha, gamma=gamma).sum()


class RegressionHead(Head):
    """Distances from the middle of a snippet's cell to both ends of its fake segment.

    In cells, so that one head serves every stride; never negative, as in the paper. The
    bias starts at one cell: a ReLU that starts below zero everywhere never learns.
    """

    num_outputs = 2

    def __init__(self, width: int) -> None:
        super().__init__(width)
        nn.init.ones_(self.bias)

    def forward(self, fused: Tensor) -> Tensor:
        """Return the distances to start and end, shape ``(batch, snippet, 2)``, in cells."""
        return super().forward(fused).relu()

    @classmethod
    def targets(
        cls,
        truth: Sequence[Segment],
        grid: Grid,
        num_snippets: int,
        *,
        is_bounded: bool,
        min_overlap: float = 0.0,
    ) -> dict[str, NDArray[Any]]:
        """Compute the distances, and where they are to be learned; see :meth:`BaseHead.targets`."""
        distances, inside = boundary_distances(truth, grid, num_snippets)
        is_fake = fake_labels(truth, grid, num_snippets, min_overlap=min_overlap) == 1
        return {"distances": distances, "inside": inside & is_fake & np.bool_(is_bounded)}

    @classmethod
    def loss(
        cls,
        output: Tensor,
        target: Mapping[str, Tensor],
        mask: Tensor,
        config: LossConfig,
    ) -> Tensor:
        """Compute the IoU loss inside fake segments; see :meth:`BaseHead.loss`."""
        taught = target["inside"] & mask
        loss = {"diou": diou_loss, "giou": giou_loss}[config.regression]
        return loss(output[taught], target["distances"][taught]).sum()

    @classmethod
    def loss_weight(cls, config: LossConfig) -> float:
        """Return lambda of equation 8."""
        return config.regression_weight


class CorrelationHead(BaseHead):
    """Similarity of audio and what is seen, of :mod:`mmmsba_plugin.model.correlation`, as it is.

    Args:
        width: Width of the fused vector, whose last value it is.
    """

    num_outputs = 1

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, fused: Tensor) -> Tensor:
        """Return the similarity, in [0, 1], shape ``(batch, snippet, 1)``."""
        return fused[..., -1:]

    @classmethod
    def targets(
        cls,
        truth: Sequence[Segment],
        grid: Grid,
        num_snippets: int,
        *,
        is_bounded: bool,
        min_overlap: float = 0.0,
    ) -> dict[str, NDArray[Any]]:
        """Call both sides alike (1) where a snippet is real; see :meth:`BaseHead.targets`."""
        is_fake = fake_labels(truth, grid, num_snippets, min_overlap=min_overlap)
        return {"alike": (1 - is_fake[:, None]).astype(np.float32)}

    @classmethod
    def loss(
        cls, output: Tensor, target: Mapping[str, Tensor], mask: Tensor, config: LossConfig
    ) -> Tensor:
        """Compute the binary cross-entropy; see :meth:`BaseHead.loss`."""
        return binary_cross_entropy(output[mask], target["alike"][mask], reduction="sum")


#: Our own heads; the last one is part of a system that brings its own module.
HEADS: dict[str, type[BaseHead]] = {
    "classify": ClassificationHead,
    "regress": RegressionHead,
    "correlate": CorrelationHead,
}


def head_class(name: str) -> type[BaseHead]:
    """Return the class of a head.

    Raises:
        PluginNotFoundError: No plug-in offers a head of that name.
        PluginBrokenError: What one offers is no head.
    """
    # Each step of training asks, and plug-ins need not be loaded for our own.
    if name in HEADS:
        return HEADS[name]
    offered: object = lookup("heads", name).load()
    if not isinstance(offered, type) or not issubclass(offered, BaseHead):
        raise PluginBrokenError(
            f"the head {name!r} must be a subclass of {Head.__module__}.{Head.__name__}, got "
            f"{offered!r}",
            plugin=name,
        )
    return offered


class Losses(NamedTuple):
    """Loss of a batch, divided by its normaliser.

    Attributes:
        total: What is minimised: the weighted sum over heads.
        by_head: The loss of each head, without its weight.
    """

    total: Tensor
    by_head: dict[str, Tensor]


def total_loss(
    outputs: Mapping[str, Tensor],
    targets: Mapping[str, Mapping[str, Tensor]],
    mask: Tensor,
    config: LossConfig,
    *,
    divisor: Tensor | None = None,
) -> Losses:
    """Compute the loss of a batch (equation 8).

    Every head's sum is divided by the number of fake snippets in the batch. The paper divides
    by it without a word on batches that have none; here it counts as 1 then. With the
    normaliser ``snippets`` it is divided by the number of all snippets.

    Args:
        outputs: For each head, shape ``(batch, snippet, num_outputs)``.
        targets: For each head, what :meth:`BaseHead.targets` made; padding may hold anything.
        mask: Which snippets are not padding, bool, shape ``(batch, snippet)``.
        config: Constants and weights.
        divisor: What to divide by instead, such as :class:`MovingAverage` has it.
    """
    if divisor is None:
        is_counted = config.normaliser == "snippets"
        divisor = mask.sum().clamp(min=1) if is_counted else count_fake(targets, mask)
    by_head = {
        name: head_class(name).loss(output, targets[name], mask, config) / divisor
        for name, output in outputs.items()
    }
    weighted = [head_class(name).loss_weight(config) * loss for name, loss in by_head.items()]
    return Losses(sum(weighted[1:], start=weighted[0]), by_head)


def count_fake(targets: Mapping[str, Mapping[str, Tensor]], mask: Tensor) -> Tensor:
    """Count the fake snippets of a batch, at least 1; arguments as for :func:`total_loss`."""
    return targets["classify"]["labels"][mask].sum().clamp(min=1)


class MovingAverage(nn.Module):
    """Exponential moving average of positive numbers, which starts at the first one.

    Its state is saved with that of the module that it is a part of.

    Args:
        momentum: Weight of the average so far against the next number.

    Source:
        ActionFormer's normaliser of losses, momentum 0.9, which the authors' repository carries.
    """

    average: Tensor

    def __init__(self, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("average", torch.tensor(0.0))

    def forward(self, number: Tensor) -> Tensor:
        """Take in a number, and return the average."""
        start = torch.where(self.average == 0, number, self.average)
        self.average.copy_(self.momentum * start + (1 - self.momentum) * number)
        return self.average.clone()
