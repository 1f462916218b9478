"""Turns records into batches: features from the cache, targets from the ground truth."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, Sampler

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.extract import extract, media_of
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.model.heads import head_class
from mmmsba_plugin.model.tree import tree_map
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment, is_whole_clip
from mmmsba_plugin.structures import ClipFeatures

#: Whose truth a clip can be taught by: of everything, of its audio, of its frame.
VIEWS = ("all", "audio", "visual")


@dataclass(frozen=True, slots=True)
class Source:
    """Source of clips' features: front-ends, settings and cache.

    Attributes:
        front_ends: What serves each modality.
        config: The grid, and how clips are read.
        cache: Where features are kept.
    """

    front_ends: Mapping[str, BoundFrontEnd]
    config: FeaturesConfig
    cache: FeatureCache

    def features(self, media: Media) -> ClipFeatures:
        """Return the rows of a clip, computed at most once."""
        return extract(media, self.front_ends, self.config, cache=self.cache)


@dataclass(frozen=True, slots=True)
class Clip:
    """A record whose features could be had, and are in the cache.

    Attributes:
        record: The record; its truth ends where the clip does.
        media: What is known about its file.
        bounded: Whether the truth says where a forgery starts and ends; where only the whole
            clip is called fake, there is no boundary to learn.
    """

    record: Record
    media: Media
    bounded: bool = True

    @property
    def fake_throughout(self) -> bool:
        """Return whether the clip is fake from end to end."""
        duration_s = self.media.duration_s or 0.0
        return not self.bounded or any(is_whole_clip(s, duration_s) for s in self.record.truth)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that could not be used, and why."""

    record: Record
    reason: str


class Batch(NamedTuple):
    """Clips padded to the length of the longest.

    Attributes:
        inputs: For each modality, shape ``(batch, snippet, feature)``.
        present: For each modality, where it is there, shape ``(batch, snippet)``.
        mask: Which snippets are not padding, shape ``(batch, snippet)``.
        targets: For each view and head, what :meth:`mmmsba_plugin.model.heads.BaseHead.targets`
            makes, each of shape ``(batch, snippet, …)``.
    """

    inputs: dict[str, Tensor]
    present: dict[str, Tensor]
    mask: Tensor
    targets: dict[str, dict[str, dict[str, Tensor]]]


#: A clip as a dataset yields it: its rows, and its targets by view and head.
Item = tuple[ClipFeatures, dict[str, dict[str, dict[str, NDArray[Any]]]]]


class ClipDataset(Dataset[Item]):
    """Clips with their targets; rows come from the cache, so memory stays flat.

    Args:
        clips: The clips.
        source: Source of their features.
        heads: Names of the heads that targets are made for.
        min_overlap: Share of a snippet that must be fake for it to be labelled so.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        source: Source,
        heads: Sequence[str],
        *,
        min_overlap: float = 0.0,
    ) -> None:
        self.clips = clips
        self._source = source
        self._min_overlap = min_overlap
        self._heads = {name: head_class(name) for name in heads}

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Item:
        clip = self.clips[index]
        features = self._source.features(clip.media)
        grid, num_snippets = features.grid, features.num_snippets
        return features, {
            view: {
                name: head.targets(
                    truth,
                    grid,
                    num_snippets,
                    is_bounded=clip.bounded,
                    min_overlap=self._min_overlap,
                )
                for name, head in self._heads.items()
            }
            for view, truth in ground_truth(clip.record).items()
        }


class EpochShuffle(Sampler[int]):
    """An order of clips that the seed and the epoch decide, and nothing that was drawn before.

    So a run that goes on after an interruption sees the order that it would have seen.

    Args:
        num_clips: How many there are.
        seed: Of the run.
    """

    def __init__(self, num_clips: int, *, seed: int) -> None:
        self._num_clips, self._seed, self._epoch = num_clips, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; Lightning calls this before each."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._num_clips

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        yield from rng.permutation(self._num_clips).tolist()


def ground_truth(record: Record) -> dict[str, tuple[Segment, ...]]:
    """Return the truth of each view; the whole truth where a dataset tells none apart."""
    is_by_modality = record.audio_truth is not None and record.visual_truth is not None
    return {
        "all": record.truth,
        "audio": (record.audio_truth or ()) if is_by_modality else record.truth,
        "visual": (record.visual_truth or ()) if is_by_modality else record.truth,
    }


def load_clips(
    records: Iterable[Record],
    source: Source,
    *,
    workers: int = 1,
    on_clip: Callable[[Clip | Skipped], None] = lambda _: None,
) -> tuple[list[Clip], list[Skipped]]:
    """Compute the features of records, or find them in the cache.

    Args:
        records: What to load.
        source: How features are had.
        workers: Clips at a time; the libraries that do the work let threads run at once.
        on_clip: Called after each, in order.

    Returns:
        The clips that can be used, and those that cannot with the reason.
    """
    clips: list[Clip] = []
    skipped: list[Skipped] = []

    def load(record: Record) -> Clip | Skipped:
        try:
            media = media_of(record.media, source.front_ends, duration_s=record.duration_s)
            features = source.features(media)
        except MmmsbaError as error:
            return Skipped(record, str(error))
        if not any(rows.present.any() for rows in features.rows.values()):
            return Skipped(record, f"nothing to evaluate in {record.media}")
        return Clip(record.lasting(features.end_s), media, bounded=not record.whole_clip)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for result in pool.map(load, records):
                (clips if isinstance(result, Clip) else skipped).append(result)  # type: ignore[arg-type]
                on_clip(result)
        except BaseException:
            # Whoever stops does not wait for those that were not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return clips, skipped


def collate(items: Sequence[Item]) -> Batch:
    """Return clips as one batch, padded at the end with zeros."""
    features = [item for item, _ in items]
    targets = [item for _, item in items]
    modalities = list(features[0].rows)
    lengths = torch.tensor([clip.num_snippets for clip in features])
    return Batch(
        inputs={m: _padded([f.rows[m].values for f in features]) for m in modalities},
        present={m: _padded([f.rows[m].present for f in features]) for m in modalities},
        mask=torch.arange(int(lengths.max())) < lengths[:, None],
        targets=tree_map(lambda *arrays: _padded(arrays), *targets),
    )


def statistics(
    clips: Sequence[Clip], source: Source
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return mean and standard deviation of each modality's features where present.

    Accumulated clip by clip, so that memory stays flat.
    """
    sums: dict[str, list[NDArray[np.float64]]] = {}
    for clip in clips:
        for modality, rows in source.features(clip.media).rows.items():
            values = rows.values[rows.present].astype(np.float64)
            parts = [np.full(rows.dim, len(values)), values.sum(axis=0), (values**2).sum(axis=0)]
            so_far = sums.get(modality, [np.zeros(rows.dim)] * len(parts))
            sums[modality] = [old + new for old, new in zip(so_far, parts, strict=True)]
    result = {}
    for modality, (count, total, squares) in sums.items():
        mean = total / np.maximum(count, 1)
        variance = squares / np.maximum(count, 1) - mean**2
        result[modality] = (mean, np.sqrt(np.maximum(variance, 0.0)))
    return result


def _padded(arrays: Sequence[NDArray[Any]]) -> Tensor:
    return pad_sequence([torch.from_numpy(array) for array in arrays], batch_first=True)
