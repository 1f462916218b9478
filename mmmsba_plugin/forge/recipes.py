"""Choose recipes: the modalities of a clip to alter, and the forgers that alter them.

A third of the variants each have their audio altered, their frames, or both, as far as the
clip and the forgers allow. Within that, forgers take turns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.sources import Counterpart, Skipped
from mmmsba_plugin.forger import AudioForger, ClipForger, FrameForger, needs_counterpart
from mmmsba_plugin.hookspecs import Forger

_T = TypeVar("_T")

#: Recipes that are tried of each kind before a variant is given up.
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """The forgers of one variant.

    Where both modalities have forgers, they alter the same segments. Several forgers of one
    modality take turns from segment to segment.

    Attributes:
        audios: Names of audio forgers and the forgers; empty if the audio stays as it is.
        frames: Names of frame forgers and the forgers; empty if the frames stay.
        counterpart: The aligned fake of the clip, for forgers that need one.
    """

    audios: tuple[tuple[str, AudioForger], ...] = ()
    frames: tuple[tuple[str, FrameForger], ...] = ()
    counterpart: Counterpart | None = None

    @property
    def forgers(self) -> list[ClipForger]:
        """All its forgers, those of audio first."""
        audios: list[ClipForger] = [forger for _, forger in self.audios]
        return [*audios, *(forger for _, forger in self.frames)]

    @property
    def needs_counterpart(self) -> bool:
        """True if one of its forgers needs an aligned fake."""
        return any(map(needs_counterpart, self.forgers))

    def __str__(self) -> str:
        return "+".join(name for name, _ in (*self.audios, *self.frames))


@dataclass(frozen=True, slots=True)
class ForgerSet:
    """The forgers that can be used on this machine.

    Attributes:
        audios: Names of audio forgers and the forgers.
        frames: Names of frame forgers and the forgers.
        left_out: Forgers that cannot be used on this machine, and why.
    """

    audios: tuple[tuple[str, AudioForger], ...] = ()
    frames: tuple[tuple[str, FrameForger], ...] = ()
    left_out: tuple[Skipped, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all forgers, those of audio first; one of both stands there twice."""
        return [name for name, _ in (*self.audios, *self.frames)]

    def select(
        self, *, audio: bool, frames: bool, counterpart: Counterpart | None = None
    ) -> "ForgerSet":
        """Select the forgers that apply to a clip.

        Args:
            audio: Whether it has audio.
            frames: Whether it shows a face.
            counterpart: An aligned fake of it; forgers that need one serve the modalities that
                it altered.
        """
        has_audio = counterpart is not None and counterpart.audio
        has_frames = counterpart is not None and counterpart.visual
        return ForgerSet(
            tuple(f for f in self.audios if audio and (has_audio or not needs_counterpart(f[1]))),
            tuple(f for f in self.frames if frames and (has_frames or not needs_counterpart(f[1]))),
        )

    def only_counterpart(self) -> "ForgerSet":
        """Select the forgers that need an aligned fake."""
        return ForgerSet(
            tuple(f for f in self.audios if needs_counterpart(f[1])),
            tuple(f for f in self.frames if needs_counterpart(f[1])),
        )

    def recipes(
        self, number: int, *, mixed_share: float, rng: np.random.Generator
    ) -> Iterator[Recipe]:
        """Yield the recipes to try for a variant, the best first.

        Args:
            number: Number of the variant of the clip, from 0; each has its own turn.
            mixed_share: Share of variants that two forgers of one modality work on.
            rng: The same for all variants of a clip, in the same state.
        """
        kinds = [
            (audio, frames)
            for audio, frames in ((True, False), (False, True), (True, True))
            if (self.audios or not audio) and (self.frames or not frames)
        ]
        kinds = [kinds[i] for i in rng.permutation(len(kinds))]
        audios = [self.audios[i] for i in rng.permutation(len(self.audios))]
        frames = [self.frames[i] for i in rng.permutation(len(self.frames))]
        # Which of the clip's variants are mixed follows from their number alone.
        size = 2 if bool(rng.random(number + 1)[-1] < mixed_share) else 1
        for with_audio, with_frames in _rotate(kinds, number):
            for turn in range(number, number + _TRIES):
                yield Recipe(
                    tuple(islice(_rotate(audios, turn), size)) if with_audio else (),
                    tuple(islice(_rotate(frames, turn), size)) if with_frames else (),
                )


def build_forgers(
    forgers: Sequence[Forger], settings: Mapping[str, Mapping[str, Any]]
) -> ForgerSet:
    """Build forgers; those that lack something on this machine are left out and named.

    Args:
        forgers: Entries of the forgers.
        settings: Settings of forgers by name, where they are not to be the defaults.

    Raises:
        ConfigError: Settings are given for a forger that is not there, or are out of bounds,
            or no forger can be used.
    """
    if unknown := settings.keys() - {f.name for f in forgers}:
        names = ", ".join(f.name for f in forgers)
        raise ConfigError(f"settings for unknown forgers {sorted(unknown)}; there are: {names}")
    audios: list[tuple[str, AudioForger]] = []
    frames: list[tuple[str, FrameForger]] = []
    left_out: list[Skipped] = []
    for entry in forgers:
        try:
            forger = entry.build(entry.config.read(dict(settings.get(entry.name, {}))))
        except MissingExtraError as error:
            left_out.append(Skipped(f"the forger {entry.name!r}", str(error)))
            continue
        is_audio = entry.modality != "visual" and isinstance(forger, AudioForger)
        is_frames = entry.modality != "audio" and isinstance(forger, FrameForger)
        if isinstance(forger, AudioForger) and is_audio:
            audios.append((entry.name, forger))
        if isinstance(forger, FrameForger) and is_frames:
            frames.append((entry.name, forger))
        if is_audio + is_frames < 1 + (entry.modality == "both"):
            raise ConfigError(
                f"the forger {entry.name!r} says it alters {entry.modality!r}, but "
                f"{type(forger).__name__} lacks needs_donor and forge_audio or forge_frames"
            )
    if not audios and not frames:
        reasons = "; ".join(map(str, left_out))
        raise ConfigError(f"no forger can be used here ({reasons}); install what one of them needs")
    return ForgerSet(tuple(audios), tuple(frames), tuple(left_out))


def _rotate(items: Sequence[_T], start: int) -> Iterator[_T]:
    """Yield all items once, from one of them on."""
    return (items[(start + i) % len(items)] for i in range(len(items)))
