"""One walk through a clip that feeds every front-end what it needs.

Each medium is decoded once, however many front-ends need it, and no more of the clip is held
than they hold. Observations come in time order on the clip's own clock, so a front-end that
needs audio and faces gets both together; of what starts at the same time, audio comes first,
then the frame, then the face in it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from mmmsba_plugin.config import Config, FeaturesConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.features.opt_outs import AudioOptOuts, FaceOptOuts
from mmmsba_plugin.hookspecs import FeatureExtractor, FrontEnd, Input
from mmmsba_plugin.schema import Media, OptOut
from mmmsba_plugin.segment import Segment, gaps
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid, s_to_samples
from mmmsba_plugin.tracks.link import FaceObservation, follow_main_face

NO_AUDIO_STREAM = "no audio stream"
NO_VIDEO_STREAM = "no video stream"
NO_AUDIO = "the audio has ended"
NO_FRAME = "the frames have ended"
NO_ROWS = "no features"

_Timed = tuple[float, "AudioBlock | FaceObservation"]


@dataclass(frozen=True, slots=True)
class BoundFrontEnd:
    """A front-end with its settings."""

    entry: FrontEnd
    settings: Config

    def build(self) -> FeatureExtractor:
        """Build an extractor for one clip."""
        return self.entry.build(self.settings)


def walk(
    media: Media,
    front_ends: Mapping[str, BoundFrontEnd],
    grids: Mapping[str, Grid],
    config: FeaturesConfig,
) -> dict[str, CacheEntry]:
    """Compute the features of some modalities of a clip, without a cache.

    A front-end that needs several media has rows only while all of them last, and none where
    its audio opts out.

    Args:
        media: The clip, as ``probe`` describes it.
        front_ends: The front-end of each modality.
        grids: The grid of each modality's rows; nothing from before its start is fed.
        config: How the clip is decoded and how faces are tracked.

    Raises:
        FeatureError: A front-end returned rows that do not fit.
        MediaUnreadableError: A stream cannot be decoded.
    """
    extractors = {modality: bound.build() for modality, bound in front_ends.items()}
    for modality, extractor in extractors.items():
        extractor.start(media, grids[modality])
    needs = {modality: bound.entry.inputs for modality, bound in front_ends.items()}
    source = _Source(media, frozenset[Input]().union(*needs.values()), config)
    for observation, kind in source:
        for modality, extractor in extractors.items():
            if kind in needs[modality] and (fed := _since(grids[modality], observation)):
                extractor.add(fed)
    return {m: source.entry(extractors[m], needs[m], grids[m]) for m in front_ends}


class _Source:
    """The decoded media of one clip, and what opts out of them."""

    def __init__(self, media: Media, inputs: frozenset[Input], config: FeaturesConfig) -> None:
        from mmmsba_plugin.media.audio import AudioReader
        from mmmsba_plugin.media.video import FrameReader

        self._media, self._inputs, self._config = media, inputs, config
        self._audio_reader = self._frame_reader = None
        if "audio" in inputs and media.audio:
            self._audio_reader = AudioReader(media, sample_rate_hz=config.media.sample_rate_hz)
        if inputs & {"faces", "frames"} and media.video:
            size_px = config.media.max_short_side_px
            self._frame_reader = FrameReader(media, max_short_side_px=size_px)
        self._audio, self._faces, self._frames = AudioOptOuts(), FaceOptOuts(), FaceOptOuts()

    def __iter__(self) -> Iterator[tuple[AudioBlock | Frame | FaceCrop, Input]]:
        streams: list[Iterable[_Timed]] = []
        if self._audio_reader:
            streams.append((block.start_s, block) for block in self._audio_reader)
        if self._frame_reader:
            faces: Iterable[FaceObservation] = (
                follow_main_face(self._frame_reader, self._config.tracks)
                if "faces" in self._inputs
                else (FaceObservation(frame, None, None, 0) for frame in self._frame_reader)
            )
            streams.append((face.frame.pts_s, face) for face in faces)
        for _, observation in heapq.merge(*streams, key=itemgetter(0)):
            if isinstance(observation, AudioBlock):
                self._audio.add(observation)
                yield observation, "audio"
                continue
            self._faces.add(observation)
            self._frames.add(FaceObservation(observation.frame, None, None, 0))
            yield observation.frame, "frames"
            if observation.face is not None:
                yield observation.face, "faces"

    def entry(
        self, extractor: FeatureExtractor, inputs: AbstractSet[Input], grid: Grid
    ) -> CacheEntry:
        """Finish the rows of one front-end, after the walk."""
        if not inputs:
            end_s = self._media.duration_s or 0.0
            return CacheEntry(finish(extractor, grid, end_s), (), end_s, NO_ROWS, ())
        needs_audio, needs_video = "audio" in inputs, bool(inputs & {"faces", "frames"})
        if needs_audio and self._audio_reader is None:
            return CacheEntry(extractor.finish(0), (), 0.0, NO_AUDIO_STREAM, ())
        if needs_video and self._frame_reader is None:
            return CacheEntry(extractor.finish(0), (), 0.0, NO_VIDEO_STREAM, ())
        visual = self._faces if "faces" in inputs else self._frames
        ends = [(self._audio.end_s, NO_AUDIO)] if needs_audio else []
        ends += [(visual.end_s, NO_FRAME)] if needs_video else []
        end_s, afterwards = min(ends)
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
            warnings=self._warnings(inputs),
        )

    def _warnings(self, inputs: AbstractSet[Input]) -> tuple[str, ...]:
        warnings: list[str] = []
        if self._audio_reader and "audio" in inputs:
            warnings += self._audio_reader.damage.warnings()
        if self._frame_reader and inputs & {"faces", "frames"}:
            warnings += self._frame_reader.damage.warnings()
        return (*warnings, *(self._faces.warnings() if "faces" in inputs else ()))


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
