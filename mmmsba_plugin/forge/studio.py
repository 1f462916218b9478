"""Works on one genuine clip: copies it, forges variants of it, and says what was done.

Whatever leaves passes through the same decoder, resampler and encoder, genuine or not, with
a quality drawn anew for each file. Otherwise the codec would be the label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Chapter, TracksConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.evidence import Picture
from mmmsba_plugin.forge.base import PictureForger, PictureJob, Sound, SoundForger, SoundJob
from mmmsba_plugin.forge.layout import Entry, entry
from mmmsba_plugin.forge.plan import (
    Proposer,
    Stretch,
    StretchConfig,
    plan_stretches,
    propose_pictures,
    propose_sound,
)
from mmmsba_plugin.forge.sources import Source, seed_of
from mmmsba_plugin.forge.trace import Trace, fetch, replaced, trace
from mmmsba_plugin.media.audio import read_sound
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.video import PictureReader
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import s_to_samples

_USUAL_FPS_HZ = 25
_MAX_DENOMINATOR = 1001

#: Returns the sound of another clip of at least so many samples, or None if there is none.
DonorFinder = Callable[[int, np.random.Generator], Sound | None]


class ForgeConfig(Chapter):
    """How a corpus is forged."""

    stretches: StretchConfig = Field(
        default=StretchConfig(), description="How long and how many forged stretches are."
    )
    min_clip_s: float = Field(default=1.0, gt=0, description="Shorter clips are left out.")
    max_short_side_px: int = Field(
        default=540, ge=64, description="Pictures are scaled down to this, in px."
    )
    sample_rate_hz: int = Field(default=16_000, ge=8_000, description="Of the written sound.")
    best_crf: int = Field(
        default=18, ge=0, le=51, description="Least compression of a written file (x264)."
    )
    worst_crf: int = Field(
        default=28, ge=0, le=51, description="Most compression of a written file (x264)."
    )
    tracks: TracksConfig = Field(
        default=TracksConfig(), description="How the face is found and followed."
    )


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a variant is forged with: a sound forger, a picture forger, or both aligned.

    Attributes:
        sound: Name of the sound forger and the forger, or None.
        picture: Name of the picture forger and the forger, or None.
    """

    sound: tuple[str, SoundForger] | None = None
    picture: tuple[str, PictureForger] | None = None

    @property
    def kind(self) -> str:
        """Its name in the metadata: ``splice``, ``mouth``, ``splice+mouth``."""
        return "+".join(name for name, _ in filter(None, (self.sound, self.picture)))


