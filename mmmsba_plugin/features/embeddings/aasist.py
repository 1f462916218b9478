"""The layers of the encoder of AASIST, with every normalisation folded into its neighbour."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, selu


class Encoder(nn.Module):
    """Filters over the waveform, then residual convolutions over frequency and time.

    Args:
        filters: How many band-pass filters the waveform goes through.
        taps: Samples that one looks at.
        widths: Channels of each block.
        pool: How many bands and steps become one behind the filters, and steps behind each block.

    Source:
        Jung et al., ICASSP 2022, section 2.1; the filters are those of Tak et al.,
        "End-to-end anti-spoofing with RawNet2", ICASSP 2021.
    """

    def __init__(self, filters: int, taps: int, widths: tuple[int, ...], pool: int) -> None:
        super().__init__()
        self._pool = pool
        self.filters = nn.Conv1d(1, filters, taps, bias=False)
        self.gain, self.shift = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
        self.blocks = nn.ModuleList(_Block(*pair, pool) for pair in pairwise((1, *widths)))

    def forward(self, waves: Tensor) -> Tensor:
        """Return responses, shape ``(batch, channel, band, step)``.

        Args:
            waves: Shape ``(batch, 1, sample)``.
        """
        levels = max_pool2d(self.filters(waves).abs_()[:, None], self._pool)
        frame = selu(levels * self.gain + self.shift, inplace=True)
        for block in self.blocks:
            frame = block(frame)
        return frame


class _Block(nn.Module):
    def __init__(self, before: int, after: int, pool: int) -> None:
        super().__init__()
        self._pool = pool
        self.first = nn.Conv2d(before, after, (2, 3), padding=(1, 1))
        self.second = nn.Conv2d(after, after, (2, 3), padding=(0, 1))
        self.past: nn.Module = nn.Identity()
        if before != after:
            self.past = nn.Conv2d(before, after, (1, 3), padding=(0, 1))

    def forward(self, frame: Tensor) -> Tensor:
        # In place, since at this rate more time goes into getting memory than into sums.
        output: Tensor = self.second(selu(self.first(frame), inplace=True))
        return max_pool2d(output.add_(self.past(frame)), (1, self._pool))
