"""Extraction of a clip's features, from the cache or by one walk through the clip.

Where silence is trimmed, the grid starts at the first cell behind it. Rows of frames are
cut there after they were cached, so that they are computed once for either way. Rows of audio
are not: a front-end may state them relative to the mean of the clip, as ``log-mel`` does, and
rows that were cut from a whole clip would still tell how much silence there was.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import DatasetError, FeatureError
from mmmsba_plugin.features.cache import CacheEntry, FeatureCache, cache_key
from mmmsba_plugin.features.chunks import Chunk, num_chunks, plan_chunks, plan_live_chunks
from mmmsba_plugin.features.combine import ChunkFeatures, Lane, combine, join
from mmmsba_plugin.features.face_tracks import ChunkTracks
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.features.walk import ONLY_MAIN, WalkedChunk, walk
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.link import MAIN_LANE

if TYPE_CHECKING:
    from mmmsba_plugin.media.packets import Decoder, Kind

NOTHING_TRIMMED = "the audio begins at the very end or never, so no silence was left out"


def media_of(
    path: Path | str,
    front_ends: Mapping[str, BoundFrontEnd],
    *,
    duration_s: float | None,
    audio_track: int | None = None,
) -> Media:
    """Probe a clip, or describe it by its dataset if no front-end needs its file.

    Args:
        path: The file, which need not exist if no front-end needs anything of it.
        front_ends: The front-end of each modality.
        duration_s: Its length by its dataset, in seconds; None if that is not known.
        audio_track: Number of the audio track to read, from 1; see ``probe``.

    Raises:
        AudioTrackError: The file has no such audio track.
        MediaNotFoundError: The file is needed and missing.
        MediaUnreadableError: The file cannot be read.
        DatasetError: It is not needed and missing, and its length is not known.
    """
    needs_file = any(bound.entry.inputs for bound in front_ends.values())
    if needs_file or Path(path).exists():
        return probe(path, audio_track=audio_track)
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
    """Extract the features of every modality of a clip, however long it is.

    All rows of a long clip take 10 MB a minute; :func:`extract_chunks` holds a chunk at a time.
    Arguments and errors are the same.
    """
    return join(list(extract_chunks(media, front_ends, config, cache=cache)))


def extract_chunks(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    *,
    cache: FeatureCache | None = None,
    max_faces: int = 1,
) -> Iterator[ChunkFeatures]:
    """Extract the features of every modality, chunk by chunk; a clip that is not long is one.

    With ``config.trim_silence``, the grid starts at the first cell that begins at or after
    the end of leading silence; what lies before is in no row, and every modality opts out of
    it. Times stay on the clip's own clock, so a manipulation in the segment that was left out
    cannot be found. A clip without a stream of audio has no leading silence. One whose audio
    is all silent, or starts only within its last cell, is extracted whole, with a warning,
    since otherwise nothing of it would be left.

    Args:
        media: The clip, as ``probe`` describes it, with its hash where a cache is given.
        front_ends: The front-end of each modality.
        config: The grid, how the clip is decoded, and how long a chunk is.
        cache: Where features are kept between runs; nothing is kept if not given.
        max_faces: Number of faces that are followed at a time; if more than one, chunks have
            tracks and lanes.

    Yields:
        At least one chunk; the last of them has the warnings about the clip.

    Raises:
        FeatureError: A front-end returned rows that do not fit, or silence is to be trimmed
            from a clip whose file was not read.
    """
    whole = Grid(stride_s=config.stride_s)
    if not config.trim_silence:
        yield from _chunks_on(whole, media, front_ends, config, cache, max_faces=max_faces)
        return
    start_s = _audio_start_s(media, config, cache)
    if math.isfinite(start_s):
        behind = Grid(whole.cell(whole.num_snippets(start_s))[0], whole.stride_s)
        is_empty = True
        for chunk in _chunks_on(behind, media, front_ends, config, cache, max_faces=max_faces):
            if chunk.features.num_snippets:
                is_empty = False
                yield chunk
        if not is_empty:
            return
    warned = False
    for chunk in _chunks_on(whole, media, front_ends, config, cache, max_faces=max_faces):
        features = chunk.features
        warnings = features.warnings if warned else (*features.warnings, NOTHING_TRIMMED)
        warned = True
        yield replace(chunk, features=replace(features, warnings=warnings))


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
    key = cache_key(
        {"media": media.sha256, "silence_below_db": SILENT_DB, "rate_hz": rate_hz}
        | _audio_choice(media)
    )
    if (start_s := cache.get_audio_start(key)) is None:
        start_s = audio_start_s(media, sample_rate_hz=rate_hz)
        cache.put_audio_start(key, start_s)
    return start_s


def _chunks_on(
    grid: Grid,
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    cache: FeatureCache | None,
    *,
    max_faces: int,
) -> Iterator[ChunkFeatures]:
    """Extract the features of every modality from the start of ``grid`` on."""
    starts_s = {
        m: grid.start_s if "audio" in b.entry.inputs else 0.0 for m, b in front_ends.items()
    }
    store = _Store(media, front_ends, config, starts_s, cache, max_faces=max_faces)
    yield from _combined(store.walk(), grid, starts_s, _needing_faces(front_ends))


def extract_live(
    media: Media,
    decoders: "Mapping[Kind, Decoder]",
    front_ends: Mapping[str, BoundFrontEnd],
    config: FeaturesConfig,
    *,
    max_faces: int = 1,
) -> Iterator[ChunkFeatures]:
    """Extract the features of every modality of what is decoded elsewhere, chunk by chunk.

    Args:
        media: What is known of it; whether it has frames or audio must be.
        decoders: Where its frames and audio come from.
        front_ends: The front-end of each modality.
        config: The grid, how faces are tracked, and how long a chunk is.
        max_faces: Number of faces that are followed at a time; if more than one, chunks have
            tracks and lanes.

    Raises:
        FeatureError: A front-end returned rows that do not fit.
    """
    grid, starts_s = Grid(stride_s=config.stride_s), dict.fromkeys(front_ends, 0.0)
    plan = plan_live_chunks(stride_s=config.stride_s, chunk_s=config.chunk_s)
    walked = walk(media, front_ends, starts_s, config, plan, decoders=decoders, max_faces=max_faces)
    yield from _combined(walked, grid, starts_s, _needing_faces(front_ends))


def _needing_faces(front_ends: Mapping[str, BoundFrontEnd]) -> list[str]:
    return [m for m, bound in front_ends.items() if "faces" in bound.entry.inputs]


def _combined(
    walked_chunks: Iterable[WalkedChunk],
    grid: Grid,
    starts_s: Mapping[str, float],
    with_faces: Sequence[str],
) -> Iterator[ChunkFeatures]:
    """Combine the modalities of each chunk, from the start of ``grid`` on."""
    first_cell, is_first = Grid(stride_s=grid.stride_s).num_snippets(grid.start_s), True
    for walked in walked_chunks:
        chunk, is_last = walked.chunk, walked.is_last
        if chunk.keep_stop <= first_cell and not is_last:
            continue
        features = combine(
            {m: (entry, chunk.grid_from(starts_s[m])) for m, entry in walked.entries.items()},
            chunk.grid_from(grid.start_s),
            end_s=None if is_last else chunk.stop_s,
            is_trimmed=is_first and grid.start_s > 0,
        )
        is_first = False
        offset = max(chunk.start, first_cell)
        stop = features.num_snippets if is_last else chunk.keep_stop - offset
        lanes: tuple[Lane, ...] = ()
        if walked.tracks is not None:
            # What says that others were not evaluated is stored with the main face.
            warnings = tuple(w for w in features.warnings if not w.endswith(ONLY_MAIN))
            features = replace(features, warnings=warnings)
            lanes = tuple(
                Lane(of_lane, _track_ids(walked.tracks, lane, of_lane, with_faces))
                for lane, of_lane in _lanes(walked, walked.tracks, features, starts_s)
            )
        own = slice(max(0, chunk.keep_start - offset), stop)
        yield ChunkFeatures(features, own, walked.tracks, lanes)
        # Rows are the most of what is in memory, and the next ones are coming.
        del walked, features, lanes


def _lanes(
    walked: WalkedChunk, tracks: ChunkTracks, features: ClipFeatures, starts_s: Mapping[str, float]
) -> Iterator[tuple[int, ClipFeatures]]:
    """Combine the modalities with the face of each lane, that of the main face first.

    Args:
        walked: The chunk.
        tracks: Its face tracks.
        features: Its features with the main face.
        starts_s: Start of each modality's rows, in seconds.
    """
    yield MAIN_LANE, features
    for lane in tracks.other_lanes:
        entries = {
            modality: (entry, walked.chunk.grid_from(starts_s[modality]))
            for modality, entry in {**walked.entries, **walked.lanes[lane]}.items()
        }
        yield lane, combine(entries, features.grid, end_s=features.end_s)


def _track_ids(
    tracks: ChunkTracks, lane: int, features: ClipFeatures, with_faces: Sequence[str]
) -> NDArray[np.int64]:
    """Return the face track in each snippet that has rows of a face, 0 for none."""
    track_ids = tracks.track_ids(lane, features.grid, features.num_snippets)
    has_face = np.any([features.rows[m].present for m in with_faces], axis=0)
    return np.where(has_face, track_ids, 0)


class _Store:
    """The features of a clip as the cache has them, and those that it lacks."""

    def __init__(
        self,
        media: Media,
        front_ends: Mapping[str, BoundFrontEnd],
        config: FeaturesConfig,
        starts_s: Mapping[str, float],
        cache: FeatureCache | None,
        *,
        max_faces: int,
    ) -> None:
        self._media, self._front_ends, self._config = media, front_ends, config
        self._starts_s, self._cache = starts_s, cache
        self._with_faces = _needing_faces(front_ends)
        self._max_faces = max_faces if self._with_faces and media.video else 1
        duration_s, chunk_s = media.duration_s, config.chunk_s
        self._plan = partial(plan_chunks, duration_s, stride_s=config.stride_s, chunk_s=chunk_s)
        self._planned = [*islice(self._plan(), num_chunks(duration_s, chunk_s=chunk_s))]

    def walk(self) -> Iterator[WalkedChunk]:
        """Yield all chunks, after what is missing was computed and stored."""
        first, *later = self._planned
        stored = {m: e for m in self._front_ends if (e := self._get(m, first))}
        if later and not all(self._get(m, c) for m in self._front_ends for c in later):
            # Where a clip ends is known only to a walk for all modalities.
            stored = {}
        knows_tracks = self._knows_tracks(stored)
        if not knows_tracks:
            # The audio tells who speaks, so it is read again, too.
            stored = {}
        missing = {m: b for m, b in self._front_ends.items() if m not in stored}
        if not missing:
            yield self._with_tracks(WalkedChunk(first, stored, is_last=not later))
            for chunk in later:
                entries = {m: e for m in stored if (e := self._get(m, chunk))}
                is_last = chunk is later[-1]
                yield self._with_tracks(WalkedChunk(chunk, entries, is_last=is_last))
            return
        max_faces = 1 if knows_tracks else self._max_faces
        config, plan = self._config, self._plan()
        for walked in walk(self._media, missing, self._starts_s, config, plan, max_faces=max_faces):
            # A clip that lasts longer than it states would be cut short by its stored chunks.
            if walked.is_last or walked.chunk != self._planned[-1]:
                self._put(walked)
            entries = walked.entries | stored
            whole = replace(walked, entries={m: entries[m] for m in self._front_ends})
            yield self._with_tracks(whole) if knows_tracks else whole
            del walked, entries, whole
            stored = {m: _behind(entry) for m, entry in stored.items()}

    def _knows_tracks(self, stored: Mapping[str, CacheEntry]) -> bool:
        """Return whether no walk is needed for face tracks, if the main face has these entries."""
        if self._max_faces == 1:
            return True
        if self._cache is None or not all(m in stored for m in self._with_faces):
            return False
        if all(self._has_tracks(chunk) for chunk in self._planned):
            return True
        # Where one face was seen at a time, there is none beside the main one.
        last = self._planned[-1]
        entries = [self._get(m, last) for m in self._with_faces]
        return not any(w.endswith(ONLY_MAIN) for e in entries if e for w in e.warnings)

    def _has_tracks(self, chunk: Chunk) -> bool:
        tracks = self._get_tracks(chunk)
        return tracks is not None and all(
            self._get(m, chunk, lane) for lane in tracks.other_lanes for m in self._with_faces
        )

    def _with_tracks(self, walked: WalkedChunk) -> WalkedChunk:
        """Add the stored tracks and lanes of a chunk, if they were asked for."""
        tracks = self._get_tracks(walked.chunk) if self._max_faces > 1 else None
        if tracks is None:
            return walked
        lanes = {
            lane: {m: e for m in self._with_faces if (e := self._get(m, walked.chunk, lane))}
            for lane in tracks.other_lanes
        }
        return replace(walked, tracks=tracks, lanes=lanes)

    def _get(self, modality: str, chunk: Chunk, lane: int = MAIN_LANE) -> CacheEntry | None:
        # A front-end that needs nothing of the clip reads a file of its own, which may change.
        if self._cache is None or not self._front_ends[modality].entry.inputs:
            return None
        return self._cache.get(self._key(modality, chunk, lane))

    def _get_tracks(self, chunk: Chunk) -> ChunkTracks | None:
        return self._cache.get_tracks(self._tracks_key(chunk)) if self._cache else None

    def _put(self, walked: WalkedChunk) -> None:
        chunk = walked.chunk
        if self._cache is None or chunk not in self._planned:
            return
        for lane, entries in {MAIN_LANE: walked.entries, **walked.lanes}.items():
            for modality, entry in entries.items():
                if self._front_ends[modality].entry.inputs:
                    self._cache.put(self._key(modality, chunk, lane), entry)
        if walked.tracks is not None:
            self._cache.put_tracks(self._tracks_key(chunk), walked.tracks)

    def _key(self, modality: str, chunk: Chunk, lane: int) -> str:
        bound, start_s = self._front_ends[modality], self._starts_s[modality]
        inputs = cache_inputs(self._media, bound, self._config, start_s)
        if lane != MAIN_LANE:
            inputs |= {"lane": lane, "max_faces": self._max_faces}
        return self._key_of(inputs, chunk)

    def _tracks_key(self, chunk: Chunk) -> str:
        inputs = {
            "media": self._media.sha256,
            "face_tracks": self._max_faces,
            "config": _config_inputs(self._config),
        }
        return self._key_of(inputs | _audio_choice(self._media), chunk)

    def _key_of(self, inputs: dict[str, object], chunk: Chunk) -> str:
        if len(self._planned) > 1:
            inputs["chunk"] = (chunk.start, chunk.stop)
        return cache_key(inputs)


def _behind(entry: CacheEntry) -> CacheEntry:
    """Return an entry without rows, for chunks behind the end of a modality."""
    none = FeatureRows(entry.rows.values[:0], entry.rows.present[:0])
    return replace(entry, rows=none, opt_outs=())


def cache_inputs(
    media: Media, bound: BoundFrontEnd, config: FeaturesConfig, start_s: float
) -> dict[str, object]:
    """List everything that the rows of a modality depend on, for :func:`cache_key`."""
    inputs: dict[str, object] = {
        "media": media.sha256,
        "front_end": (bound.entry.name, bound.entry.version),
        "settings": bound.settings.model_dump(mode="json"),
        "config": _config_inputs(config),
    }
    inputs |= {"start_s": start_s} if start_s else {}
    # A file of weights can change under its name.
    files = {
        name: sha256_of(value)
        for name, value in bound.settings
        if isinstance(value, Path) and value.is_file()
    }
    inputs |= {"files": files} if files else {}
    return inputs | (_audio_choice(media) if "audio" in bound.entry.inputs else _zero(media))


def _config_inputs(config: FeaturesConfig) -> dict[str, object]:
    return config.model_dump(mode="json", include={"stride_s", "media", "tracks"})


def _audio_choice(media: Media) -> dict[str, object]:
    """Return the audio track for :func:`cache_key`; nothing for the first."""
    if media.audio is None or media.audio.track in (None, 1):
        return {}
    return {"audio_track": media.audio.track, "zero_s": media.zero_s}


def _zero(media: Media) -> dict[str, object]:
    """Return the one thing of an audio track that moves frames: it can begin sooner than they."""
    start_s = media.video.start_s if media.video else 0.0
    return {"video_start_s": start_s} if start_s else {}


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