class Studio:
    """One genuine clip and what is made of it.

    Args:
        source: The clip.
        out_dir: The corpus that is being written.
        config: How it is forged.
        seed: Of the whole corpus.
    """

    def __init__(self, source: Source, out_dir: Path, *, config: ForgeConfig, seed: int) -> None:
        self._source, self._out_dir, self._config, self._seed = source, out_dir, config, seed

    @cached_property
    def face(self) -> Trace:
        """Where the main person's face is in each picture."""
        return trace(self._pictures(), fps_hz=float(self._fps_hz), config=self._config.tracks)

    @cached_property
    def sound(self) -> Sound:
        """The sound of the clip, from its zero; empty if it has none."""
        return sound_of(self._source, self._config.sample_rate_hz)

    def rng(self, number: int) -> np.random.Generator:
        """Return the source of chance of one output; the same whatever was made before it."""
        return np.random.default_rng([self._seed, seed_of(self._source.name), number])

    def usable(self, recipes: Sequence[Recipe]) -> list[Recipe]:
        """Return the recipes that this clip has the modalities for."""
        seen = bool((self.face.track >= 0).any())
        return [
            r
            for r in recipes
            if (r.sound is None or self.sound.size) and (r.picture is None or seen)
        ]

    def copy(self) -> Entry:
        """Write the genuine clip, and return what the metadata says of it."""
        self._write(f"{self._source.name}.mp4", self.sound, {}, self.rng(0))
        return self._entry(f"{self._source.name}.mp4", "real", None, [], [])

    def forge(self, number: int, recipe: Recipe, find_donor: DonorFinder) -> Entry | None:
        """Write one forged variant and return its entry; None if the clip has no room.

        Args:
            number: Which variant, from 1.
            recipe: What it is forged with.
            find_donor: Lends the sound of other clips.
        """
        rng = self.rng(number)
        propose = self._proposer(recipe)
        stretches = plan_stretches(
            propose, duration_s=self._duration_s, config=self._config.stretches, rng=rng
        )
        sound = self._forged_sound(stretches, recipe, find_donor, rng)
        if not stretches or sound is None:
            return None
        pictures = self._forged_pictures(stretches, recipe, rng)
        file = f"{self._source.name}_forged{number}.mp4"
        self._write(file, sound, pictures, rng)
        times = [s.time for s in stretches]
        return self._entry(
            file,
            recipe.kind,
            f"{self._source.name}.mp4",
            times if recipe.picture else [],
            times if recipe.sound else [],
        )

    @property
    def _fps_hz(self) -> Fraction:
        video = self._source.media.video
        fps_hz = (video.fps_hz if video else None) or _USUAL_FPS_HZ
        return Fraction(fps_hz).limit_denominator(_MAX_DENOMINATOR)

    @property
    def _duration_s(self) -> float:
        return float(self.face.edges_s[-1])

    def _pictures(self) -> PictureReader:
        return PictureReader(self._source.media, max_short_side_px=self._config.max_short_side_px)

    def _proposer(self, recipe: Recipe) -> Proposer:
        rate_hz = self._config.sample_rate_hz
        if recipe.picture is None:
            return propose_sound(self.sound, rate_hz)
        return propose_pictures(
            self.face,
            self._config.stretches,
            needs_donor=recipe.picture[1].needs_donor,
            sound=self.sound if recipe.sound else None,
            rate_hz=rate_hz,
        )

    def _forged_sound(
        self,
        stretches: Sequence[Stretch],
        recipe: Recipe,
        find_donor: DonorFinder,
        rng: np.random.Generator,
    ) -> Sound | None:
        """Return the clip's sound, forged if that is wanted; None if no donor is found."""
        if recipe.sound is None:
            return self.sound
        name, forger = recipe.sound
        rate_hz = self._config.sample_rate_hz
        forged = self.sound.copy()
        for stretch in stretches:
            start, end = (s_to_samples(s, rate_hz) for s in _ends(stretch.time))
            donor = find_donor(end - start, rng) if forger.needs_donor else None
            if forger.needs_donor and donor is None:
                return None
            job = SoundJob(self.sound, start, end, rate_hz, donor)
            new = forger.forge_sound(job, rng)
            _require_as_many(name, new.size, end - start, "samples")
            forged[start:end] = new
        return forged

    def _forged_pictures(
        self, stretches: Sequence[Stretch], recipe: Recipe, rng: np.random.Generator
    ) -> dict[int, Picture]:
        """Return the forged pictures by index."""
        if recipe.picture is None:
            return {}
        name, forger = recipe.picture
        needed = {i for s in stretches for i in (*s.pictures, *s.donors)}
        fetched = fetch(self._pictures(), needed)
        forged: dict[int, Picture] = {}
        for stretch in stretches:
            here = stretch.pictures
            job = PictureJob(
                shots=[self.face.shot(i, fetched[i]) for i in here],
                fps_hz=float(self._fps_hz),
                donors=[self.face.shot(i, fetched[i]) for i in stretch.donors],
            )
            new = forger.forge_pictures(job, rng)
            _require_as_many(name, len(new), len(here), "pictures")
            forged |= {i: Picture(fetched[i].pts_s, rgb) for i, rgb in zip(here, new, strict=True)}
        return forged

    def _write(
        self,
        file: str,
        sound: Sound,
        new: Mapping[int, Picture],
        rng: np.random.Generator,
    ) -> None:
        write_clip(
            self._out_dir / file,
            replaced(self._pictures(), new),
            fps_hz=self._fps_hz,
            sound=sound if sound.size else None,
            sample_rate_hz=self._config.sample_rate_hz,
            crf=int(rng.integers(self._config.best_crf, self._config.worst_crf + 1)),
        )

    def _entry(
        self,
        file: str,
        kind: str,
        original: str | None,
        visual: Sequence[Segment],
        audio: Sequence[Segment],
    ) -> Entry:
        return entry(
            file=file,
            split=self._source.candidate.split,
            identity=self._source.candidate.identity,
            kind=kind,
            duration_s=self._duration_s,
            num_pictures=self.face.num_pictures,
            num_audio_samples=self.sound.size,
            original=original,
            visual=visual,
            audio=audio,
        )


def sound_of(source: Source, sample_rate_hz: int) -> Sound:
    """Return the sound of a clip from its zero; empty if it has none."""
    if source.media.audio is None:
        return np.zeros(0, dtype=np.float32)
    return read_sound(source.media, sample_rate_hz=sample_rate_hz).samples


def _ends(time: Segment) -> tuple[float, float]:
    return time.start_s, time.end_s


def _require_as_many(name: str, got: int, wanted: int, what: str) -> None:
    if got != wanted:
        raise FeatureError(
            f"the forger {name!r} returned {got} {what} for a stretch of {wanted}; a forger that "
            "changes a clip's length cannot be run yet, so return as many as the stretch has"
        )
