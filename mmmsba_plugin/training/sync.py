"""Trains the lip-sync encoder on real speech: no fake is needed, and none is used.

Each moment of a mouth is to be told from the audio of other moments of the same clip, up to 0.6 s
off, and from that of other people. Much real footage is some frames out of sync by itself. So
encoders are first trained on half the people to find the lags of the other half's clips; the
encoder that is kept learns from clips that were shifted by their lags.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.functional import log_softmax, pad

from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.splits import ranked
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.features.embeddings.sync import TalkingFace, sync_embeddings
from mmmsba_plugin.features.embeddings.two_streams import MARGIN, Encoder
from mmmsba_plugin.features.sync import FRAME_S, MAX_OWN_LAG, Sync, SyncConfig, agreement, own_lag
from mmmsba_plugin.files import atomic_path
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.record import Record
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.training.sync_batches import SegmentSampler, SyncBatch, SyncClip, shifted

#: Frames that lags are learned over, to either side: 0.6 s.
_MAX_LAG = 15
#: Over so many frames agreement is averaged before it is judged: a syllable, and a second.
_WINDOWS = (5, 25)
#: Below this share of its frames a window says nothing.
_LEAST_SHARE = 0.7
#: What the true lag and its neighbours are worth: frames beside each other hardly differ.
_TARGET = {-1: 0.15, 0: 0.7, 1: 0.15}
_IDENTITY_WEIGHT = 1.0
#: Segments of this length, in seconds, are asked for their lag where people were held out, if
#: such a share of their frames is valid at all lags.
_ASKED_S, _LEAST_VALID = (1.0, 2.0), 0.9
#: What counts as found, in frames off.
_NEAR, _ROUGHLY = 1, 3


class SyncTrainConfig(Config):
    """Settings of training the lip-sync encoder."""

    steps: int = Field(default=1000, ge=1, description="Steps of the encoder that is kept.")
    align_steps: int = Field(
        default=400, ge=0, description="Steps of each encoder that looks for lags; 0 for none."
    )
    align_rounds: int = Field(
        default=2, ge=0, description="How often lags are looked for, each time from better clips."
    )
    batch_size: int = Field(default=16, ge=2, description="Segments a step.")
    num_frames: int = Field(default=58, ge=36, description="Frames of a segment, 25 a second.")
    learning_rate: float = Field(default=2e-3, gt=0, description="Largest learning rate.")
    weight_decay: float = Field(default=0.02, ge=0, description="Decoupled weight decay.")
    held_out: float = Field(
        default=0.2, ge=0, lt=1, description="Share of people that accuracy is measured on."
    )
    seed: int = Field(default=0, ge=0, description="Random seed of training.")


@dataclass(frozen=True, slots=True)
class LagAccuracy:
    """How well lags are found on people who were held out.

    Attributes:
        within_1: Share found within one frame of the lag of the whole clip.
        within_3: The same within three frames.
        number: Segments that were asked.
    """

    within_1: float
    within_3: float
    number: int


@dataclass(frozen=True, slots=True)
class SyncFitted:
    """Result of training the lip-sync encoder.

    Attributes:
        weights: The file that was written.
        num_clips: Clips that it learned from.
        duration_s: How long they last together, in seconds.
        lags: The lag of each clip that was shifted, by name, in frames.
        accuracy: By the length of the segments asked, in seconds; empty if nobody was held out.
    """

    weights: Path
    num_clips: int
    duration_s: float
    lags: dict[str, int]
    accuracy: dict[float, LagAccuracy]


def train_sync(
    records: Iterable[Record],
    out: Path,
    config: SyncTrainConfig | None = None,
    *,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncFitted:
    """Train the lip-sync encoder on the real clips of a dataset that have faces and audio.

    Args:
        records: The clips; fakes, and those of a split other than ``train``, are passed over.
        out: The file of its weights.
        config: How it is trained.
        on_step: Called with a line on what is going on.

    Raises:
        TrainingError: Too few clips show and tell anything.
        OutputError: The file cannot be written.
    """
    config = config or SyncTrainConfig()
    clips = read_clips(records, on_step)
    identities = ranked((clip.identity for clip in clips), seed=config.seed)
    num_held = round(config.held_out * len(identities))
    held_out = set(identities[:num_held])
    lags = find_lags(clips, config, on_step) if config.align_steps else {}
    aligned = _aligned(clips, lags)
    training_clips = [clip for clip in aligned if clip.identity not in held_out]
    encoder = train_encoder(training_clips, config, config.steps, on_step)
    _write(encoder, out)
    return SyncFitted(
        weights=out,
        num_clips=len(training_clips),
        duration_s=FRAME_S * sum(len(clip.face) for clip in training_clips),
        lags={name: lag for name, lag in lags.items() if lag},
        accuracy=measure(encoder, [clip for clip in aligned if clip.identity in held_out]),
    )


def read_clips(
    records: Iterable[Record], on_step: Callable[[str], None] = lambda _: None
) -> list[SyncClip]:
    """Read the talking faces of real clips; those that cannot be read are passed over, and said.

    So are clips whose metadata say that somebody out of shot speaks (``speaker_visible``).
    """
    clips = []
    for record in records:
        if record.fake or (record.split or "train") != "train":
            continue
        if record.extra.get("speaker_visible") is False:
            on_step(f"skipped {record.name}: its voice is not that of the face")
            continue
        try:
            face = read_talking_face(record.media)
        except MmmsbaError as error:
            on_step(f"skipped {record.name}: {error}")
            continue
        if face is not None and (face.has_face & face.has_audio).any():
            clips.append(SyncClip(record.name, record.identity_key, face))
    return clips


def read_talking_face(path: Path) -> TalkingFace | None:
    """Read the mouth and the audio of a clip; None if it has no video or no audio.

    Raises:
        MediaNotFoundError: There is no such file.
        MediaUnreadableError: It cannot be decoded.
    """
    media = probe(path, with_hash=False)
    if media.audio is None or media.video is None:
        return None
    grid = Grid(stride_s=FRAME_S)
    extractor = Sync(SyncConfig())
    extractor.start(media, grid)
    for block in AudioReader(media):
        extractor.add(block)
    for observation in follow_main_face(FrameReader(media)):
        if observation.face is not None:
            extractor.add(observation.face)
    return extractor.talking_face(grid.num_snippets(media.duration_s or 0.0))


def train_encoder(
    clips: Sequence[SyncClip],
    config: SyncTrainConfig,
    steps: int,
    on_step: Callable[[str], None] = lambda _: None,
) -> Encoder:
    """Train an encoder on clips in which mouth and audio belong together.

    Raises:
        TrainingError: No clip shows and tells enough.
    """
    torch.manual_seed(config.seed)
    sampler = SegmentSampler(clips, config.num_frames, np.random.default_rng(config.seed))
    encoder = Encoder().train()
    optimizer = torch.optim.AdamW(
        encoder.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=max(2, steps), pct_start=0.1
    )
    for step in range(1, steps + 1):
        loss = contrastive_loss(encoder, sampler.batch(config.batch_size))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        encoder.scale.data.clamp_(max=4.0)
        if not step % 100 or step == steps:
            on_step(f"step {step} of {steps}: loss {loss.item():.2f}")
    return encoder.eval()


def contrastive_loss(encoder: Encoder, batch: SyncBatch) -> Tensor:
    """Compute how badly lags, and other people, are told apart (InfoNCE), a scalar.

    Source:
        van den Oord et al., "Representation learning with contrastive predictive coding", 2018.
    """
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mouth, audio = encoder.mouth(batch.crops, batch.points), encoder.audio(batch.levels)
    mouth, audio = mouth.float(), audio.float()
    has_face, has_audio = _whole(batch.has_face), _whole(batch.has_audio)
    scale = encoder.scale.exp()
    loss = _lag_loss(mouth, audio, has_face, has_audio, scale) + _lag_loss(
        audio, mouth, has_audio, has_face, scale
    )
    return loss + _IDENTITY_WEIGHT * _identity_loss(mouth, audio, has_face & has_audio, scale)


def _whole(valid: Tensor) -> Tensor:
    """Return which embeddings look at valid frames alone."""
    return valid.unfold(1, 2 * MARGIN + 1, 1).all(dim=-1)


def _lag_loss(
    query: Tensor, key: Tensor, query_valid: Tensor, key_valid: Tensor, scale: Tensor
) -> Tensor:
    """Compute the loss of telling the keys of the same clip at other lags from that of none."""
    num, num_lags = query.shape[1], 2 * _MAX_LAG + 1
    places = torch.arange(num)[:, None] + torch.arange(num_lags)
    products = query @ pad(key, (0, 0, _MAX_LAG, _MAX_LAG)).transpose(1, 2)
    valid = pad(key_valid, (_MAX_LAG, _MAX_LAG))[:, places] & query_valid[:, :, None]
    lagged = products.gather(2, places.expand(len(query), -1, -1)) * valid
    target = torch.zeros(num_lags)
    for lag, share in _TARGET.items():
        target[_MAX_LAG + lag] = share
    loss = query.new_zeros(())
    for window in _WINDOWS:
        counts = valid.float().unfold(1, window, 1).sum(dim=-1)
        means = lagged.unfold(1, window, 1).sum(dim=-1) / counts.clamp(min=1)
        enough = counts >= _LEAST_SHARE * window
        rows = enough[:, :, _MAX_LAG] & (enough.sum(dim=-1) > _MAX_LAG)
        logits = (scale * window**0.5 * means).masked_fill(~enough, -1e4)[rows]
        log_likelihood = log_softmax(logits, dim=-1).clamp(min=-50) @ target
        loss = loss - log_likelihood.sum() / max(1, len(logits))
    return loss


def _identity_loss(mouth: Tensor, audio: Tensor, valid: Tensor, scale: Tensor) -> Tensor:
    """Compute the loss of telling the audio of other segments from one's own, over a second."""
    window = _WINDOWS[-1]
    counts = valid.float().unfold(1, window, window // 2).sum(dim=-1)
    weights = valid.float()[:, None] * valid.float()
    products = torch.einsum("bnv,cnv->bcn", mouth, audio) * weights
    pairs = weights.unfold(2, window, window // 2).sum(dim=-1)
    means = products.unfold(2, window, window // 2).sum(dim=-1) / pairs.clamp(min=1)
    enough = pairs >= _LEAST_SHARE * window
    logits = (scale * window**0.5 * means).masked_fill(~enough, -1e4)
    own = torch.arange(len(mouth))
    rows = counts >= _LEAST_SHARE * window
    return -log_softmax(logits, dim=1)[own, own][rows].clamp(min=-50).sum() / rows.sum().clamp(
        min=1
    )


def find_lags(
    clips: Sequence[SyncClip], config: SyncTrainConfig, on_step: Callable[[str], None]
) -> dict[str, int]:
    """Find the lag of each clip by encoders that never saw its people, in rounds.

    Args:
        clips: Clips as they are.
        config: How often, and how long the encoders are trained.
        on_step: Called with a line on what is going on.

    Returns:
        By name, by how many frames the audio is late.
    """
    identities = ranked((clip.identity for clip in clips), seed=config.seed + 1)
    halves = (set(identities[::2]), set(identities[1::2]))
    lags: dict[str, int] = {}
    for number in range(1, config.align_rounds + 1):
        round_lags: dict[str, int] = {}
        aligned = _aligned(clips, lags)
        for half in halves:
            on_step(f"looking for lags, round {number}")
            others = [clip for clip in aligned if clip.identity not in half]
            encoder = train_encoder(others, config, config.align_steps, on_step)
            queries = [clip for clip in clips if clip.identity in half]
            round_lags |= {
                clip.name: own_lag(*measure_agreements(encoder, clip.face)) for clip in queries
            }
        lags = round_lags
    return lags


def measure(encoder: Encoder, clips: Sequence[SyncClip]) -> dict[float, LagAccuracy]:
    """Measure how far the lags of short segments are from none, by the segments' length.

    Args:
        encoder: The encoder, which has not learned from these people.
        clips: Clips that were shifted by their own lags.
    """
    misses: dict[float, list[int]] = {length_s: [] for length_s in _ASKED_S}
    for clip in clips:
        near = slice(MAX_OWN_LAG, -MAX_OWN_LAG)
        agreements, valid = (table[:, near] for table in measure_agreements(encoder, clip.face))
        whole: NDArray[np.bool_] = np.logical_and.reduce(valid, axis=1)
        for length_s, clip_misses in misses.items():
            num = round(length_s / FRAME_S)
            for start in range(0, len(whole) - num + 1, num // 2):
                span = slice(start, start + num)
                if whole[span].mean() >= _LEAST_VALID:
                    curve = agreements[span][whole[span]].mean(axis=0)
                    clip_misses.append(abs(int(curve.argmax()) - len(curve) // 2))
    return {
        length_s: LagAccuracy(
            within_1=float(np.mean(np.array(frames) <= _NEAR)),
            within_3=float(np.mean(np.array(frames) <= _ROUGHLY)),
            number=len(frames),
        )
        for length_s, frames in misses.items()
        if frames
    }


def measure_agreements(
    encoder: Encoder, face: TalkingFace
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Measure how far mouth and audio agree; see :mod:`mmmsba_plugin.features.sync`."""
    return agreement(*sync_embeddings(face, encoder), face.has_face, face.has_audio)


def _aligned(clips: Sequence[SyncClip], lags: dict[str, int]) -> list[SyncClip]:
    return [replace(clip, face=shifted(clip.face, lags.get(clip.name, 0))) for clip in clips]


def _write(encoder: Encoder, out: Path) -> None:
    from safetensors.torch import save_file

    state = {name: value.half().contiguous() for name, value in encoder.state_dict().items()}
    with atomic_path(out) as partial:
        save_file(state, partial)
