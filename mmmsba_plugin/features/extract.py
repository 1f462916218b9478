"""Extraction of a clip's features, from the cache or by one walk through the clip.

Where silence is trimmed, the grid starts at the first cell behind it. Rows of frames are
cut there after they were cached, so that they are computed once for either way. Rows of audio
are not: a front-end may state them relative to the mean of the clip, as ``log-mel`` does, and
rows that were cut from a whole clip would still tell how much silence there was.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import DatasetError, FeatureError
from mmmsba_plugin.features.cache import FeatureCache, cache_key
from mmmsba_plugin.features.combine import combine
from mmmsba_plugin.features.walk import BoundFrontEnd, walk
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

NOTHING_TRIMMED = "the audio begins at the very end or never, so no silence was left out"


def media_of(
    path: Path | str, front_ends: Mapping[str, BoundFrontEnd], *, duration_s: float | None
) -> Media:
    """Probe a clip, or describe it by its dataset if no front-end needs its file.

    Args:
        path: The file, which need not exist if no front-end needs anything of it.
        front_ends: The front-end of each modality.
        duration_s: Its length by its dataset, in seconds; None if that is not known.

    Raises:
        MediaNotFoundError: The file is needed and missing.
        MediaUnreadableError: The file cannot be read.
        DatasetError: It is not needed and missing, and its length is not known.
    """
    needs_file = any(bound.entry.inputs for bound in front_ends.values())
    if needs_file or Path(path).exists():
        return probe(path)
    if duration_s is None:
        raise DatasetError(
            f"{path} is not there, and its dataset does not say how long it lasts; "
            "add the clip, or its duration_s"
        )
    return Media(path=str(path), duration_s=duration_s)


def extract(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    *,
    cache: FeatureCache | None = None,
) -> ClipFeatures:
    """Extract the features of every modality of a clip.

    With ``config.trim_silence``, the grid starts at the first cell that begins at or after
    the end of leading silence; what lies before is in no row, and every modality opts out of
    it. Times stay on the clip's own clock, so a manipulation in the segment that was left out
    cannot be found. A clip without a stream of audio has no leading silence. One whose audio
    is all silent, or starts only within its last cell, is extracted whole, with a warning,
    since otherwise nothing of it would be left.

    Args:
        media: The clip, as ``probe`` describes it, with its hash where a cache is given.
        front_ends: The front-end of each modality.
        config: The grid, and how the clip is decoded.
        cache: Where features are kept between runs; nothing is kept if not given.

    Raises:
        FeatureError: A front-end returned rows that do not fit, or silence is to be trimmed
            from a clip whose file was not read.
    """
    whole = Grid(stride_s=config.stride_s)
    if not config.trim_silence:
        return _extract_on(whole, media, front_ends, config, cache)
    start_s = _audio_start_s(media, config, cache)
    if math.isfinite(start_s):
        behind = Grid(whole.cell(whole.num_snippets(start_s))[0], whole.stride_s)
        features = _extract_on(behind, media, front_ends, config, cache)
        if features.num_snippets:
            return features
    features = _extract_on(whole, media, front_ends, config, cache)
    return replace(features, warnings=(*features.warnings, NOTHING_TRIMMED))


def _audio_start_s(media: Media, config: FeaturesConfig, cache: FeatureCache | None) -> float:
    """Find where a clip's audio starts, in seconds; infinite if all of it is silent."""
    from mmmsba_plugin.media.silence import SILENT_DB, audio_start_s

    if media.container is None:
        raise FeatureError(
            f"silence cannot be trimmed from {media.path}, whose file was not read; give the clip "
            "itself, or leave trim_silence off"
        )
    if media.audio is None:
        return 0.0
    rate_hz = config.media.sample_rate_hz
    if cache is None:
        return audio_start_s(media, sample_rate_hz=rate_hz)
    # Opening a clip takes longer than reading its rows, and a training run asks every epoch.
    key = cache_key({"media": media.sha256, "silence_below_db": SILENT_DB, "rate_hz": rate_hz})
    if (start_s := cache.get_audio_start(key)) is None:
        start_s = audio_start_s(media, sample_rate_hz=rate_hz)
        cache.put_audio_start(key, start_s)
    return start_s


def _extract_on(
    grid: Grid,
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    cache: FeatureCache | None,
) -> ClipFeatures:
    """Extract the features of every modality from the start of ``grid`` on."""
    whole = Grid(stride_s=grid.stride_s)
    grids = {m: grid if "audio" in b.entry.inputs else whole for m, b in front_ends.items()}
    # A front-end that needs nothing of the clip reads a file of its own, which may change.
    keys = {
        modality: cache_key(cache_inputs(media, bound, config, grids[modality]))
        for modality, bound in front_ends.items()
        if bound.entry.inputs
    }
    entries = {m: entry for m, key in keys.items() if cache and (entry := cache.get(key))}
    missing = {m: bound for m, bound in front_ends.items() if m not in entries}
    if missing:
        entries |= walk(media, missing, grids, config)
    if cache:
        for modality in missing.keys() & keys.keys():
            cache.put(keys[modality], entries[modality])
    return combine({m: (entries[m], grids[m]) for m in front_ends}, grid)


def cache_inputs(
    media: Media, bound: BoundFrontEnd, config: FeaturesConfig, grid: Grid
) -> dict[str, object]:
    """List everything that the rows of a modality depend on, for :func:`cache_key`."""
    inputs: dict[str, object] = {
        "media": media.sha256,
        "front_end": (bound.entry.name, bound.entry.version),
        "settings": bound.settings.model_dump(mode="json"),
        "config": config.model_dump(mode="json", include={"stride_s", "media", "tracks"}),
    }
    return inputs | ({"start_s": grid.start_s} if grid.start_s else {})


def save_rows(
    features: ClipFeatures, folder: Path, name: str
) -> Iterator[tuple[Path, FeatureRows]]:
    """Write each modality's rows as ``folder/modality/name.npy``; yield path and rows.

    Rows that are not present are written as NaN, as the ``precomputed`` front-end reads
    them. So are those of silence that was left out: row 0 is at the clip's zero.
    """
    num_cut = Grid(stride_s=features.grid.stride_s).num_snippets(features.grid.start_s)
    for modality, rows in features.rows.items():
        path = folder / modality / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.where(rows.present[:, None], rows.values, np.float32(np.nan))
        np.save(path, np.pad(values, ((num_cut, 0), (0, 0)), constant_values=np.nan))
        yield path, rows
