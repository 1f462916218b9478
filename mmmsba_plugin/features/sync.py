"""Front-end ``sync``: whether the mouth says what is heard.

Replaced words, dubbing and shifted audio leave either stream intact and their agreement broken.
Real footage is often a few frames out of sync by itself, so what counts beside the agreement is
how it differs from the rest of the clip.
"""

from pathlib import Path
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.features.align import rows_on_grid, with_deviation
from mmmsba_plugin.features.embeddings.sync import TalkingFace, load_encoder, sync_embeddings
from mmmsba_plugin.features.log_mel import log_mel
from mmmsba_plugin.features.spectrogram import ColumnByColumn, Columns
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.crop import crop_region
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

FRAME_S = 0.04
#: Largest lag that a clip is taken to have by itself, in frames, and how far around it agreement
#: is looked for: 0.4 s.
MAX_OWN_LAG, MAX_LAG = 8, 10
#: Over how many frames agreement is averaged: 0.3 s, about a syllable, and a second.
WINDOWS = (7, 25)
NUM_VALUES = 4 + 5 * len(WINDOWS)

_NUM_MELS = 64
#: Middle of the crop and half its side, in distances between the eyes' middles; its side in
#: pixels, of which the encoder sees the inner 48.
_CENTER, _HALF, _CROP_PX = (0.0, 1.2), 0.72, 56
#: Corners and both rims of the lips, chin and jaw, and the foot of the nose.
_POINTS = (*LIPS_OUTER, *LIPS_INNER, 152, 2, 200, 17, 148, 377)
_EYES_PX = 44.0
#: A frame is interpolated between faces of one track, if one is as near as the first and they
#: are no farther apart than the second, in seconds.
_NEAR_S, _APART_S = 0.05, 0.13
#: An embedding looks at so many frames on either side.
_FRAMES_AROUND = 4
#: Cosines of embeddings differ by tenths.
_GAIN = 10.0
#: Below this share of its frames a window says nothing.
_LEAST_SHARE = 0.5
#: A clip's own lag is believed if so many frames tell of it, and if agreement stands out by so
#: many standard errors.
_LEAST_FRAMES, _LEAST_Z = 15, 1.4


class SyncConfig(Config):
    """Settings of the ``sync`` front-end."""

    weights: Path | None = Field(
        default=None,
        description="Encoder that mmmsba train-sync wrote; the one that ships if not given.",
    )


class Sync:
    """Extractor of the agreement of mouth and audio.

    A row holds the agreement at the clip's own lag and its excess over that at other lags; that lag
    in seconds; the margin of no lag over the best one, over a second. Then, for each of two
    windows, agreement at the clip's own lag, the likeliest lag in seconds, the margin of the own
    lag over the best one, its likelihood as a logarithm, and how far the best one stands out. Lags
    are positive where audio comes late. Then the deviation of them all from the clip's median, in
    units of its spread.
    """

    dim = 2 * NUM_VALUES

    def __init__(self, config: SyncConfig) -> None:
        self.config = config
        self._levels = _Levels()
        self._faces: list[_Mouth] = []

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``."""
        self._grid = grid
        self._levels.start(media, Grid(grid.start_s, FRAME_S))

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in a block of audio or a face.

        Raises:
            FeatureError: The audio has not the sample rate that the encoder knows.
        """
        if isinstance(observation, AudioBlock):
            self._levels.add(observation)
        else:
            self._faces.append(_Mouth(cast("FaceCrop", observation)))

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""
        face = self.talking_face(num_snippets)
        if not (face.has_face & face.has_audio).any():
            empty = np.zeros((num_snippets, self.dim), dtype=np.float32)
            return FeatureRows(empty, np.zeros(num_snippets, dtype=bool))
        mouth, audio = sync_embeddings(face, load_encoder(self.config.weights))
        values, valid = describe(*agreement(mouth, audio, face.has_face, face.has_audio))
        centers_s = Grid(self._grid.start_s, FRAME_S).centers_s(len(face))
        rows = rows_on_grid(values[valid], centers_s[valid], self._grid, num_snippets)
        return with_deviation(rows)

    def talking_face(self, num_snippets: int) -> TalkingFace:
        """Return the mouth and the audio of the clip, resampled to 25 frames a second."""
        end_s = self._grid.start_s + num_snippets * self._grid.stride_s
        num = Grid(self._grid.start_s, FRAME_S).num_snippets(end_s)
        audio = self._levels.finish(num)
        starts_s = Grid(self._grid.start_s, FRAME_S).starts_s(num)
        crops, points, has_face = _at(starts_s, self._faces)
        levels = audio.values.reshape(-1, _NUM_MELS)
        return TalkingFace(crops, points, has_face, levels, audio.present)


