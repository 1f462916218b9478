"""Write the variants of one real clip, real and forged, and their metadata.

Every file goes through a chain of processing and an encoder, real or not, drawn anew for
each file by its number, which does not depend on whether it is fake. Otherwise the chain
would be the label.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config, TracksConfig
from mmmsba_plugin.datasets.lavdf_metadata import Entry, entry
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.apply import FakeClip, Operation, Refusal, forge_clip
from mmmsba_plugin.forge.augment.audio import mix
from mmmsba_plugin.forge.augment.cutaway import show_cutaway
from mmmsba_plugin.forge.augment.pipeline import Processing, ProcessingConfig, draw_processing
from mmmsba_plugin.forge.augment.video import at_rate, develop
from mmmsba_plugin.forge.both.aligned_fake import AlignedFake, load_aligned
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.face_trace import replace_frames
from mmmsba_plugin.forge.plan import SegmentConfig
from mmmsba_plugin.forge.recipes import ForgerSet, Recipe
from mmmsba_plugin.forge.source_clip import (
    FaceTraceStore,
    FrameCounter,
    SourceClip,
    encode_and_decode,
    read_source_audio,
)
from mmmsba_plugin.forge.sources import Counterpart, Source, seed_from
from mmmsba_plugin.forge.speaker_visibility import measure_visibility
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import frames_to_s

#: Purposes of random numbers that must not depend on each other.
_RECIPES, _FORGING, _PROCESSING, _NOISE, _RECUT = range(5)
#: The name of a fake of a whole clip in the metadata, in the place of a forger's.
WHOLE_FAKE = "fake_full"
#: A clip shorter than this is not cut, in seconds: fake segments need the room.
_MIN_CUT_S = 3.0
#: Compression of the copy that a real file is cut to: CRF of frames, bits a second of audio.
_RECUT_CRF, _RECUT_BIT_RATES = (18, 30), (32_000, 64_000, 96_000)
_MB = 2**20


class ForgeConfig(Config):
    """Settings of a forged dataset."""

    segments: SegmentConfig = Field(
        default=SegmentConfig(), description="Length and number of the fake segments."
    )
    mixed_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of variants that two forgers of one modality work on.",
    )
    recut_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the real files of a clip with a counterpart that are cut to a copy "
        "of themselves, encoded once more, as the fake ones are cut to the counterpart.",
    )
    min_clip_s: float = Field(
        default=1.0, gt=0, description="Shortest clip that is used, in seconds."
    )
    max_short_side_px: int = Field(
        default=540, ge=64, description="Largest short side that frames are scaled down to, in px."
    )
    sample_rate_hz: int = Field(
        default=16_000, ge=8_000, description="Sample rate of the written audio, in Hz."
    )
    frame_cache_mb: int = Field(
        default=256,
        ge=0,
        description="Frames of a clip that stay in memory instead of being read anew, in MB.",
    )
    processing: ProcessingConfig = Field(
        default=ProcessingConfig(), description="Processing of all files, real or fake."
    )
    tracks: TracksConfig = Field(
        default=TracksConfig(), description="Settings of the face tracker."
    )


class VariantWriter:
    """Writer of the variants of one real clip.

    Args:
        source: The clip.
        out_dir: The dataset that is being written.
        traces: The face traces of this clip and of others.
        config: Settings of the dataset.
        seed: Random seed of the whole dataset.
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
        self.source, self._out_dir, self._traces = source, out_dir, traces
        self._config, self._seed = config, seed
        self._fakes = dict[str, AlignedFake]()

    @cached_property
    def clip(self) -> SourceClip:
        """The clip as it is."""
        cache = self._traces.frames_of(self.source, max_bytes=self._config.frame_cache_mb * _MB)
        return SourceClip(
            cache,
            face=self._traces.load(self.source, cache),
            audio=read_source_audio(self.source, self._config.sample_rate_hz),
            fps_hz=fps_of(self.source.media),
            sample_rate_hz=self._config.sample_rate_hz,
        )

    @cached_property
    def visibility(self) -> dict[str, Any]:
        """Metadata that say whether the voice of the real clip is that of the face."""
        if self.source.candidate.fake:
            return {}
        rate_hz = self._config.sample_rate_hz
        visibility = measure_visibility(self.clip.face, self.clip.audio, sample_rate_hz=rate_hz)
        return visibility.to_metadata()

    def recipes(self, forgers: ForgerSet, number: int) -> Iterator[Recipe]:
        """Yield the recipes to try for a variant of this clip, the best first.

        Args:
            forgers: The forgers that can be used.
            number: Number of the variant, from 0.
        """
        counterparts = self.source.candidate.counterparts
        # Variants take turns among the generators.
        turn = seed_from(self.source.name) + number
        counterpart = counterparts[turn % len(counterparts)] if counterparts else None
        if not forgers.select(audio=True, frames=True, counterpart=counterpart).names:
            # Whatever the clip shows: it need not be tracked.
            return
        suitable = self._select(forgers, counterpart)
        rng = self._rng(0, _RECIPES)
        for recipe in suitable.recipes(number, mixed_share=self._config.mixed_share, rng=rng):
            yield replace(recipe, counterpart=counterpart)

    def _select(self, forgers: ForgerSet, counterpart: Counterpart | None) -> ForgerSet:
        has_face = bool((self.clip.face.track >= 0).any())
        has_audio = bool(np.any(self.clip.audio))
        return forgers.select(audio=has_audio, frames=has_face, counterpart=counterpart)

    def file_numbers(self, num_files: int) -> list[int]:
        """Return the numbers of all files of this clip, in an order independent of the label."""
        return [int(n) for n in self._rng(1, _RECIPES).permutation(num_files)]

    def write_real(self, number: int) -> Entry:
        """Write the real clip as a file of that number, and return its metadata."""
        clip, processing = self._processed_clip(number)
        return self._write(number, processing, clip, FakeClip(clip.audio, {}, ()))

    def write_fake(
        self, number: int, recipe: Recipe, donors: Donors, *, original: int
    ) -> Entry | Refusal:
        """Write a forged variant as a file of that number, and return its metadata.

        Args:
            number: Number of the file.
            recipe: The forgers that manipulate it.
            donors: Other clips, for forgers that need them.
            original: Number of the real file that its metadata name as the original.

        Returns:
            The metadata; or a refusal, where the clip cannot be forged with this recipe.
        """
        clip, processing = self._processed_clip(number)
        rng = self._rng(number, _FORGING)
        try:
            aligned = (
                self._load_fake(recipe.counterpart, clip)
                if recipe.counterpart and recipe.needs_counterpart
                else None
            )
        except ForgeError as error:
            return Refusal(str(error))
        fake = forge_clip(
            clip, recipe, donors=donors, config=self._config.segments, rng=rng, aligned=aligned
        )
        if isinstance(fake, Refusal):
            return fake
        details: dict[str, Any] = {"original": self._file(original)}
        if aligned:
            details |= {
                "generator": aligned.counterpart.generator,
                "counterpart": aligned.counterpart.key,
            }
        return self._write(number, processing, clip, fake) | details

    def write_recut(self, number: int, forgers: ForgerSet, donors: Donors) -> Entry:
        """Write the real clip as a file of that number, cut as the fake ones are.

        Some segments of it are cut to a copy of the clip that was encoded once more. Without
        such files, the cut or one more encoding would tell a fake by a counterpart from a real
        clip. A clip without a counterpart, and so many as the settings say, is not cut.
        """
        rng = self._rng(number, _RECUT)
        counterparts = self.source.candidate.counterparts
        roll = rng.random()
        cutters = forgers.only_counterpart()
        if not counterparts or not cutters.names or roll >= self._config.recut_share:
            return self.write_real(number)
        counterpart = counterparts[int(rng.integers(len(counterparts)))]
        cutters = self._select(cutters, counterpart)
        clip, processing = self._processed_clip(number)
        encoding = encode_and_decode(
            self._out_dir / f"{self._file(number)}.recut.mp4",
            clip.frames(),
            clip.audio,
            fps_hz=clip.fps_hz,
            sample_rate_hz=clip.sample_rate_hz,
            max_short_side_px=self._config.max_short_side_px,
            crf=int(rng.integers(*_RECUT_CRF)),
            audio_bit_rate=int(rng.choice(_RECUT_BIT_RATES)),
        )
        with encoding as (cache, audio):
            copy = replace(clip, cache=cache, audio=audio, cuts=())
            changed = np.ones(clip.face.num_frames, dtype=bool)
            aligned = AlignedFake(counterpart, copy, changed)
            config = self._config.segments
            for recipe in cutters.recipes(0, mixed_share=0, rng=rng):
                cut = forge_clip(
                    clip, recipe, donors=donors, config=config, rng=rng, aligned=aligned
                )
                # An encoder that left the audio all but alone makes no cut.
                if isinstance(cut, FakeClip):
                    segments = [[o.time.start_s, o.time.end_s] for o in cut.operations]
                    real = FakeClip(cut.audio, cut.frames, ())
                    recut = self._write(number, processing, clip, real)
                    return recut | {"recut_segments": segments}
        return self.write_real(number)

    def write_whole_fake(
        self, number: int, fake: Counterpart, *, original: int | None = None
    ) -> Entry | Refusal:
        """Write a fake of the whole clip as a file of that number, and return its metadata.

        Args:
            number: Number of the file.
            fake: A counterpart of the clip, or what was altered in it if it is itself fake.
            original: Number of the real file that the metadata of a counterpart name.
        """
        clip, processing = self._processed_clip(number)
        if original is not None:
            try:
                aligned = self._load_fake(fake, clip)
            except ForgeError as error:
                return Refusal(str(error))
            # Where the real clip has no audio the fake's is left out: having any is no clue.
            audio = aligned.clip.audio if fake.audio else clip.audio
            clip = replace(aligned.clip, audio=audio, cutaway=clip.cutaway)
        whole = Segment(0.0, clip.duration_s)
        operations = [Operation(WHOLE_FAKE, "audio", whole, fake.generator)] * fake.audio
        operations += [Operation(WHOLE_FAKE, "visual", whole, fake.generator)] * fake.visual
        fake_clip = FakeClip(clip.audio, {}, tuple(operations))
        details: dict[str, Any] = {"generator": fake.generator, "counterpart": fake.key}
        original_file = None if original is None else self._file(original)
        details |= {"original": original_file}
        return self._write(number, processing, clip, fake_clip) | details

    def _load_fake(self, counterpart: Counterpart, clip: SourceClip) -> AlignedFake:
        """Load an aligned fake, with the clip's clean cuts."""
        if counterpart.key not in self._fakes:
            self._fakes[counterpart.key] = load_aligned(
                counterpart,
                self.clip,
                max_short_side_px=self._config.max_short_side_px,
                max_bytes=self._config.frame_cache_mb * _MB,
            )
        fake = self._fakes[counterpart.key]
        for cut in clip.cuts:
            fake = fake.without(cut)
        return fake

    def _rng(self, number: int, purpose: int) -> np.random.Generator:
        """Return a random generator that does not depend on the files made before."""
        return np.random.default_rng([self._seed, seed_from(self.source.name), number, purpose])

    def _processed_clip(self, number: int) -> tuple[SourceClip, Processing]:
        """Draw the processing of a file, and apply its clean cuts and its cutaway to the clip."""
        clip, rng = self.clip, self._rng(number, _PROCESSING)
        processing = draw_processing(self._config.processing, fps_hz=float(clip.fps_hz), rng=rng)
        cuts = (processing.cut, *processing.jumps) if processing.cut else processing.jumps
        applied = []
        for place, removed_s in cuts if clip.duration_s >= _MIN_CUT_S else ():
            start_s = place * clip.duration_s
            cut = range(*(clip.face.nearest_edge(t) for t in (start_s, start_s + removed_s)))
            if cut and cut.start > 0 and cut.stop < clip.face.num_frames:
                clip = clip.without(cut)
                applied.append((place, removed_s))
        has_cut = bool(applied) and applied[0] == processing.cut
        first, jumps = (applied[0], applied[1:]) if has_cut else (None, applied)
        cuts_applied = {"cut": first, "jumps": tuple(jumps)}
        if processing.away and clip.duration_s >= _MIN_CUT_S:
            clip = clip.without_face(*processing.away)
        away = processing.away if clip.cutaway else None
        return clip, processing.model_copy(update=cuts_applied | {"away": away})

    def _write(
        self, number: int, processing: Processing, clip: SourceClip, fake: FakeClip
    ) -> Entry:
        """Write a file, and return its metadata."""
        file, rng = self._file(number), self._rng(number, _NOISE)
        rate_hz = self._config.sample_rate_hz
        audio = mix(fake.audio, processing, sample_rate_hz=rate_hz, rng=rng)
        frames: Iterable[Frame] = develop(
            show_cutaway(replace_frames(clip.frames(), fake.frames), clip.cutaway), processing, rng
        )
        fps_hz = clip.fps_hz
        if processing.fps_hz is not None:
            fps_hz = Fraction(processing.fps_hz)
            frames = at_rate(frames, fps_hz, clip.duration_s)
            fake = fake.at_frame_rate(fps_hz)
        counter = FrameCounter(frames)
        with self._encoded_before(number, processing, counter, audio, fps_hz) as streams:
            encoded_frames, encoded_audio = streams
            write_clip(
                self._out_dir / file,
                encoded_frames,
                fps_hz=fps_hz,
                audio=encoded_audio if encoded_audio.size else None,
                sample_rate_hz=rate_hz,
                crf=processing.crf,
                encoder=processing.encoder,
                audio_bit_rate=processing.audio_bit_rate,
            )
        return entry(
            file=file,
            split=self.source.candidate.split,
            identity=self.source.candidate.identity,
            kind=fake.kind or "real",
            duration_s=counter.last_s + frames_to_s(1, fps_hz),
            num_frames=counter.count,
            num_audio_samples=audio.size,
            visual=fake.segments("visual"),
            audio=fake.segments("audio"),
            details={
                "source": self.source.candidate.key,
                **self.source.candidate.details,
                **self.visibility,
                "operations": [operation.to_dict() for operation in fake.operations],
                "processing": processing.to_metadata(),
            },
        )

    def _encoded_before(
        self,
        number: int,
        processing: Processing,
        frames: Iterable[Frame],
        audio: Audio,
        fps_hz: Fraction,
    ) -> AbstractContextManager[tuple[Iterable[Frame], Audio]]:
        """Give the streams to write; encoded and decoded first, if the file is encoded twice."""
        if processing.first_crf is None:
            return nullcontext((frames, audio))
        return encode_and_decode(
            self._out_dir / f"{self._file(number)}.first.mp4",
            frames,
            audio,
            fps_hz=fps_hz,
            sample_rate_hz=self._config.sample_rate_hz,
            max_short_side_px=self._config.max_short_side_px,
            crf=processing.first_crf,
            audio_bit_rate=processing.first_bit_rate,
        )

    def _file(self, number: int) -> str:
        return f"{self.source.name}_{number}.mp4"
