"""Walks a clip once for its audio and once for its frames, and returns its rows.

Where silence is trimmed, the grid starts at the first cell behind it. Rows of frames are
cut there after they were kept, so that they are computed once for either way. Rows of audio
are not: a front-end may state them relative to the mean of the clip, as ``log-mel`` does, and
rows that were cut from a whole clip would still tell how much silence there was.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmmsba_plugin.config import Config, FeaturesConfig
from mmmsba_plugin.errors import DatasetError, FeatureError
from mmmsba_plugin.features.cache import CacheEntry, FeatureCache, cache_key
from mmmsba_plugin.features.opt_outs import AudioOptOuts, FaceOptOuts
from mmmsba_plugin.hookspecs import FeatureExtractor, FrontEnd
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media, OptOut
from mmmsba_plugin.structures import AudioBlock, ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid, s_to_samples

NO_AUDIO_STREAM = "no audio stream"
NO_VIDEO_STREAM = "no video stream"
NO_AUDIO = "the audio has ended"
NO_FRAME = "the frames have ended"
NO_ROWS = "no features"
LEADING_SILENCE = "leading silence, left out as asked"

NOTHING_TRIMMED = "the audio begins at the very end or never, so no silence was left out"

#: Audio and frame of one clip seldom end at the same moment; that much is ordinary.
_SAME_END_S = 0.1


@dataclass(frozen=True, slots=True)
class BoundFrontEnd:
    """A front-end with the settings it shall have."""

    entry: FrontEnd
    settings: Config

    def build(self) -> FeatureExtractor:
        """Return an extractor for one clip."""
        return self.entry.build(self.settings)


def media_of(
    path: Path | str, front_ends: Mapping[str, BoundFrontEnd], *, duration_s: float | None
) -> Media:
    """Return what is known about a clip: by its file, or by its dataset if no file is needed.

    Args:
        path: The file, which need not be there if no front-end reads it.
        front_ends: What serves each modality.
        duration_s: How long it lasts by its dataset; None if that is not said.

    Raises:
        MediaNotFoundError, MediaUnreadableError: The file is needed and cannot be read.
        DatasetError: It is not needed and not there, and nobody says how long it lasts.
    """
    reads_it = any(bound.entry.reads != "nothing" for bound in front_ends.values())
    if reads_it or Path(path).exists():
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
    """Return the rows of every modality of a clip.

    With ``config.trim_silence``, the grid starts at the first cell that begins at or after
    the end of leading silence; what lies before is in no row, and every modality opts out of
    it. Times stay on the clip's own clock, so a forgery in the stretch that was left out
    cannot be found. A clip without a stream of audio has no leading silence. One that is
    never heard, or only within its last cell, is looked at whole, with a warning, since
    otherwise nothing of it would be left.

    Args:
        media: The clip, as ``probe`` found it, with its hash where a cache is given.
        front_ends: What serves each modality.
        config: The grid, and how the clip is read.
        cache: Where rows are kept between runs; nothing is kept if not given.

    Raises:
        FeatureError: A front-end returned rows that do not fit, or silence is to be trimmed
            from a clip whose file was not read.
    """
    whole = Grid(stride_s=config.stride_s)
    if not config.trim_silence:
        return _extracted(media, front_ends, config, cache, whole)
    start_s = _audio_start_s(media, config, cache)
    if math.isfinite(start_s):
        behind = Grid(whole.cell(whole.num_snippets(start_s))[0], whole.stride_s)
        found = _extracted(media, front_ends, config, cache, behind)
        if found.num_snippets:
            return found
    found = _extracted(media, front_ends, config, cache, whole)
    return replace(found, warnings=(*found.warnings, NOTHING_TRIMMED))


def _audio_start_s(media: Media, config: FeaturesConfig, cache: FeatureCache | None) -> float:
    """Return where a clip is first heard, in seconds; infinite if it never is."""
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


def _extracted(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    cache: FeatureCache | None,
    grid: Grid,
) -> ClipFeatures:
    """Return the rows of every modality from the start of ``grid`` on."""
    whole = Grid(stride_s=grid.stride_s)
    grids = {m: grid if b.entry.reads == "audio" else whole for m, b in front_ends.items()}
    # A front-end that reads nothing of the clip reads a file of its own, which may change.
    keys = {
        m: cache_key(_depends_on(media, b, config, grids[m]))
        for m, b in front_ends.items()
        if b.entry.reads != "nothing"
    }
    stored = {m: found for m, key in keys.items() if cache and (found := cache.get(key))}
    missing = {m: bound for m, bound in front_ends.items() if m not in stored}
    for reads in ("audio", "faces", "nothing"):
        group = {m: bound for m, bound in missing.items() if bound.entry.reads == reads}
        if group:
            stored |= _WALKS[reads](media, group, config, grid if reads == "audio" else whole)
    if cache:
        for modality in missing.keys() & keys.keys():
            cache.put(keys[modality], stored[modality])
    return _together({m: (stored[m], grids[m]) for m in front_ends}, grid)


def _depends_on(
    media: Media, bound: BoundFrontEnd, config: FeaturesConfig, grid: Grid
) -> dict[str, object]:
    parts: dict[str, object] = {
        "media": media.sha256,
        "front_end": (bound.entry.name, bound.entry.version),
        "settings": bound.settings.model_dump(mode="json"),
        "config": config.model_dump(mode="json", include={"stride_s", "media", "tracks"}),
    }
    return parts | ({"start_s": grid.start_s} if grid.start_s else {})


def _walk_audio(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, CacheEntry]:
    from mmmsba_plugin.media.audio import AudioReader

    extractors = _started(media, group, grid)
    if media.audio is None:
        return _absent(extractors, NO_AUDIO_STREAM)
    watch = AudioOptOuts()
    reader = AudioReader(media, sample_rate_hz=config.media.sample_rate_hz)
    for block in reader:
        watch.add(block)
        if heard := _since(grid, block):
            for extractor in extractors.values():
                extractor.add(heard)
    opt_outs = watch.opt_outs()
    return {
        modality: CacheEntry(
            rows=_without(_finished(extractor, grid, watch.end_s), opt_outs, grid, watch.end_s),
            opt_outs=opt_outs,
            end_s=watch.end_s,
            afterwards=NO_AUDIO,
            warnings=reader.damage.warnings(),
        )
        for modality, extractor in extractors.items()
    }


def _since(grid: Grid, block: AudioBlock) -> AudioBlock | None:
    """Return the part of a block that a grid which starts behind silence shall know of."""
    if not grid.start_s or block.start_s >= grid.start_s:
        return block
    num_cut = s_to_samples(grid.start_s - block.start_s, block.sample_rate_hz)
    rest = block.samples[num_cut:]
    return AudioBlock(grid.start_s, rest, block.sample_rate_hz) if rest.size else None


def _walk_faces(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, CacheEntry]:
    from mmmsba_plugin.media.video import FrameReader
    from mmmsba_plugin.tracks.link import follow_main_face

    extractors = _started(media, group, grid)
    if media.video is None:
        return _absent(extractors, NO_VIDEO_STREAM)
    watch = FaceOptOuts()
    reader = FrameReader(media, max_short_side_px=config.media.max_short_side_px)
    for observation in follow_main_face(reader, config.tracks):
        watch.add(observation)
        if observation.face is not None:
            for extractor in extractors.values():
                extractor.add(observation.face)
    stored = {}
    for modality, extractor in extractors.items():
        rows = _finished(extractor, grid, watch.end_s)
        stored[modality] = CacheEntry(
            rows=rows,
            opt_outs=watch.opt_outs(grid, rows.present),
            end_s=watch.end_s,
            afterwards=NO_FRAME,
            warnings=(*reader.damage.warnings(), *watch.warnings()),
        )
    return stored


def _walk_nothing(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, CacheEntry]:
    end_s = media.duration_s or 0.0
    return {
        modality: CacheEntry(_finished(extractor, grid, end_s), (), end_s, NO_ROWS, ())
        for modality, extractor in _started(media, group, grid).items()
    }


_WALKS = {"audio": _walk_audio, "faces": _walk_faces, "nothing": _walk_nothing}


def _started(
    media: Media, group: Mapping[str, BoundFrontEnd], grid: Grid
) -> dict[str, FeatureExtractor]:
    extractors = {modality: bound.build() for modality, bound in group.items()}
    for extractor in extractors.values():
        extractor.start(media, grid)
    return extractors


def _finished(extractor: FeatureExtractor, grid: Grid, end_s: float) -> FeatureRows:
    num_snippets = grid.num_snippets(end_s)
    rows = extractor.finish(num_snippets)
    if len(rows) != num_snippets:
        raise FeatureError(
            f"{type(extractor).__name__} returned {len(rows)} rows for {num_snippets} snippets; "
            "a front-end must return one row a snippet"
        )
    return rows


def _absent(extractors: Mapping[str, FeatureExtractor], reason: str) -> dict[str, CacheEntry]:
    return {
        modality: CacheEntry(extractor.finish(0), (), 0.0, reason, ())
        for modality, extractor in extractors.items()
    }


def _without(
    rows: FeatureRows, opt_outs: tuple[OptOut, ...], grid: Grid, end_s: float
) -> FeatureRows:
    """Return rows of which those in an opted-out stretch are not present.

    A last cell of which less than half is left counts by the last moment of it that is.
    """
    starts_s, centers_s = grid.starts_s(len(rows)), grid.centers_s(len(rows))
    centers_s = np.minimum(centers_s, (starts_s + max(end_s, 0.0)) / 2)
    present = rows.present.copy()
    for part in opt_outs:
        present &= ~((part.start_s <= centers_s) & (centers_s < part.end_s))
    return FeatureRows(np.where(present[:, None], rows.values, np.float32(0)), present)


def _together(parts: Mapping[str, tuple[CacheEntry, Grid]], grid: Grid) -> ClipFeatures:
    """Return one clip that lasts as long as its longest modality, from the grid's start on.

    Args:
        parts: Each modality, and the grid that its rows lie on.
        grid: The clip's; it starts at a cell of each of those.
    """
    end_s = max((part.end_s for part, _ in parts.values()), default=0.0)
    num_snippets = grid.num_snippets(end_s)
    warnings = dict.fromkeys(w for part, _ in parts.values() for w in part.warnings)
    return ClipFeatures(
        grid=grid,
        end_s=end_s,
        rows={
            m: _fitted(part.rows, own.num_snippets(grid.start_s), num_snippets)
            for m, (part, own) in parts.items()
        },
        opt_outs={
            m: _opted_out_before(grid.start_s, _opted_out_until(part, end_s))
            for m, (part, _) in parts.items()
        },
        warnings=tuple(warnings),
    )


def _fitted(rows: FeatureRows, first: int, num_snippets: int) -> FeatureRows:
    """Return ``num_snippets`` rows from ``first`` on; those that are missing are not present."""
    kept = slice(first, first + num_snippets)
    values, present = rows.values[kept], rows.present[kept]
    missing = num_snippets - len(present)
    return FeatureRows(np.pad(values, ((0, missing), (0, 0))), np.pad(present, (0, missing)))


def _opted_out_until(part: CacheEntry, end_s: float) -> tuple[OptOut, ...]:
    if end_s - part.end_s < _SAME_END_S:
        return part.opt_outs
    rest = OptOut(start_s=part.end_s, end_s=end_s, reason=part.afterwards)
    return (*part.opt_outs, rest)


def _opted_out_before(start_s: float, parts: tuple[OptOut, ...]) -> tuple[OptOut, ...]:
    """Return opt-outs of a clip that is looked at from ``start_s`` on: one reason a moment."""
    if not start_s:
        return parts
    later = (
        part.model_copy(update={"start_s": max(part.start_s, start_s)})
        for part in parts
        if part.end_s > start_s
    )
    return (OptOut(start_s=0.0, end_s=start_s, reason=LEADING_SILENCE), *later)


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
