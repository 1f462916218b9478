"""Modalities that are taken away from the test clips, wholly or for a span of each clip."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.schema import Media, Provenance, Report
from mmmsba_plugin.structures import ClipFeatures, FeatureRows


@dataclass(frozen=True, slots=True)
class Missing:
    """Modalities that are missing from each test clip, and for how much of it.

    Attributes:
        groups: Modalities that are missing; those of one group at the same time.
        share: Share of the snippets of a clip in which a group is missing, in one span.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    share: float = 1.0


#: Nothing is missing.
COMPLETE = Missing()


def draw_spans(missing: Missing, num_snippets: int, *, seed: int) -> dict[str, slice]:
    """Draw for each missing modality the snippets of a clip in which it is missing.

    Args:
        missing: What is missing.
        num_snippets: Snippets of the clip.
        seed: Decides where the spans lie.

    Example:
        >>> draw_spans(Missing((("face", "lips"),)), 10, seed=0)
        {'face': slice(0, 10, None), 'lips': slice(0, 10, None)}
    """
    rng, length = np.random.default_rng(seed), round(missing.share * num_snippets)
    spans = {}
    for group in missing.groups:
        start = int(rng.integers(num_snippets - length + 1))
        spans.update(dict.fromkeys(group, slice(start, start + length)))
    return spans


def hide_spans(features: ClipFeatures, spans: Mapping[str, slice]) -> ClipFeatures:
    """Return features with modalities that are not present in their span."""
    rows = dict(features.rows)
    for modality in rows.keys() & spans.keys():
        present = rows[modality].present.copy()
        present[spans[modality]] = False
        values = np.where(present[:, None], rows[modality].values, np.float32(0.0))
        rows[modality] = FeatureRows(values, present)
    return replace(features, rows=rows)


class PartialDetector(MmmsbaDetector):
    """Detector that is not shown some modalities of the clips, for all else the usual one."""

    missing = COMPLETE

    @classmethod
    def of_checkpoint(cls, folder: Path, missing: Missing, *, cache: FeatureCache) -> Self:
        """Return a detector with the weights of a checkpoint folder.

        Args:
            folder: The checkpoint.
            missing: What it is not shown.
            cache: Where features are kept; they are those of complete clips.

        Raises:
            CheckpointError: The checkpoint is damaged.
        """
        detector = cls.from_pretrained(folder, cache=cache)
        detector.missing = missing
        return detector

    def _evaluate(
        self,
        media: Media,
        chunks: Iterable[ChunkFeatures],
        provenance: Provenance,
        *,
        track: int | None = None,
    ) -> Report:
        seed = zlib.crc32((media.sha256 or media.path).encode())
        partial = (self._hide(chunk, seed) for chunk in chunks)
        return super()._evaluate(media, partial, provenance, track=track)

    def _hide(self, chunk: ChunkFeatures, seed: int) -> ChunkFeatures:
        spans = draw_spans(self.missing, chunk.features.num_snippets, seed=seed)
        lanes = (replace(lane, features=hide_spans(lane.features, spans)) for lane in chunk.lanes)
        features = hide_spans(chunk.features, spans)
        return replace(chunk, features=features, lanes=tuple(lanes))
