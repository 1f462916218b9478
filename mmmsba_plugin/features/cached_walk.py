"""A walk through a clip for its features, of which a cache may have some or all."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.cache import CacheEntry, FeatureCache, cache_key
from mmmsba_plugin.features.chunks import Chunk, num_chunks, plan_chunks
from mmmsba_plugin.features.face_tracks import ChunkTracks
from mmmsba_plugin.features.front_ends import BoundFrontEnd, needing_faces
from mmmsba_plugin.features.walk import ONLY_MAIN, WalkedChunk, walk
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.tracks.link import MAIN_LANE


class CachedWalk:
    """A walk through a clip for the features that the cache lacks; it yields those of all chunks.

    Args:
        media: The clip, with its hash where a cache is given.
        front_ends: The front-end of each modality.
        config: The grid, how the clip is decoded, and how long a chunk is.
        starts_s: Start of each modality's rows, in seconds.
        cache: Where features are kept between runs; nothing is kept if None.
        max_faces: Number of faces that are followed at a time.
    """

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
        self._with_faces = needing_faces(front_ends)
        self._max_faces = max_faces if self._with_faces and media.video else 1
        duration_s, chunk_s = media.duration_s, config.chunk_s
        self._plan = partial(plan_chunks, duration_s, stride_s=config.stride_s, chunk_s=chunk_s)
        self._planned = [*islice(self._plan(), num_chunks(duration_s, chunk_s=chunk_s))]

    def __iter__(self) -> Iterator[WalkedChunk]:
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
            # Of a modality that was stored, nothing is left in the chunks behind the first.
            stored = {m: _without_rows(entry) for m, entry in stored.items()}

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


def _without_rows(entry: CacheEntry) -> CacheEntry:
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
    if "audio" in bound.entry.inputs:
        return inputs | _audio_choice(media)
    # The one thing of an audio track that moves frames: it can begin sooner than they.
    video_start_s = media.video.start_s if media.video else 0.0
    return inputs | ({"video_start_s": video_start_s} if video_start_s else {})


def _config_inputs(config: FeaturesConfig) -> dict[str, object]:
    return config.model_dump(mode="json", include={"stride_s", "media", "tracks"})


def _audio_choice(media: Media) -> dict[str, object]:
    """Return the audio track for :func:`cache_key`; nothing for the first."""
    if media.audio is None or media.audio.track in (None, 1):
        return {}
    return {"audio_track": media.audio.track, "zero_s": media.zero_s}


def cached_audio_start_s(media: Media, config: FeaturesConfig, cache: FeatureCache | None) -> float:
    """Find where a clip's audio starts, in seconds; infinite if all of it is silent.

    Raises:
        FeatureError: The file was not read.
    """
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
