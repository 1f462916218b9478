"""The layers of the lip-sync encoder: one stream sees the mouth, the other hears the audio.

No convolution over time is padded, so that an embedding cannot tell where a clip begins: the
two streams would recognise each other by that instead of by speech.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

#: Embeddings a second, and columns of audio to each of them.
RATE_HZ, COLUMNS = 25, 4
#: Frames, or four columns each, that an embedding sees to either side of its own.
MARGIN = 4
CROP_PX, NUM_POINTS, NUM_MELS = 48, 46, 64
NUM_VALUES = 48

_DEPTH = 5
_CHANNELS = (24, 48, 64, 96)
_UNITS, _POINT_UNITS, _AUDIO_CHANNELS = 96, 64, 16
_DROPOUT = 0.3


class Encoder(nn.Module):
    """Two streams whose embeddings agree where mouth and audio belong together.

    Source:
        Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV workshops 2016,
        for two streams; van den Oord et al., "Representation learning with contrastive predictive
        coding", 2018, for the loss whose scale is learned with them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mouth, self.audio = Mouth(), Audio()
        self.scale = nn.Parameter(torch.tensor(2.5))


class Mouth(nn.Module):
    """Convolutions over crops of the mouth and over the points of its mesh, then over time."""

    def __init__(self) -> None:
        super().__init__()
        self.crops = nn.Sequential(
            *_block(nn.Conv2d(_DEPTH, _CHANNELS[0], 5, stride=2, padding=2, bias=False)),
            *(
                layer
                for before, after in pairwise(_CHANNELS)
                for layer in _block(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            ),
        )
        places = (CROP_PX // 2 ** len(_CHANNELS)) ** 2
        self.dense = nn.Linear(_CHANNELS[-1] * places, _UNITS)
        self.points = nn.Sequential(
            *_block(nn.Conv1d(2 * NUM_POINTS, _POINT_UNITS, 3, bias=False)),
            *_block(nn.Conv1d(_POINT_UNITS, _POINT_UNITS, 3, bias=False)),
        )
        self.time = nn.Sequential(
            nn.Dropout(_DROPOUT),
            *_block(nn.Conv1d(_UNITS + _POINT_UNITS, _UNITS, 3, bias=False)),
            nn.Dropout(_DROPOUT),
            nn.Conv1d(_UNITS, NUM_VALUES, 3),
        )

    def forward(self, crops: Tensor, points: Tensor) -> Tensor:
        """Return embeddings of length one, shape ``(batch, frame - 2 * MARGIN, NUM_VALUES)``.

        Args:
            crops: Standardised grey mouths, shape ``(batch, frame, CROP_PX, CROP_PX)``.
            points: Their points, shape ``(batch, frame, 2 * NUM_POINTS)``.
        """
        stacks = crops.unfold(1, _DEPTH, 1).permute(0, 1, 4, 2, 3)
        images = stacks.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        images_out = self.dense(self.crops(images).flatten(1)).relu()
        images_out = images_out.unflatten(0, stacks.shape[:2]).transpose(1, 2)
        moved = self.points(points.transpose(1, 2))
        return _unit(self.time(torch.cat([images_out, moved], dim=1)))


class Audio(nn.Module):
    """Convolutions over mel bands, then over time, down to one embedding a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.bands = nn.Sequential(
            *_block(nn.Conv2d(1, _AUDIO_CHANNELS, 5, stride=(2, 1), padding=(2, 0), bias=False))
        )
        self.time = nn.Sequential(
            *_block(nn.Conv1d(_AUDIO_CHANNELS * NUM_MELS // 2, _UNITS, 4, stride=2, bias=False)),
            *_block(nn.Conv1d(_UNITS, _UNITS, 3, bias=False)),
            *_block(nn.Conv1d(_UNITS, _UNITS, 5, stride=2, bias=False)),
            nn.Dropout(_DROPOUT),
            *_block(nn.Conv1d(_UNITS, _UNITS, 3, bias=False)),
            nn.Dropout(_DROPOUT),
            nn.Conv1d(_UNITS, NUM_VALUES, 3),
        )

    def forward(self, levels: Tensor) -> Tensor:
        """Return embeddings of length one, shape ``(batch, frame - 2 * MARGIN, NUM_VALUES)``.

        Args:
            levels: Levels of mel bands, shape ``(batch, COLUMNS * frame, NUM_MELS)``.
        """
        return _unit(self.time(self.bands(levels.transpose(1, 2)[:, None]).flatten(1, 2)))


def _block(convolution: nn.Conv1d | nn.Conv2d) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return a convolution with its normalisation and activation."""
    width = convolution.out_channels
    norm = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
    return convolution, norm(width), nn.ReLU(inplace=True)


def _unit(values: Tensor) -> Tensor:
    return normalize(values.transpose(1, 2), dim=2)
