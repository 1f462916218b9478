"""Segments of real speech that the lip-sync encoder learns from, varied at random.

An hour of footage is soon known by heart. So no segment comes twice in the same form: its tempo,
the place and light of its mouth, and the sound of its voice and room vary. What goes on in mouth
and audio at the same moment stays together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.embeddings.sync import TalkingFace, standardise
from mmmsba_plugin.features.embeddings.two_streams import COLUMNS, CROP_PX

#: What a segment needs of seen and of audible frames to be learned from.
_LEAST_SEEN, _LEAST_AUDIBLE = 0.8, 0.4
#: A frame is audible if its level is less than this below that of loud ones, in dB.
_AUDIBLE_DB = 35.0
#: Largest change of tempo, as a logarithm, and how often there is one.
_TEMPO, _TEMPO_SHARE = 0.15, 0.8
#: Shares of mouths that are blurred, and of audio that is given a noise.
_BLURRED_SHARE, _NOISY_SHARE = 0.3, 0.5


class SyncBatch(NamedTuple):
    """Segments of as many clips.

    Attributes:
        crops: Standardised mouths, shape ``(segment, frame, CROP_PX, CROP_PX)``.
        points: Their points, shape ``(segment, frame, 2 * NUM_POINTS)``.
        levels: Levels of mel bands, shape ``(segment, COLUMNS * frame, NUM_MELS)``.
        has_face: Which frames show a face, shape ``(segment, frame)``.
        has_audio: Which frames have audio, the same shape.
    """

    crops: Tensor
    points: Tensor
    levels: Tensor
    has_face: Tensor
    has_audio: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class SyncClip:
    """A real clip and its talking face.

    Attributes:
        name: What its dataset calls it.
        identity: Whose face it is.
        face: The mouth and the audio.
    """

    name: str
    identity: str
    face: TalkingFace


def shifted(face: TalkingFace, lag: int) -> TalkingFace:
    """Return a clip whose audio comes ``lag`` frames earlier, without what is left over."""
    num = len(face) - abs(lag)
    mouth, audio = max(0, -lag), max(0, lag)
    return TalkingFace(
        crops=face.crops[mouth : mouth + num],
        points=face.points[mouth : mouth + num],
        has_face=face.has_face[mouth : mouth + num],
        levels=face.levels[COLUMNS * audio : COLUMNS * (audio + num)],
        has_audio=face.has_audio[audio : audio + num],
    )


class SegmentSampler:
    """Draws segments at random, people alike and clips by their length.

    Args:
        clips: The clips; those without a segment that shows and tells enough are passed over.
        num_frames: Length of a segment; a shorter clip is one segment.
        rng: Source of randomness.

    Attributes:
        weights: How likely each clip is drawn, shape ``(clip,)``.

    Raises:
        TrainingError: No clip has such a segment.
    """

    def __init__(
        self, clips: Sequence[SyncClip], num_frames: int, rng: np.random.Generator
    ) -> None:
        self._num_frames, self._rng = num_frames, rng
        candidates = [(clip, segment_starts(clip.face, num_frames)) for clip in clips]
        self.clips = [(clip, starts) for clip, starts in candidates if starts.size]
        if not self.clips:
            raise TrainingError(
                f"none of {len(clips)} real clips shows a face that is heard speaking; give "
                "clips of talking faces with sound"
            )
        lengths = np.array([len(clip.face) for clip, _ in self.clips], dtype=np.float64)
        _, owner = np.unique([clip.identity for clip, _ in self.clips], return_inverse=True)
        # Of somebody's footage, twice as much counts as 1.4 times as much.
        weights = lengths / np.sqrt(np.bincount(owner, lengths))[owner]
        self.weights = weights / weights.sum()

    def batch(self, size: int) -> SyncBatch:
        """Draw so many segments."""
        chosen = self._rng.choice(len(self.clips), size=size, p=self.weights)
        segments = [self._segment(*self.clips[index]) for index in chosen]
        parts = [torch.stack(tensors) for tensors in zip(*segments, strict=True)]
        crops, points, levels, has_face, has_audio = parts
        generator = torch.Generator().manual_seed(int(self._rng.integers(2**31)))
        crops, points = _vary_mouths(crops, points, generator)
        return SyncBatch(crops, points, _vary_audio(levels, generator), has_face, has_audio)

    def _segment(self, clip: SyncClip, starts: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """Cut one segment at a tempo of its own; a short clip is filled up with its last frame."""
        rng, face, num = self._rng, clip.face, len(clip.face)
        tempo = np.exp(rng.uniform(-_TEMPO, _TEMPO)) if rng.random() < _TEMPO_SHARE else 1.0
        places = rng.choice(starts) + tempo * np.arange(self._num_frames)
        inside = places <= num - 1
        columns = COLUMNS * places[:, None] + tempo * np.arange(COLUMNS)
        nearest = np.clip(np.floor(places).astype(np.int64), 0, num - 1)
        beside = np.minimum(nearest + 1, num - 1)
        segment = TalkingFace(
            crops=np.round(_at(face.crops, places)).astype(np.uint8),
            points=_at(face.points, places),
            has_face=face.has_face[nearest] & face.has_face[beside] & inside,
            levels=_at(face.levels, columns.ravel()),
            has_audio=face.has_audio[nearest] & inside,
        )
        about_clip = segment.levels - face.levels[np.repeat(face.has_audio, COLUMNS)].mean(axis=0)
        crops, points, _ = standardise(segment)
        return (
            crops,
            points,
            torch.from_numpy(about_clip / 10.0),
            torch.from_numpy(segment.has_face),
            torch.from_numpy(segment.has_audio),
        )


def segment_starts(face: TalkingFace, num_frames: int) -> NDArray[np.int64]:
    """Find the frames from which on so many show a face and are audible enough to learn from."""
    length = min(num_frames, len(face))
    if length < num_frames // 3:
        return np.zeros(0, dtype=np.int64)
    level_db = face.levels.mean(axis=1).reshape(-1, COLUMNS).mean(axis=1)
    audible = face.has_audio & (level_db > np.percentile(level_db, 95) - _AUDIBLE_DB)
    window = np.ones(length) / length
    seen_share = np.convolve(face.has_face, window, "valid")
    audible_share = np.convolve(audible, window, "valid")
    return np.flatnonzero((seen_share >= _LEAST_SEEN) & (audible_share >= _LEAST_AUDIBLE))


def _at(
    values: NDArray[np.floating] | NDArray[np.uint8], places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolate rows at fractional places; beyond the last one that lasts on."""
    places = np.clip(places, 0, len(values) - 1)
    before = places.astype(np.int64)
    after = np.minimum(before + 1, len(values) - 1)
    share = (places - before).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    mixed: NDArray[np.float32] = values[before] * (1 - share) + values[after] * share
    return mixed.astype(np.float32)


