"""Works on one real clip: writes it, forges variants of it, and says what was done.

Whatever leaves goes through a chain of processing and an encoder, real or not, drawn
anew for each file by its number, which tells nobody whether it is fake. Otherwise the
chain would be the label.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config, TracksConfig
from mmmsba_plugin.datasets.lavdf_metadata import Entry, entry
from mmmsba_plugin.forge.apply import ForgedClip, forge_clip
from mmmsba_plugin.forge.augment.audio import mix
from mmmsba_plugin.forge.augment.pipeline import Processing, ProcessingConfig, draw_processing
from mmmsba_plugin.forge.augment.video import at_rate, develop
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.face_trace import replace_frames
from mmmsba_plugin.forge.plan import SegmentConfig
from mmmsba_plugin.forge.recipes import ForgerSet, Recipe
from mmmsba_plugin.forge.source_clip import (
    FaceTraceStore,
    FrameCache,
    SourceClip,
    read_source_audio,
)
from mmmsba_plugin.forge.sources import Source, seed_of
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import frames_to_s

#: Sources of chance that must not know of each other.
_CASTING, _FORGING, _PROCESSING, _NOISE = range(4)
#: A clip shorter than this is not cut, in seconds: fake stretches need the room.
_MIN_CUT_S = 3.0
_MB = 2**20


class ForgeConfig(Config):
    """How a dataset is fake."""

    segments: SegmentConfig = Field(
        default=SegmentConfig(), description="How long and how many fake stretches are."
    )
    mixed_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of variants that two forgers of one modality work on.",
    )
    min_clip_s: float = Field(default=1.0, gt=0, description="Shorter clips are left out.")
    max_short_side_px: int = Field(
        default=540, ge=64, description="Frames are scaled down to this, in px."
    )
    sample_rate_hz: int = Field(default=16_000, ge=8_000, description="Of the written audio.")
    frame_cache_mb: int = Field(
        default=256,
        ge=0,
        description="Frames of a clip that are kept in memory instead of being read anew, in MB.",
    )
    processing: ProcessingConfig = Field(
        default=ProcessingConfig(), description="What happens to all files, real or not."
    )
    tracks: TracksConfig = Field(
        default=TracksConfig(), description="How the face is found and followed."
    )


class VariantWriter:
    """One real clip and what is made of it.

    Args:
        source: The clip.
        out_dir: The dataset that is being written.
        traces: Where the face is, in this clip and in others.
        config: How it is fake.
        seed: Of the whole dataset.
    """

    def __init__(
        self,
        source: Source,
        out_dir: Path,
        *,
        traces: FaceTraceStore,
        config: ForgeConfig,
        seed: int,
    ) -> None:
        self._source, self._out_dir, self._traces = source, out_dir, traces
        self._config, self._seed = config, seed

    @cached_property
    def footage(self) -> SourceClip:
        """The clip as it is."""
        reel = self._traces.frames_of(self._source, max_bytes=self._config.frame_cache_mb * _MB)
        return SourceClip(
            reel,
            face=self._traces.load(self._source, reel),
            audio=read_source_audio(self._source, self._config.sample_rate_hz),
            fps_hz=fps_of(self._source.media),
            sample_rate_hz=self._config.sample_rate_hz,
        )

    def recipes(self, cast: ForgerSet, number: int) -> Iterator[Recipe]:
        """Yield what to try for a variant of this clip, the best first.

        Args:
            cast: The forgers there are.
            number: Which variant, from 0.
        """
        seen = bool((self.footage.face.track >= 0).any())
        able = cast.only(audio=bool(np.any(self.footage.audio)), frames=seen)
        rng = self._rng(0, _CASTING)
        return able.recipes(number, mixed_share=self._config.mixed_share, rng=rng)

    def file_numbers(self, num_files: int) -> list[int]:
        """Return the numbers of all files of this clip, in an order that tells nothing."""
        return [int(n) for n in self._rng(1, _CASTING).permutation(num_files)]

    def copy(self, number: int) -> Entry:
        """Write the real clip as a file of that number, and return what to say of it."""
        footage, processing = self._edited(number)
        return self._write(number, processing, footage, ForgedClip(footage.audio, {}, ()))

    def forge(self, number: int, recipe: Recipe, lenders: Donors, *, original: int) -> Entry:
        """Write a forged variant as a file of that number, and return what to say of it.

        Args:
            number: Of the file.
            recipe: What it is forged with.
            lenders: Other clips, for forgers that need them.
            original: Number of the real file it is said to come from.

        Raises:
            FeatureError: The clip cannot be forged with this.
        """
        footage, processing = self._edited(number)
        rng = self._rng(number, _FORGING)
        forgery = forge_clip(
            footage, recipe, lenders=lenders, config=self._config.segments, rng=rng
        )
        return self._write(number, processing, footage, forgery) | {
            "original": self._file(original)
        }

    def _rng(self, number: int, purpose: int) -> np.random.Generator:
        """Return a source of chance; the same whatever was made before."""
        return np.random.default_rng([self._seed, seed_of(self._source.name), number, purpose])

    def _edited(self, number: int) -> tuple[SourceClip, Processing]:
        """Return the clip with its clean cut, if it gets one, and what else will be done."""
        footage, rng = self.footage, self._rng(number, _PROCESSING)
        drawn = draw_processing(self._config.processing, fps_hz=float(footage.fps_hz), rng=rng)
        if drawn.cut is None:
            return footage, drawn
        where, lost_s = drawn.cut
        start_s = where * footage.duration_s
        ends = (footage.face.nearest_edge(t) for t in (start_s, start_s + lost_s))
        cut = range(*ends)
        whole = not cut or cut.start == 0 or cut.stop >= footage.face.num_frames
        if whole or footage.duration_s < _MIN_CUT_S:
            return footage, drawn.model_copy(update={"cut": None})
        return footage.without(cut), drawn

    def _write(
        self, number: int, processing: Processing, footage: SourceClip, forgery: ForgedClip
    ) -> Entry:
        """Write a file, and return what to say of it."""
        file, rng = self._file(number), self._rng(number, _NOISE)
        rate_hz = self._config.sample_rate_hz
        audio = mix(forgery.audio, processing, sample_rate_hz=rate_hz, rng=rng)
        frames: Iterable[Frame] = develop(
            replace_frames(footage.frames(), forgery.frames), processing, rng
        )
        fps_hz = footage.fps_hz
        if processing.fps_hz is not None:
            fps_hz = Fraction(processing.fps_hz)
            frames = at_rate(frames, fps_hz, footage.duration_s)
            forgery = forgery.shown_at(fps_hz)
        counted = _Counted(frames)
        with self._compressed_before(number, processing, counted, audio, fps_hz) as (seen, heard):
            write_clip(
                self._out_dir / file,
                seen,
                fps_hz=fps_hz,
                audio=heard if heard.size else None,
                sample_rate_hz=rate_hz,
                crf=processing.crf,
                encoder=processing.encoder,
                audio_bit_rate=processing.audio_bit_rate,
            )
        return entry(
            file=file,
            split=self._source.candidate.split,
            identity=self._source.candidate.identity,
            kind=forgery.kind or "real",
            duration_s=counted.end_s(fps_hz),
            num_frames=counted.num,
            num_audio_samples=audio.size,
            visual=forgery.times("visual"),
            audio=forgery.times("audio"),
            details={
                "source": self._source.candidate.key,
                "operations": [done.told() for done in forgery.operations],
                "processing": processing.told(),
            },
        )

    @contextmanager
    def _compressed_before(
        self,
        number: int,
        processing: Processing,
        frames: Iterable[Frame],
        audio: Audio,
        fps_hz: Fraction,
    ) -> Iterator[tuple[Iterable[Frame], Audio]]:
        """Give what is to be written, compressed and read again if that is to be done twice."""
        if processing.first_crf is None:
            yield frames, audio
            return
        rate_hz = self._config.sample_rate_hz
        path = self._out_dir / f"{self._file(number)}.first.mp4"
        try:
            write_clip(
                path,
                frames,
                fps_hz=fps_hz,
                audio=audio if audio.size else None,
                sample_rate_hz=rate_hz,
                crf=processing.first_crf,
                audio_bit_rate=processing.first_bit_rate,
            )
            media = probe(path, with_hash=False)
            heard = read_audio(media, sample_rate_hz=rate_hz).samples if audio.size else audio
            heard = np.pad(heard[: audio.size], (0, max(0, audio.size - heard.size)))
            yield FrameCache(media, max_short_side_px=self._config.max_short_side_px), heard
        finally:
            path.unlink(missing_ok=True)

    def _file(self, number: int) -> str:
        return f"{self._source.name}_{number}.mp4"


class _Counted:
    """Counts frames as they pass."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames, self.num, self._last_s = frames, 0, 0.0

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.num, self._last_s = self.num + 1, frame.pts_s
            yield frame

    def end_s(self, fps_hz: Fraction) -> float:
        """Return when the last one ends, in seconds."""
        return self._last_s + frames_to_s(1, fps_hz)
