"""Lip-sync embeddings by an encoder that ships with the package: what a mouth sounds like.

Two streams learned, from real speech alone, to agree where mouth and audio belong together and
to differ where they do not. Who made it and of what stands in ``NOTICE.sync`` beside this file.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.features.embeddings.bundled import read_weights, restore
from mmmsba_plugin.run_control import check

if TYPE_CHECKING:
    from torch import Tensor

    from mmmsba_plugin.features.embeddings.two_streams import Encoder

FILE = "sync.safetensors"
SHA256 = "e3040c0d3fcf93a94137f00375881417239980b421cd011b5e259f863d21aa95"

#: Points move by tenths of the eyes' distance, levels by tens of dB.
_POINT_GAIN, _DB_A_UNIT = 5.0, 10.0
#: Added to the spread of the crops' grey levels, which in a flat picture is none.
_LEAST_SPREAD = 4.0
#: Embeddings at a time, so that memory stays flat.
BATCH_FRAMES = 250


@dataclass(frozen=True, slots=True, eq=False)
class TalkingFace:
    """The mouth and the audio of one clip, 25 frames a second from a common start.

    Attributes:
        crops: Grey mouths, shape ``(frame, side, side)``, uint8.
        points: Points of mouth and jaw in distances between the eyes' middles, shape
            ``(frame, two_streams.NUM_POINTS, 2)``.
        has_face: Whether a frame shows a face, and the same as the frame before, shape
            ``(frame,)``.
        levels: Levels of mel bands in dB, four columns a frame, shape
            ``(4 * frame, two_streams.NUM_MELS)``.
        has_audio: Whether a frame has audio, shape ``(frame,)``.
    """

    crops: NDArray[np.uint8]
    points: NDArray[np.float32]
    has_face: NDArray[np.bool_]
    levels: NDArray[np.float32]
    has_audio: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.has_face)


def sync_embeddings(
    face: TalkingFace, encoder: "Encoder"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the embedding of each frame's mouth, and that of its audio.

    Args:
        face: A clip in which a face is seen and audio heard in at least one frame. Beyond either
            end the outermost frame lasts on.
        encoder: The encoder, of which nothing is learned here.

    Returns:
        Vectors of length one, each of shape ``(frame, two_streams.NUM_VALUES)``; the product of
        one of either is high where mouth and audio belong together.
    """
    import torch

    from mmmsba_plugin.features.embeddings.two_streams import COLUMNS, CROP_PX, MARGIN

    crops, points, levels = standardise(face)
    edge = (crops.shape[1] - CROP_PX) // 2
    crops = crops[:, edge : edge + CROP_PX, edge : edge + CROP_PX]
    num = len(face)
    frames = np.clip(np.arange(-MARGIN, num + MARGIN), 0, num - 1)
    columns = (frames[:, None] * COLUMNS + np.arange(COLUMNS)).ravel()
    pairs = []
    with torch.inference_mode():
        for start in range(0, num, BATCH_FRAMES):
            check()
            span = slice(start, start + BATCH_FRAMES + 2 * MARGIN)
            span_columns = columns[COLUMNS * span.start : COLUMNS * span.stop]
            mouth = encoder.mouth(crops[frames[span]][None], points[frames[span]][None])
            pairs.append((mouth[0].numpy(), encoder.audio(levels[span_columns][None])[0].numpy()))
    mouths, audios = zip(*pairs, strict=True)
    return np.concatenate(mouths), np.concatenate(audios)


def standardise(face: TalkingFace) -> "tuple[Tensor, Tensor, Tensor]":
    """Return crops, points and levels about the clip's own means, as the encoder takes them.

    Args:
        face: A clip in which a face is seen and audio heard in at least one frame.

    Returns:
        Crops as wide as those of ``face``; points, shape ``(frame, 2 * NUM_POINTS)``; and levels
        in units of 10 dB.
    """
    import torch

    crops = face.crops.astype(np.float32)
    spread = crops[face.has_face].std() + _LEAST_SPREAD
    points = _POINT_GAIN * (face.points - face.points[face.has_face].mean(axis=0))
    columns = np.repeat(face.has_audio, len(face.levels) // len(face))
    levels = (face.levels - face.levels[columns].mean(axis=0)) / _DB_A_UNIT
    return (
        torch.from_numpy((crops - crops[face.has_face].mean()) / spread),
        torch.from_numpy(points.reshape(len(face), -1)),
        torch.from_numpy(levels),
    )


@cache
def load_encoder(weights: Path | None = None) -> "Encoder":
    """Load the encoder: that which ships, or one that ``mmmsba train-sync`` wrote.

    Raises:
        ModelFileError: The file is missing, not the one that was shipped, or holds no such encoder.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from mmmsba_plugin.features.embeddings.two_streams import Encoder

    if weights is None:
        return restore(Encoder(), read_weights(FILE, sha256=SHA256))
    try:
        state = {name: value.float() for name, value in load_file(weights).items()}
        return restore(Encoder(), state)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelFileError(
            f"{weights} holds no lip-sync encoder; make one with: mmmsba train-sync"
        ) from error