class _Levels(ColumnByColumn):
    """Levels of mel bands, the columns of a frame side by side."""

    required_rate_hz = 16_000

    def row_length(self, per_cell: int) -> int:
        return per_cell * _NUM_MELS

    def describe(self, samples: NDArray[np.float32], sample_rate_hz: int) -> Columns:
        return log_mel(samples, sample_rate_hz, num_mels=_NUM_MELS)

    def stack(self, columns: Columns, num_audio: int, per_cell: int) -> NDArray[np.float32]:
        return columns.reshape(-1, per_cell * _NUM_MELS)


class _Mouth:
    """Crop and points of the mouth in one frame."""

    __slots__ = ("crop", "points", "pts_s", "track")

    def __init__(self, face: FaceCrop) -> None:
        import cv2

        self.pts_s, self.track = face.pts_s, face.track
        self.crop = cv2.cvtColor(crop_region(face, _CENTER, _HALF, _CROP_PX), cv2.COLOR_RGB2GRAY)
        self.points = face.points[list(_POINTS)] / _EYES_PX


def _at(
    times_s: NDArray[np.float64], faces: list[_Mouth]
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Interpolate crops and points at some times; and say where there is a face near."""
    if not faces:
        blank = np.zeros((len(times_s), _CROP_PX, _CROP_PX), dtype=np.uint8)
        points = np.zeros((len(times_s), len(_POINTS), 2), dtype=np.float32)
        return blank, points, np.zeros(len(times_s), dtype=bool)
    faces_s = np.array([face.pts_s for face in faces])
    tracks = np.array([face.track for face in faces])
    before = np.clip(np.searchsorted(faces_s, times_s + 1e-4, side="right") - 1, 0, None)
    after = np.minimum(before + 1, len(faces) - 1)
    apart_s = faces_s[after] - faces_s[before]
    near_s = np.minimum(np.abs(faces_s[before] - times_s), np.abs(faces_s[after] - times_s))
    has_face = (near_s < _NEAR_S) & (apart_s < _APART_S) & (tracks[before] == tracks[after])
    share = np.clip((times_s - faces_s[before]) / np.maximum(apart_s, 1e-6), 0.0, 1.0)
    share = share.astype(np.float32)[:, None, None]
    all_crops = np.stack([face.crop for face in faces])
    all_points = np.stack([face.points for face in faces])
    crops = all_crops[before] * (1 - share) + all_crops[after] * share
    points = all_points[before] * (1 - share) + all_points[after] * share
    return np.round(crops).astype(np.uint8), points.astype(np.float32), has_face


def agreement(
    mouth: NDArray[np.float32],
    audio: NDArray[np.float32],
    has_face: NDArray[np.bool_],
    has_audio: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Compute the agreement of each mouth with the audio of each lag.

    Args:
        mouth: Embeddings of mouths, shape ``(frame, value)``.
        audio: Embeddings of audio, the same shape.
        has_face: Which frames show a face, shape ``(frame,)``.
        has_audio: Which frames have audio, shape ``(frame,)``.

    Returns:
        Ten times the cosine of a mouth and the audio that comes so many frames later, up to
        ``MAX_OWN_LAG + MAX_LAG``, shape ``(frame, lag)``, zeros where not known; and where it is.
    """
    num, reach = len(mouth), MAX_OWN_LAG + MAX_LAG
    frames = np.arange(num)[:, None] + np.arange(-reach, reach + 1)
    inside = (frames >= 0) & (frames < num)
    frames = frames.clip(0, num - 1)
    # An embedding is of a mouth only if all frames that it looks at show one.
    padded = np.pad(has_face, _FRAMES_AROUND, mode="edge")
    windows = sliding_window_view(padded, 2 * _FRAMES_AROUND + 1)
    sees_all: NDArray[np.bool_] = np.logical_and.reduce(windows, axis=1)
    valid = inside & sees_all[:, None] & has_audio[frames]
    cosines = np.einsum("fv,flv->fl", mouth, audio[frames], optimize=True)
    return np.where(valid, _GAIN * cosines, np.float32(0)), valid


def own_lag(agreements: NDArray[np.float32], valid: NDArray[np.bool_]) -> int:
    """Find by how many frames a clip's audio is late as a whole; 0 where there is no telling.

    Args:
        agreements: Of each frame and lag, shape ``(frame, lag)``.
        valid: Where they are known, the same shape.
    """
    counts = valid.sum(axis=0)
    if counts.min() < _LEAST_FRAMES:
        return 0
    means = agreements.sum(axis=0) / counts
    curve = np.convolve(np.pad(means, 1, "edge"), (0.25, 0.5, 0.25), "valid")
    # Frames nearby resemble each other, so a fifth of them counts.
    spread = agreements[valid].std() / np.sqrt(counts.min() / 5)
    lag = int(curve.argmax()) - MAX_OWN_LAG - MAX_LAG
    is_sure = curve.max() - np.median(curve) >= _LEAST_Z * spread
    return lag if is_sure and abs(lag) <= MAX_OWN_LAG else 0


def describe(
    agreements: NDArray[np.float32], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Describe the agreement around each frame, shape ``(frame, NUM_VALUES)``; and where it can.

    Args:
        agreements: Of each frame and lag, shape ``(frame, lag)``.
        valid: Where they are known, the same shape.
    """
    lag = own_lag(agreements, valid)
    around = slice(MAX_OWN_LAG + lag, MAX_OWN_LAG + lag + 2 * MAX_LAG + 1)
    curves, is_valid = agreements[:, around], valid[:, around]
    now = curves[:, MAX_LAG]
    mean = curves.sum(axis=1) / np.maximum(is_valid.sum(axis=1), 1)
    own_lag_s = np.full(len(now), FRAME_S * lag, dtype=np.float32)
    columns, certain = [now, now - mean, own_lag_s], is_valid[:, MAX_LAG].copy()
    unshifted = slice(MAX_OWN_LAG, -MAX_OWN_LAG)
    nominal, _ = _window_mean(agreements[:, unshifted], valid[:, unshifted], WINDOWS[-1])
    columns.append(nominal[:, MAX_LAG] - nominal.max(axis=1))
    for window in WINDOWS:
        means, has_mean = _window_mean(curves, is_valid, window)
        certain &= has_mean[:, MAX_LAG]
        own, likeliest_s, *others = _about_middle(means, has_mean, np.float32(np.sqrt(window)))
        columns += [own, own_lag_s + likeliest_s, *others]
    return np.column_stack(columns).astype(np.float32), certain


def _about_middle(
    curve: NDArray[np.float32], valid: NDArray[np.bool_], sharpness: np.float32
) -> list[NDArray[np.float32]]:
    """Describe how agreement over lags stands about the middle one, five of shape ``(frame,)``.

    Frames nearby resemble each other, so a mean of so many counts as their square root.
    """
    logits = np.where(valid, sharpness * curve, -np.inf)
    logits[~valid.any(axis=1)] = 0.0
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    likelihood = weights / weights.sum(axis=1, keepdims=True)
    best = np.where(valid, curve, -np.inf).max(axis=1, initial=-100.0)
    mean = curve.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    middle = curve[:, MAX_LAG]
    lag_s = likelihood @ (FRAME_S * np.arange(-MAX_LAG, MAX_LAG + 1))
    log_likelihood = np.log(np.maximum(likelihood[:, MAX_LAG], 1e-4))
    return [middle, lag_s, middle - best, log_likelihood, best - mean]


def _window_mean(
    values: NDArray[np.float32], valid: NDArray[np.bool_], window: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Compute running means over frames of what is known, and where enough of it is."""
    half = window // 2
    padding = ((half, half), (0, 0))
    views = np.lib.stride_tricks.sliding_window_view
    sums = views(np.pad(values, padding), window, axis=0).sum(axis=-1)
    counts = views(np.pad(valid, padding), window, axis=0).sum(axis=-1)
    has = counts >= _LEAST_SHARE * window
    return np.where(has, sums / np.maximum(counts, 1), np.float32(0)).astype(np.float32), has
