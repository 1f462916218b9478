"""Losses: focal loss on every snippet, distance-IoU on fake ones.

The paper names the losses and their sum (equation 8), not their constants. The constants
and the one-dimensional form are ActionFormer's, which the authors' repository carries.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from mmmsba_plugin.config import LossConfig
from mmmsba_plugin.model.heads import FAKE

#: Keeps divisions by a length defined; far below any length in cells that matters.
_EPS = 1e-8


class Losses(NamedTuple):
    """The loss of a batch and its two parts, each already divided by the number of fakes.

    Attributes:
        total: What is minimised: the first part plus lambda times the second.
        classification: Focal loss.
        regression: Distance-IoU loss; 0 without a boundary head.
    """

    total: Tensor
    classification: Tensor
    regression: Tensor


def focal_loss(logits: Tensor, labels: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Return the focal loss of each snippet.

    Args:
        logits: Real and fake, shape ``(..., 2)``.
        labels: 1 where fake, int64, shape ``(...)``.
        alpha: Weight of the fake class; the real one weighs ``1 - alpha``.
        gamma: How strongly snippets that are easy fade; with 0 it is weighted cross-entropy.

    Returns:
        Shape ``(...)``.

    Source:
        Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5, in its
        two-way softmax form: equal to the sigmoid form on the difference of the logits.
    """
    log_probs = logits.log_softmax(dim=-1)
    log_prob = log_probs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    is_fake = one_hot(labels, num_classes=2)[..., FAKE].to(logits.dtype)
    weight = alpha * is_fake + (1 - alpha) * (1 - is_fake)
    # 1 - p as -expm1(log p): exact where p is close to 1, so that no gradient is NaN.
    return -weight * (-torch.expm1(log_prob)).clamp(min=_EPS) ** gamma * log_prob


def diou_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the distance-IoU loss of segments given by distances about a common centre.

    Args:
        predicted: Distances to start and end, not negative, shape ``(..., 2)``; any one unit.
        target: The same, of the truth.

    Returns:
        1 - IoU + (distance of the middles / enclosing length)², shape ``(...)``.

    Source:
        Zheng et al., "Distance-IoU loss", AAAI 2020, in one dimension as ActionFormer's
        ``ctr_diou_loss_1d`` has it.
    """
    shared = torch.minimum(predicted, target).sum(dim=-1)
    union = predicted.sum(dim=-1) + target.sum(dim=-1) - shared
    enclosing = torch.maximum(predicted, target).sum(dim=-1)
    middles = (predicted[..., 1] - predicted[..., 0]) / 2, (target[..., 1] - target[..., 0]) / 2
    apart = (middles[0] - middles[1]) / enclosing.clamp(min=_EPS)
    return 1 - shared / union.clamp(min=_EPS) + apart**2


def total_loss(
    logits: Tensor,
    distances: Tensor | None,
    *,
    labels: Tensor,
    target_distances: Tensor,
    regress: Tensor,
    mask: Tensor | None = None,
    config: LossConfig | None = None,
) -> Losses:
    """Return the loss of a batch (equation 8).

    Both sums are divided by the number of fake snippets in the batch. The paper divides by
    it without a word on batches that have none; here it counts as 1 then.

    Args:
        logits: Shape ``(batch, snippet, 2)``.
        distances: In cells, the same shape; None without a boundary head.
        labels: 1 where fake, int64, shape ``(batch, snippet)``; anything in padding.
        target_distances: In cells, shape ``(batch, snippet, 2)``.
        regress: Where the distances are to be learned, bool, shape ``(batch, snippet)``.
        mask: Which snippets are not padding, bool, the same shape; all if not given.
        config: The loss' constants.
    """
    config = config or LossConfig()
    counts = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    # Selecting instead of multiplying by zero: padding may hold anything, NaN included.
    labels_that_count = labels[counts]
    num_fake = labels_that_count.sum().clamp(min=1)
    focal = focal_loss(
        logits[counts], labels_that_count, alpha=config.focal_alpha, gamma=config.focal_gamma
    )
    classification = focal.sum() / num_fake
    if distances is None:
        return Losses(classification, classification, torch.zeros_like(classification))
    regressed = regress & counts & (labels == FAKE)
    regression = diou_loss(distances[regressed], target_distances[regressed]).sum() / num_fake
    total = classification + config.regression_weight * regression
    return Losses(total, classification, regression)
