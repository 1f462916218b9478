"""Losses of single snippets: focal and asymmetric loss, and distance-IoU of segments.

The paper names the losses and their sum (equation 8), not their constants. The constants
and the one-dimensional form are ActionFormer's, which the authors' repository carries.
"""

import torch
from torch import Tensor

#: Keeps divisions by a length defined; far below any length in cells that matters.
_EPS = 1e-8

#: P(fake) up to which a real snippet costs nothing in the asymmetric loss.
_MARGIN = 0.05


def focal_loss(logits: Tensor, labels: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Compute the focal loss of each snippet.

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
    is_fake = labels.to(logits.dtype)
    weight = alpha * is_fake + (1 - alpha) * (1 - is_fake)
    # 1 - p as -expm1(log p): exact where p is close to 1, so that no gradient is NaN.
    return -weight * (-torch.expm1(log_prob)).clamp(min=_EPS) ** gamma * log_prob


def asymmetric_loss(logits: Tensor, labels: Tensor, *, gamma: float) -> Tensor:
    """Compute the asymmetric loss of each snippet: easy real ones fade, fake ones never.

    Args:
        logits: Real and fake, shape ``(..., 2)``.
        labels: 1 where fake, int64, shape ``(...)``.
        gamma: How strongly real snippets fade that are told easily.

    Returns:
        Shape ``(...)``. A real snippet of P(fake) up to 0.05 costs nothing.

    Source:
        Ben-Baruch et al., "Asymmetric Loss for Multi-Label Classification", ICCV 2021, with
        exponent 0 for fake snippets and their margin of 0.05.
    """
    log_probs = logits.log_softmax(dim=-1)
    shifted = (log_probs[..., 1].exp() - _MARGIN).clamp(min=0)
    # Below the margin a power of zero would have no gradient for exponents under 1.
    real = -(shifted.clamp(min=_EPS) ** gamma) * torch.log1p(-shifted)
    return torch.where(labels == 1, -log_probs[..., 1], real)


def giou_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the generalised-IoU loss of segments given by distances about a common centre.

    Both hold that centre, so nothing lies between them: what encloses them is their union, and
    the loss is 1 - IoU.

    Args:
        predicted: Distances to start and end, not negative, shape ``(..., 2)``; any one unit.
        target: The same, of the truth.

    Returns:
        Shape ``(...)``.

    Source:
        Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019, in one dimension.
    """
    shared = torch.minimum(predicted, target).sum(dim=-1)
    union = torch.maximum(predicted, target).sum(dim=-1)
    return 1 - shared / union.clamp(min=_EPS)


def diou_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the distance-IoU loss of segments given by distances about a common centre.

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
