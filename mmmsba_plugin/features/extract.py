"""Walks a clip once for its sound and once for its pictures, and returns its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmmsba_plugin.config import Chapter, FeaturesConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.evidence import ClipFeatures, FeatureRows
from mmmsba_plugin.features.store import FeatureStore, Stored, key_of
from mmmsba_plugin.features.watch import FaceWatch, SoundWatch
from mmmsba_plugin.hookspecs import FeatureExtractor, FrontEnd
from mmmsba_plugin.schema import Media, OptOut
from mmmsba_plugin.timebase import Grid

NO_AUDIO_STREAM = "no audio stream"
NO_VIDEO_STREAM = "no video stream"
NO_SOUND = "the sound has ended"
NO_PICTURE = "the pictures have ended"
NO_ROWS = "no features"

#: Sound and picture of one clip seldom end at the same moment; that much is ordinary.
_SAME_END_S = 0.1


@dataclass(frozen=True, slots=True)
class BoundFrontEnd:
    """A front-end with the settings it shall have."""

    entry: FrontEnd
    settings: Chapter

    def build(self) -> FeatureExtractor:
        """Return an extractor for one clip."""
        return self.entry.build(self.settings)


def extract(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    *,
    store: FeatureStore | None = None,
) -> ClipFeatures:
    """Return the rows of every modality of a clip.

    Args:
        media: The clip, as ``probe`` found it, with its hash where a store is given.
        front_ends: What serves each modality.
        config: The grid, and how the clip is read.
        store: Where rows are kept between runs; nothing is kept if not given.

    Raises:
        FeatureError: A front-end returned rows that do not fit.
    """
    grid = Grid(stride_s=config.stride_s)
    keys = {m: key_of(_depends_on(media, bound, config)) for m, bound in front_ends.items()}
    stored = {m: found for m, key in keys.items() if store and (found := store.get(key))}
    missing = {m: bound for m, bound in front_ends.items() if m not in stored}
    for reads in ("sound", "faces", "nothing"):
        group = {m: bound for m, bound in missing.items() if bound.entry.reads == reads}
        if group:
            stored |= _WALKS[reads](media, group, config, grid)
    if store:
        for modality in missing:
            store.put(keys[modality], stored[modality])
    return _together({m: stored[m] for m in front_ends}, grid)


def _depends_on(media: Media, bound: BoundFrontEnd, config: FeaturesConfig) -> dict[str, object]:
    # A front-end that reads nothing of the clip reads a file of its own, found by name.
    return {
        "media": media.sha256 if bound.entry.reads != "nothing" else media.path,
        "front_end": (bound.entry.name, bound.entry.version),
        "settings": bound.settings.model_dump(mode="json"),
        "config": config.model_dump(mode="json", include={"stride_s", "media", "tracks"}),
    }


def _walk_sound(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, Stored]:
    from mmmsba_plugin.media.audio import SoundReader

    extractors = _started(media, group, grid)
    if media.audio is None:
        return _absent(extractors, NO_AUDIO_STREAM)
    watch = SoundWatch()
    reader = SoundReader(media, sample_rate_hz=config.media.sample_rate_hz)
    for block in reader:
        watch.add(block)
        for extractor in extractors.values():
            extractor.add(block)
    opt_outs = watch.opt_outs()
    return {
        modality: Stored(
            rows=_without(_finished(extractor, grid, watch.end_s), opt_outs, grid, watch.end_s),
            opt_outs=opt_outs,
            end_s=watch.end_s,
            afterwards=NO_SOUND,
            warnings=reader.damage.warnings(),
        )
        for modality, extractor in extractors.items()
    }


def _walk_faces(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, Stored]:
    from mmmsba_plugin.media.video import PictureReader
    from mmmsba_plugin.tracks.follow import follow_main_face

    extractors = _started(media, group, grid)
    if media.video is None:
        return _absent(extractors, NO_VIDEO_STREAM)
    watch = FaceWatch()
    reader = PictureReader(media, max_short_side_px=config.media.max_short_side_px)
    for sighting in follow_main_face(reader, config.tracks):
        watch.add(sighting)
        if sighting.face is not None:
            for extractor in extractors.values():
                extractor.add(sighting.face)
    stored = {}
    for modality, extractor in extractors.items():
        rows = _finished(extractor, grid, watch.end_s)
        stored[modality] = Stored(
            rows=rows,
            opt_outs=watch.opt_outs(grid, rows.present),
            end_s=watch.end_s,
            afterwards=NO_PICTURE,
            warnings=(*reader.damage.warnings(), *watch.warnings()),
        )
    return stored


def _walk_nothing(
    media: Media, group: Mapping[str, BoundFrontEnd], config: FeaturesConfig, grid: Grid
) -> dict[str, Stored]:
    end_s = media.duration_s or 0.0
    return {
        modality: Stored(_finished(extractor, grid, end_s), (), end_s, NO_ROWS, ())
        for modality, extractor in _started(media, group, grid).items()
    }


_WALKS = {"sound": _walk_sound, "faces": _walk_faces, "nothing": _walk_nothing}


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


def _absent(extractors: Mapping[str, FeatureExtractor], reason: str) -> dict[str, Stored]:
    return {
        modality: Stored(extractor.finish(0), (), 0.0, reason, ())
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


def _together(stored: Mapping[str, Stored], grid: Grid) -> ClipFeatures:
    """Return one clip that lasts as long as its longest modality."""
    end_s = max((part.end_s for part in stored.values()), default=0.0)
    num_snippets = grid.num_snippets(end_s)
    warnings = dict.fromkeys(w for part in stored.values() for w in part.warnings)
    return ClipFeatures(
        grid=grid,
        end_s=end_s,
        rows={m: _lengthened(part.rows, num_snippets) for m, part in stored.items()},
        opt_outs={m: _opted_out_until(part, end_s) for m, part in stored.items()},
        warnings=tuple(warnings),
    )


def _lengthened(rows: FeatureRows, num_snippets: int) -> FeatureRows:
    missing = num_snippets - len(rows)
    return FeatureRows(
        np.pad(rows.values, ((0, missing), (0, 0))), np.pad(rows.present, (0, missing))
    )


def _opted_out_until(part: Stored, end_s: float) -> tuple[OptOut, ...]:
    if end_s - part.end_s < _SAME_END_S:
        return part.opt_outs
    rest = OptOut(start_s=part.end_s, end_s=end_s, reason=part.afterwards)
    return (*part.opt_outs, rest)


def save_rows(
    features: ClipFeatures, folder: Path, name: str
) -> Iterator[tuple[Path, FeatureRows]]:
    """Write each modality's rows as ``folder/modality/name.npy``; yield path and rows.

    Rows that are not present are written as NaN, as the ``precomputed`` front-end reads
    them.
    """
    for modality, rows in features.rows.items():
        path = folder / modality / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.where(rows.present[:, None], rows.values, np.float32(np.nan)))
        yield path, rows
