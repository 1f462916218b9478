"""The first layers of EfficientNet-Lite0, with every normalisation folded into its neighbour."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

#: Of each stage: blocks, side of the depthwise kernel, stride of the first block, factor by
#: which a block widens its input, and channels of its output.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112))
_STEM = 32


class Encoder(nn.Module):
    """Stem and five stages of inverted residual blocks; each is an output of its own.

    Source:
        Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks",
        ICML 2019, table 1, in the Lite variant: no squeeze-and-excitation, ReLU6.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, _STEM, 3, stride=2)
        stages, channels = [], _STEM
        for blocks, kernel, stride, widen, width in STAGES:
            first = _Block(channels, width, kernel, stride, widen)
            rest = (_Block(width, width, kernel, 1, widen) for _ in range(blocks - 1))
            stages.append(nn.Sequential(first, *rest))
            channels = width
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the responses of the stem and of each stage, ``(batch, channel, y, x)`` each.

        Args:
            images: Standardised RGB, shape ``(batch, 3, height, width)``.
        """
        outputs = [relu6(self.stem(images))]
        for stage in self.stages:
            outputs.append(stage(outputs[-1]))
        return outputs


def relu6(values: Tensor) -> Tensor:
    """Clip responses to [0, 6], in place."""
    return values.clamp_(0.0, 6.0)


class _Block(nn.Module):
    def __init__(self, before: int, after: int, kernel: int, stride: int, widen: int) -> None:
        super().__init__()
        inner = before * widen
        self.expand = _Conv(before, inner, 1) if widen > 1 else None
        self.depthwise = _Conv(inner, inner, kernel, stride=stride, groups=inner)
        self.project = nn.Conv2d(inner, after, 1)
        self._residual = stride == 1 and before == after

    def forward(self, images: Tensor) -> Tensor:
        inner = images if self.expand is None else relu6(self.expand(images))
        output: Tensor = self.project(relu6(self.depthwise(inner)))
        return output.add_(images) if self._residual else output


class _Conv(nn.Conv2d):
    """Convolution that pads as TensorFlow's "SAME" does: less in front than behind."""

    def __init__(
        self, before: int, after: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(before, after, kernel, stride, groups=groups)

    def forward(self, images: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        missing = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in images.shape[2:]]
        # Where one more place is missing behind than in front, a zero in front of the kernel makes
        # it as many on both sides, which takes no padded copy of the images.
        odd = [n % 2 for n in missing]
        weight = pad(self.weight, (odd[1], 0, odd[0], 0))
        padding = [n // 2 + extra for n, extra in zip(missing, odd, strict=True)]
        return conv2d(images, weight, self.bias, stride, padding, groups=self.groups)


def pooled(images: Tensor) -> Tensor:
    """Compute the mean and the standard deviation over the places of each channel.

    Args:
        images: Shape ``(batch, channel, y, x)``.

    Returns:
        Shape ``(batch, 2 * channel)``.
    """
    # In the order in which channels lie in memory, this takes a third of the time of `std_mean`.
    places = images.permute(0, 2, 3, 1).flatten(1, 2)
    mean = places.mean(dim=1)
    std = (places - mean[:, None]).square_().mean(dim=1).sqrt()
    return torch.cat([mean, std], dim=1)
