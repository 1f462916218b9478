"""One walk through a clip that feeds every front-end what it needs.

Each medium is decoded once, however many front-ends need it, and no more of the clip is held
than they hold. Observations come in time order on the clip's own clock, so a front-end that
needs audio and faces gets both together; of what starts at the same time, audio comes first,
then the frame, then the face in it.

Of several faces, each beside the main one takes up a lane, with extractors of its own for what
needs faces. They begin with the first face in that lane, so a clip with one face costs no more.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import chain, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, cast

import numpy as np

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.features.chunks import Chunk
from mmmsba_plugin.features.face_tracks import ChunkTracks, TrackCollector
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.features.opt_outs import AudioOptOuts, FaceOptOuts
from mmmsba_plugin.hookspecs import FeatureExtractor, Input
from mmmsba_plugin.memory import return_freed_memory
from mmmsba_plugin.run_control import Progress, check
from mmmsba_plugin.schema import Media, OptOut
from mmmsba_plugin.segment import Segment, gaps
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid, s_to_samples
from mmmsba_plugin.tracks.link import FaceObservation, follow_faces, follow_main_face

if TYPE_CHECKING:
    from mmmsba_plugin.media.packets import Decoder, Kind

NO_AUDIO_STREAM = "no audio stream"
NO_VIDEO_STREAM = "no video stream"
NO_AUDIO = "the audio has ended"
NO_FRAME = "the frames have ended"
NO_ROWS = "no features"

#: End of the warning about faces that nothing was said of; the number of faces comes before.
ONLY_MAIN = "faces in view; only the main one was judged"

#: Length of a block of audio, in seconds.
_BLOCK_S = 1.0

_Timed = tuple[float, "AudioBlock | FaceObservation"]


@dataclass(frozen=True, slots=True)
class WalkedChunk:
    """Features of one chunk of a clip.

    Attributes:
        chunk: The chunk.
        entries: The features of each modality that was asked for.
        is_last: Whether the clip ends with it.
        lanes: For each lane beside that of the main face, the features of each modality that
            needs faces.
        tracks: The face tracks of the chunk; None where only the main face was followed.
        stop_s: End of what was read for it, in seconds: sooner than its own where the clip ended.
    """

    chunk: Chunk
    entries: dict[str, CacheEntry]
    is_last: bool = False
    lanes: dict[int, dict[str, CacheEntry]] = field(default_factory=dict)
    tracks: ChunkTracks | None = None
    stop_s: float = math.inf

    @property
    def end_s(self) -> float:
        """End of the longest modality, in seconds."""
        return max(entry.end_s for entry in self.entries.values())


def walk(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    starts_s: Mapping[str, float],
    config: FeaturesConfig,
    chunks: Iterable[Chunk],
    *,
    decoders: "Mapping[Kind, Decoder] | None" = None,
    max_faces: int = 1,
) -> Iterator[WalkedChunk]:
    """Compute the features of some modalities of a clip, chunk by chunk, without a cache.

    A front-end that needs several media has rows only while all of them last, and none where
    its audio opts out.

    Args:
        media: The clip, as ``probe`` describes it.
        front_ends: The front-end of each modality.
        starts_s: Start of each modality's rows, in seconds; nothing from before it is fed.
        config: How the clip is decoded and how faces are tracked.
        chunks: Where the clip is cut; see :func:`mmmsba_plugin.features.chunks.plan_chunks`.
        decoders: Where frames and audio come from, if not from the file.
        max_faces: Number of faces that are followed at a time.

    Yields:
        At least one chunk.

    Raises:
        FeatureError: A front-end returned rows that do not fit.
        MediaUnreadableError: A stream cannot be decoded.
        RunCancelledError: It was stopped; see :mod:`mmmsba_plugin.run_control`.
    """
    source = _Source(media, front_ends, config, decoders or {}, max_faces=max_faces)
    active, plan = deque[_Extraction](), iter(chunks)
    following = next(plan)
    for time_s, observation in source:
        check(Progress("seconds", time_s, media.duration_s))
        # A block of audio lasts beyond the moment at which it comes.
        while time_s >= following.start_s - _BLOCK_S:
            active.append(_Extraction(following, source, starts_s))
            following = next(plan)
        while time_s >= active[0].chunk.stop_s:
            yield active.popleft().finish()
        for extraction in active:
            extraction.add(observation)
    source.has_ended = True
    if not active:
        active.append(_Extraction(following, source, starts_s))
        following = next(plan)
    rest = [extraction.finish() for extraction in active]
    end_s = max(walked.end_s for walked in rest)
    num_snippets = following.whole.num_snippets(end_s)
    # A front-end that needs nothing of the clip can have rows behind the last observation.
    unseen = takewhile(lambda chunk: chunk.keep_start < num_snippets, chain([following], plan))
    later = (_Extraction(chunk, source, starts_s).finish() for chunk in unseen)
    for walked in chain(rest, later):
        if walked is rest[0] or walked.chunk.keep_start < num_snippets:
            is_last = walked.chunk.keep_stop >= num_snippets
            yield replace(walked, is_last=is_last, stop_s=end_s)


class _Source:
    """The decoded media of one clip, for some front-ends."""

    def __init__(
        self,
        media: Media,
        front_ends: Mapping[str, BoundFrontEnd],
        config: FeaturesConfig,
        decoders: "Mapping[Kind, Decoder]",
        *,
        max_faces: int,
    ) -> None:
        from mmmsba_plugin.media.audio import AudioReader
        from mmmsba_plugin.media.video import FrameReader

        self.media, self.front_ends, self._config = media, front_ends, config
        self._inputs = frozenset[Input]().union(*(b.entry.inputs for b in front_ends.values()))
        self.audio_reader = self.frame_reader = None
        if "audio" in self._inputs and media.audio:
            rate_hz = config.media.sample_rate_hz
            decoder = decoders.get("audio")
            self.audio_reader = AudioReader(
                media, sample_rate_hz=rate_hz, block_s=_BLOCK_S, decoder=decoder
            )
        if self._inputs & {"faces", "frames"} and media.video:
            self.frame_reader = FrameReader(
                media,
                max_short_side_px=config.media.max_short_side_px,
                max_fps_hz=config.media.max_fps_hz,
                decoder=decoders.get("video"),
            )
        self.max_faces = max_faces if "faces" in self._inputs and self.frame_reader else 1
        self.has_ended = False
        self._num_faces = 0

    def __iter__(self) -> Iterator[_Timed]:
        streams: list[Iterable[_Timed]] = []
        if self.audio_reader:
            streams.append((block.start_s, block) for block in self.audio_reader)
        if self.frame_reader:
            faces = self._faces(self.frame_reader)
            streams.append((face.frame.pts_s, face) for face in faces)
        for time_s, observation in heapq.merge(*streams, key=itemgetter(0)):
            if isinstance(observation, FaceObservation) and observation.face is not None:
                self._num_faces = max(self._num_faces, observation.num_faces)
            yield time_s, observation

    def _faces(self, frames: Iterable[Frame]) -> Iterable[FaceObservation]:
        if "faces" not in self._inputs:
            return (FaceObservation(frame, None, None, 0) for frame in frames)
        tracks = self._config.tracks
        if self.max_faces > 1:
            return follow_faces(frames, tracks, max_faces=self.max_faces)
        return follow_main_face(frames, tracks)

    def warnings(self, inputs: AbstractSet[Input]) -> tuple[str, ...]:
        """List what a reader of the report should know; nothing while media are being read."""
        warnings: list[str] = []
        if not self.has_ended:
            return ()
        if self.audio_reader and "audio" in inputs:
            warnings += self.audio_reader.damage.warnings()
        if self.frame_reader and inputs & {"faces", "frames"}:
            warnings += self.frame_reader.damage.warnings()
        if "faces" in inputs and self._num_faces > 1:
            warnings.append(f"{self._num_faces} {ONLY_MAIN}")
        return tuple(warnings)


class _Extraction:
    """The extractors of one chunk, and what opts out of it."""

    def __init__(self, chunk: Chunk, source: _Source, starts_s: Mapping[str, float]) -> None:
        self.chunk, self._source = chunk, source
        self._grids = {m: chunk.grid_from(starts_s[m]) for m in source.front_ends}
        self._extractors = self._build(source.front_ends)
        codec = source.media.audio.codec if source.media.audio else ""
        self._audio, self._faces, self._frames = AudioOptOuts(codec), FaceOptOuts(), FaceOptOuts()
        self._lanes: dict[int, dict[str, FeatureExtractor]] = {}
        # What a lane that begins later is to hear.
        self._blocks: list[AudioBlock] = []
        self._tracks = (
            TrackCollector(chunk, max_faces=source.max_faces) if source.max_faces > 1 else None
        )

    def _build(self, modalities: Iterable[str]) -> dict[str, FeatureExtractor]:
        """Build the extractors of some modalities, ready for the chunk."""
        extractors = {m: self._source.front_ends[m].build() for m in modalities}
        for modality, extractor in extractors.items():
            extractor.start(self._source.media, self._grids[modality])
        return extractors

    def add(self, observation: AudioBlock | FaceObservation) -> None:
        """Take in a block of audio, or a frame with the main face in it."""
        seen_grid = self.chunk.grid_from(0.0)
        if isinstance(observation, AudioBlock):
            if block := cast("AudioBlock | None", _since(seen_grid, observation)):
                self._audio.add(block)
                self._feed(block, "audio")
                if self._tracks is not None:
                    self._blocks.append(block)
        elif _since(seen_grid, observation.frame):
            self._faces.add(observation)
            self._frames.add(FaceObservation(observation.frame, None, None, 0))
            self._feed(observation.frame, "frames")
            if observation.face is not None:
                self._feed_to(self._extractors, observation.face, "faces")
            for other in observation.others:
                self._feed_to(self._in_lane(other.lane), other.face, "faces")
            if self._tracks is not None:
                self._tracks.add(observation)

    def _in_lane(self, lane: int) -> dict[str, FeatureExtractor]:
        """Return the extractors of a lane, which have heard what came before its first face."""
        if lane not in self._lanes:
            need_faces = [
                m for m, b in self._source.front_ends.items() if "faces" in b.entry.inputs
            ]
            self._lanes[lane] = self._build(need_faces)
            for block in self._blocks:
                self._feed_to(self._lanes[lane], block, "audio")
        return self._lanes[lane]

    def _feed(self, observation: AudioBlock | Frame, kind: Input) -> None:
        for extractors in (self._extractors, *self._lanes.values()):
            self._feed_to(extractors, observation, kind)

    def _feed_to(
        self,
        extractors: Mapping[str, FeatureExtractor],
        observation: AudioBlock | Frame | FaceCrop,
        kind: Input,
    ) -> None:
        for modality, extractor in extractors.items():
            grid, inputs = self._grids[modality], self._source.front_ends[modality].entry.inputs
            # Rows can start behind the chunk, where leading silence is left out.
            if kind not in inputs or grid.start_s >= self.chunk.stop_s:
                continue
            if fed := _since(grid, observation):
                extractor.add(fed)

    def finish(self) -> WalkedChunk:
        """Finish the rows of all modalities."""
        return_freed_memory()
        return WalkedChunk(
            self.chunk,
            {m: self._entry(m, extractor) for m, extractor in self._extractors.items()},
            lanes={
                lane: {m: self._entry(m, extractor) for m, extractor in extractors.items()}
                for lane, extractors in self._lanes.items()
            },
            tracks=None if self._tracks is None else self._tracks.finish(self._blocks),
        )

    def _entry(self, modality: str, extractor: FeatureExtractor) -> CacheEntry:
        grid = self._grids[modality]
        inputs, source = self._source.front_ends[modality].entry.inputs, self._source
        if not inputs:
            end_s = source.media.duration_s or 0.0
            rows = finish(extractor, grid, min(end_s, self.chunk.stop_s))
            return CacheEntry(rows, (), end_s, NO_ROWS, ())
        needs_audio, needs_video = "audio" in inputs, bool(inputs & {"faces", "frames"})
        if needs_audio and source.audio_reader is None:
            return CacheEntry(extractor.finish(0), (), 0.0, NO_AUDIO_STREAM, ())
        if needs_video and source.frame_reader is None:
            return CacheEntry(extractor.finish(0), (), 0.0, NO_VIDEO_STREAM, ())
        visual = self._faces if "faces" in inputs else self._frames
        ends = [(self._audio.end_s, NO_AUDIO)] if needs_audio else []
        ends += [(visual.end_s, NO_FRAME)] if needs_video else []
        end_s, afterwards = min((*ends, (self.chunk.stop_s, "")))
        rows = finish(extractor, grid, end_s)
        audio = self._audio.opt_outs() if needs_audio else ()
        opt_outs = audio
        if needs_video:
            # One reason a moment: where audio opts out, that reason is the one.
            unheard = [Segment(opt_out.start_s, opt_out.end_s) for opt_out in audio]
            opt_outs = tuple(
                OptOut(start_s=rest.start_s, end_s=rest.end_s, reason=unseen.reason)
                for unseen in visual.opt_outs(grid, rows.present)
                for rest in gaps(unheard, Segment(unseen.start_s, unseen.end_s))
            )
            opt_outs = tuple(sorted((*audio, *opt_outs), key=lambda opt_out: opt_out.start_s))
        return CacheEntry(
            rows=_without(rows, audio, grid, end_s) if needs_audio else rows,
            opt_outs=opt_outs,
            end_s=end_s,
            afterwards=afterwards,
            warnings=source.warnings(inputs),
        )


def _since(
    grid: Grid, observation: AudioBlock | Frame | FaceCrop
) -> AudioBlock | Frame | FaceCrop | None:
    """Cut what lies before the start of a grid off an observation; None if nothing is left."""
    if not grid.start_s:
        return observation
    if not isinstance(observation, AudioBlock):
        return observation if grid.index_at(observation.pts_s) >= 0 else None
    if observation.start_s >= grid.start_s:
        return observation
    num_cut = s_to_samples(grid.start_s - observation.start_s, observation.sample_rate_hz)
    rest = observation.samples[num_cut:]
    return AudioBlock(grid.start_s, rest, observation.sample_rate_hz) if rest.size else None


def finish(extractor: FeatureExtractor, grid: Grid, end_s: float) -> FeatureRows:
    """Finish an extractor's rows up to the end of its clip.

    Raises:
        FeatureError: There is not one row for each snippet.
    """
    num_snippets = grid.num_snippets(end_s)
    rows = extractor.finish(num_snippets)
    if len(rows) != num_snippets:
        raise FeatureError(
            f"{type(extractor).__name__} returned {len(rows)} rows for {num_snippets} snippets; "
            "a front-end must return one row a snippet"
        )
    return rows


def _without(
    rows: FeatureRows, opt_outs: tuple[OptOut, ...], grid: Grid, end_s: float
) -> FeatureRows:
    """Mark rows in an opted-out segment as not present.

    A last cell of which less than half is left counts by the last moment of it that is.
    """
    starts_s, centers_s = grid.starts_s(len(rows)), grid.centers_s(len(rows))
    centers_s = np.minimum(centers_s, (starts_s + max(end_s, 0.0)) / 2)
    present = rows.present.copy()
    for opt_out in opt_outs:
        present &= ~((opt_out.start_s <= centers_s) & (centers_s < opt_out.end_s))
    return FeatureRows(np.where(present[:, None], rows.values, np.float32(0)), present)