def _vary_mouths(
    crops: Tensor, points: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Turn, scale, shift and mirror mouths and points, the same way for all of a segment."""
    num = len(crops)
    draw = _Draw(generator)
    turn, grow, mirror = 0.06 * draw.normal(num), 0.06 * draw.normal(num), draw.sign(num)
    cos, sin = turn.cos(), turn.sin()
    to_source = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=-1).view(num, 2, 2)
    scale = grow.exp() * CROP_PX / crops.shape[-1]
    affine = torch.cat([to_source * scale[:, None, None], 0.05 * draw.normal(num, 2, 1)], dim=2)
    grid = affine_grid(affine, [num, 1, CROP_PX, CROP_PX], align_corners=False)
    crops = grid_sample(crops, grid, padding_mode="border", align_corners=False)
    crops = crops * (0.2 * draw.normal(num, 1, 1, 1)).exp() + 0.2 * draw.normal(num, 1, 1, 1)
    blurred = interpolate(avg_pool2d(crops, 2), size=(CROP_PX, CROP_PX), mode="bilinear")
    crops = torch.where((draw.uniform(num) < _BLURRED_SHARE)[:, None, None, None], blurred, crops)
    crops = crops + 0.15 * draw.uniform(num, 1, 1, 1) * draw.normal(*crops.shape)
    turned = (
        points.view(*points.shape[:2], -1, 2) @ (to_source / grow.exp()[:, None, None])[:, None]
    )
    return crops, turned.flatten(2) + 0.01 * draw.normal(*points.shape)


def _vary_audio(levels: Tensor, generator: torch.Generator) -> Tensor:
    """Warp the bands as another vocal tract does; tilt them; add noise; hide moments and bands."""
    num, columns, bands = levels.shape
    draw = _Draw(generator)
    places = torch.arange(bands) * (0.06 * draw.normal(num, 1)).exp()
    low = places.floor().clamp(0, bands - 2)
    share = (places - low).clamp(0, 1)[:, None]
    index = low.long()[:, None].expand(-1, columns, -1)
    levels = levels.gather(2, index) * (1 - share) + levels.gather(2, index + 1) * share
    tilt = torch.linspace(-1, 1, bands) * 0.4 * draw.normal(num, 1, 1)
    levels = levels + 0.3 * draw.normal(num, 1, 1) + tilt
    floor = -2.5 * draw.uniform(num, 1, 1) + 0.3 * draw.normal(num, 1, bands)
    noise = floor + 0.25 * draw.normal(*levels.shape)
    # Levels are in units of 10 dB, so powers add by their logarithms to the base of ten.
    both = torch.logaddexp(levels * np.log(10), noise * np.log(10)) / np.log(10)
    levels = torch.where((draw.uniform(num) < _NOISY_SHARE)[:, None, None], both, levels)
    for axis, length, longest in ((1, columns, 16), (1, columns, 16), (2, bands, 8)):
        start, size = draw.uniform(num, 1) * length, draw.uniform(num, 1) * longest
        place = torch.arange(length)
        hidden = (place >= start) & (place < start + size)
        shape = (num, -1, 1) if axis == 1 else (num, 1, -1)
        levels = levels.masked_fill(hidden.view(shape), 0.0)
    return levels


class _Draw:
    """Random numbers of one generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._generator)

    def sign(self, *shape: int) -> Tensor:
        return 1.0 - 2.0 * self.uniform(*shape).round()
