"""Combine the features of all modalities, then of all chunks, into those of one clip."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.features.face_tracks import ChunkTracks
from mmmsba_plugin.features.opt_outs import NOTHING_AUDIBLE, NOTHING_SEEN
from mmmsba_plugin.features.walk import NO_AUDIO, NO_FRAME
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

LEADING_SILENCE = "leading silence, left out as asked"

#: Audio and frames of one clip seldom end at the same moment; that much is ordinary.
_SAME_END_S = 0.1


#: What the end of a stream is called where the stream comes back.
_GAPS = {NO_AUDIO: NOTHING_AUDIBLE, NO_FRAME: NOTHING_SEEN}


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """The features of a chunk with the face of one lane.

    Attributes:
        features: All of them; what needs no faces is the same in every lane.
        track_ids: Number of the face track in each snippet, 0 where no face was evaluated,
            shape ``(snippet,)``.
    """

    features: ClipFeatures
    track_ids: NDArray[np.int64]

    @classmethod
    def untracked(cls, features: ClipFeatures) -> "Lane":
        """Return a lane of which the face track is not known."""
        return cls(features, np.zeros(features.num_snippets, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class ChunkFeatures:
    """The features of one chunk of a clip, and of what it sees beyond its ends.

    Attributes:
        features: All of them, with the main face, on a grid of their own.
        own: The snippets that are the chunk's own.
        tracks: Its face tracks; None where only the main face was followed.
        lanes: Its lanes, that of the main face first; none where only that was followed.
    """

    features: ClipFeatures
    own: slice
    tracks: ChunkTracks | None = None
    lanes: tuple[Lane, ...] = ()

    def without_rows(self) -> "ChunkFeatures":
        """Return the chunk without its rows: its grid, end, opt-outs and warnings."""
        return replace(self, features=replace(self.features, rows={}), lanes=())


def combine(
    entries: Mapping[str, tuple[CacheEntry, Grid]],
    grid: Grid,
    *,
    end_s: float | None = None,
    is_trimmed: bool = False,
) -> ClipFeatures:
    """Combine modalities into one clip, or chunk of one.

    Args:
        entries: Each modality, and the grid that its rows lie on.
        grid: The clip's grid; it starts at a cell of each of those.
        end_s: End of the chunk, where the clip goes on behind it, in seconds; the end of the
            longest modality if not given.
        is_trimmed: Whether leading silence lies before the grid.
    """
    if end_s is None:
        end_s = max((entry.end_s for entry, _ in entries.values()), default=0.0)
    num_snippets = grid.num_snippets(end_s)
    warnings = dict.fromkeys(w for entry, _ in entries.values() for w in entry.warnings)
    return ClipFeatures(
        grid=grid,
        end_s=end_s,
        rows={
            modality: _fit(entry.rows, own.num_snippets(grid.start_s), num_snippets)
            for modality, (entry, own) in entries.items()
        },
        opt_outs={
            modality: _opt_outs_between(grid.start_s, end_s, entry, is_trimmed=is_trimmed)
            for modality, (entry, _) in entries.items()
        },
        warnings=tuple(warnings),
    )


def join(chunks: Sequence[ChunkFeatures]) -> ClipFeatures:
    """Join the chunks of a clip, at least one.

    Args:
        chunks: All chunks of the clip in time order, with rows or without.
    """
    first, last = chunks[0].features, chunks[-1].features
    if len(chunks) == 1:
        return first
    limits_s = [c.features.grid.cell(c.own.start)[0] for c in chunks[1:]]
    spans = list(zip([-math.inf, *limits_s], [*limits_s, math.inf], strict=True))
    parts = [c.features for c in chunks]
    return ClipFeatures(
        grid=first.grid,
        end_s=last.end_s,
        rows={
            modality: FeatureRows(
                np.concatenate([c.features.rows[modality].values[c.own] for c in chunks]),
                np.concatenate([c.features.rows[modality].present[c.own] for c in chunks]),
            )
            for modality in first.rows
        },
        opt_outs={
            modality: _join_opt_outs(zip(spans, (p.opt_outs[modality] for p in parts), strict=True))
            for modality in first.opt_outs
        },
        warnings=tuple(dict.fromkeys(warning for p in parts for warning in p.warnings)),
    )


def _join_opt_outs(
    parts: Iterable[tuple[tuple[float, float], Sequence[OptOut]]],
) -> tuple[OptOut, ...]:
    """Join opt-outs of chunks, each cut to its span; what goes on behind a joint is one."""
    joined: list[OptOut] = []
    for (low_s, high_s), opt_outs in parts:
        for opt_out in opt_outs:
            start_s, end_s = max(opt_out.start_s, low_s), min(opt_out.end_s, high_s)
            if end_s <= start_s:
                continue
            # Only in the last chunk a stream can have ended; in others it comes back.
            reason = opt_out.reason
            in_gap = _GAPS.get(reason, reason)
            if joined and start_s == low_s == joined[-1].end_s and joined[-1].reason == in_gap:
                start_s = joined.pop().start_s
            reason = reason if math.isinf(high_s) else in_gap
            joined.append(OptOut(start_s=start_s, end_s=end_s, reason=reason))
    return tuple(joined)


def _fit(rows: FeatureRows, first: int, num_snippets: int) -> FeatureRows:
    """Select ``num_snippets`` rows from ``first`` on; those that are missing are not present."""
    selected = slice(first, first + num_snippets)
    values, present = rows.values[selected], rows.present[selected]
    missing = num_snippets - len(present)
    if not missing:
        return FeatureRows(values, present)
    return FeatureRows(np.pad(values, ((0, missing), (0, 0))), np.pad(present, (0, missing)))


def _opt_outs_between(
    start_s: float, end_s: float, entry: CacheEntry, *, is_trimmed: bool
) -> tuple[OptOut, ...]:
    """Fit a modality's opt-outs to its clip: one reason a moment, up to the clip's end."""
    opt_outs = entry.opt_outs
    if end_s - entry.end_s >= _SAME_END_S:
        rest = OptOut(start_s=entry.end_s, end_s=end_s, reason=entry.afterwards)
        opt_outs = (*opt_outs, rest)
    if not start_s:
        return opt_outs
    later = tuple(
        opt_out.model_copy(update={"start_s": max(opt_out.start_s, start_s)})
        for opt_out in opt_outs
        if opt_out.end_s > start_s
    )
    leading = OptOut(start_s=0.0, end_s=start_s, reason=LEADING_SILENCE)
    return (leading, *later) if is_trimmed else later
