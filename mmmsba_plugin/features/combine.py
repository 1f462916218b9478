"""Combines the features of all modalities into those of one clip."""

from collections.abc import Mapping

import numpy as np

from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

LEADING_SILENCE = "leading silence, left out as asked"

#: Audio and frames of one clip seldom end at the same moment; that much is ordinary.
_SAME_END_S = 0.1


def combine(entries: Mapping[str, tuple[CacheEntry, Grid]], grid: Grid) -> ClipFeatures:
    """Combine modalities into one clip that lasts as long as the longest of them.

    Args:
        entries: Each modality, and the grid that its rows lie on.
        grid: The clip's grid; it starts at a cell of each of those.
    """
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
            modality: _opt_outs_between(grid.start_s, end_s, entry)
            for modality, (entry, _) in entries.items()
        },
        warnings=tuple(warnings),
    )


def _fit(rows: FeatureRows, first: int, num_snippets: int) -> FeatureRows:
    """Select ``num_snippets`` rows from ``first`` on; those that are missing are not present."""
    selected = slice(first, first + num_snippets)
    values, present = rows.values[selected], rows.present[selected]
    missing = num_snippets - len(present)
    return FeatureRows(np.pad(values, ((0, missing), (0, 0))), np.pad(present, (0, missing)))


def _opt_outs_between(start_s: float, end_s: float, entry: CacheEntry) -> tuple[OptOut, ...]:
    """Fit a modality's opt-outs to its clip: one reason a moment, up to the clip's end."""
    opt_outs = entry.opt_outs
    if end_s - entry.end_s >= _SAME_END_S:
        rest = OptOut(start_s=entry.end_s, end_s=end_s, reason=entry.afterwards)
        opt_outs = (*opt_outs, rest)
    if not start_s:
        return opt_outs
    later = (
        opt_out.model_copy(update={"start_s": max(opt_out.start_s, start_s)})
        for opt_out in opt_outs
        if opt_out.end_s > start_s
    )
    return (OptOut(start_s=0.0, end_s=start_s, reason=LEADING_SILENCE), *later)
