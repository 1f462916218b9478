"""Extraction of a clip's features, chunk by chunk.

Where silence is trimmed, the grid starts at the first cell behind it. Rows of frames are
cut there after they were cached, so that they are computed once for either way. Rows of audio
are not: a front-end may state them relative to the mean of the clip, as ``log-mel`` does, and
rows that were cut from a whole clip would still tell how much silence there was.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.cached_walk import CachedWalk, cached_audio_start_s
from mmmsba_plugin.features.chunks import plan_live_chunks
from mmmsba_plugin.features.combine import ChunkFeatures, Lane, combine, join
from mmmsba_plugin.features.face_tracks import ChunkTracks
from mmmsba_plugin.features.front_ends import BoundFrontEnd, needing_faces
from mmmsba_plugin.features.walk import ONLY_MAIN, WalkedChunk, walk
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import ClipFeatures
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
    start_s = cached_audio_start_s(media, config, cache)
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
    chunks = CachedWalk(media, front_ends, config, starts_s, cache, max_faces=max_faces)
    yield from _combined(chunks, grid, starts_s, needing_faces(front_ends))


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
    yield from _combined(walked, grid, starts_s, needing_faces(front_ends))


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
            end_s=None if is_last else min(chunk.stop_s, walked.stop_s),
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
            lanes = tuple(_lanes(walked, walked.tracks, features, starts_s, with_faces))
        own = slice(max(0, chunk.keep_start - offset), stop)
        yield ChunkFeatures(features, own, walked.tracks, lanes)
        # Rows are the most of what is in memory, and the next ones are coming.
        del walked, features, lanes


def _lanes(
    walked: WalkedChunk,
    tracks: ChunkTracks,
    features: ClipFeatures,
    starts_s: Mapping[str, float],
    with_faces: Sequence[str],
) -> Iterator[Lane]:
    """Combine the modalities with the face of each lane, that of the main face first.

    A lane has the face track of each snippet that has rows of a face, 0 for none.

    Args:
        walked: The chunk.
        tracks: Its face tracks.
        features: Its features with the main face.
        starts_s: Start of each modality's rows, in seconds.
        with_faces: The modalities that need faces.
    """
    for lane in (MAIN_LANE, *tracks.other_lanes):
        if lane == MAIN_LANE:
            of_lane = features
        else:
            entries = {
                modality: (entry, walked.chunk.grid_from(starts_s[modality]))
                for modality, entry in {**walked.entries, **walked.lanes[lane]}.items()
            }
            of_lane = combine(entries, features.grid, end_s=features.end_s)
        track_ids = tracks.track_ids(lane, of_lane.grid, of_lane.num_snippets)
        has_face = np.any([of_lane.rows[m].present for m in with_faces], axis=0)
        yield Lane(of_lane, np.where(has_face, track_ids, 0))
