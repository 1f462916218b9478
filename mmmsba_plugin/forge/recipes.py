"""Says who forges what: which modality of a clip is altered, and by which forger.

A third of the variants each have their audio altered, their frames, or both, as far as the
clip and the forgers allow. Within that, forgers take turns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.sources import Skipped
from mmmsba_plugin.forger import AudioForger, ClipForger, FrameForger
from mmmsba_plugin.hookspecs import Forger

_T = TypeVar("_T")

#: Recipes that are tried of each kind before a variant is given up.
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a variant is forged with.

    Where both modalities have forgers, they alter the same stretches. Several forgers of one
    modality take turns from stretch to stretch.

    Attributes:
        audios: Names of audio forgers and the forgers; empty if the audio stays as it is.
        frames: Names of frame forgers and the forgers; empty if the frames stay.
    """

    audios: tuple[tuple[str, AudioForger], ...] = ()
    frames: tuple[tuple[str, FrameForger], ...] = ()

    def __str__(self) -> str:
        return "+".join(name for name, _ in (*self.audios, *self.frames))


@dataclass(frozen=True, slots=True)
class ForgerSet:
    """The forgers that can be used here.

    Attributes:
        audios: Names of audio forgers and the forgers.
        frames: Names of frame forgers and the forgers.
        left_out: Forgers that cannot be used here, and why.
    """

    audios: tuple[tuple[str, AudioForger], ...] = ()
    frames: tuple[tuple[str, FrameForger], ...] = ()
    left_out: tuple[Skipped, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of all forgers, those of audio first."""
        return [name for name, _ in (*self.audios, *self.frames)]

    def only(self, *, audio: bool, frames: bool) -> "ForgerSet":
        """Return those who find something to alter in a clip."""
        return ForgerSet(self.audios if audio else (), self.frames if frames else ())

    def recipes(
        self, number: int, *, mixed_share: float, rng: np.random.Generator
    ) -> Iterator[Recipe]:
        """Yield what to try for a variant, the best first.

        Args:
            number: Which variant of the clip, from 0; each has its own turn.
            mixed_share: Share of variants that two forgers of one modality work on.
            rng: The same for all variants of a clip, in the same state.
        """
        kinds = [k for k in ((1, 0), (0, 1), (1, 1)) if self._has(*k)]
        kinds = [kinds[i] for i in rng.permutation(len(kinds))]
        audios = [self.audios[i] for i in rng.permutation(len(self.audios))]
        frames = [self.frames[i] for i in rng.permutation(len(self.frames))]
        # Which of the clip's variants are mixed follows from their number alone.
        mixed = bool(rng.random(number + 1)[-1] < mixed_share)
        for with_audio, with_frames in _from(kinds, number):
            for step in range(_TRIES):
                yield Recipe(
                    _some(audios, number + step, mixed=mixed) if with_audio else (),
                    _some(frames, number + step, mixed=mixed) if with_frames else (),
                )

    def _has(self, audio: int, frames: int) -> bool:
        return bool((self.audios or not audio) and (self.frames or not frames))


def assemble(forgers: Sequence[Forger], settings: Mapping[str, Mapping[str, Any]]) -> ForgerSet:
    """Build forgers; those that lack something on this machine are left out and named.

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
    for forger in forgers:
        try:
            built = _built(forger, settings.get(forger.name, {}))
        except MissingExtraError as error:
            left_out.append(Skipped(f"the forger {forger.name!r}", str(error)))
            continue
        if isinstance(built, AudioForger):
            audios.append((forger.name, built))
        else:
            frames.append((forger.name, built))
    if not audios and not frames:
        reasons = "; ".join(map(str, left_out))
        raise ConfigError(f"no forger can be used here ({reasons}); install what one of them needs")
    return ForgerSet(tuple(audios), tuple(frames), tuple(left_out))


def _built(forger: Forger, settings: Mapping[str, Any]) -> ClipForger:
    built = forger.build(forger.config.read(dict(settings)))
    wanted = AudioForger if forger.modality == "audio" else FrameForger
    if not isinstance(built, wanted):
        raise ConfigError(
            f"the forger {forger.name!r} says it alters {forger.modality!r}, but "
            f"{type(built).__name__} lacks needs_donor and forge_audio or forge_frames"
        )
    return built


def _from(items: Sequence[_T], start: int) -> Iterator[_T]:
    """Yield all items once, from one of them on."""
    return (items[(start + i) % len(items)] for i in range(len(items)))


def _some(items: Sequence[_T], turn: int, *, mixed: bool) -> tuple[_T, ...]:
    return tuple(islice(_from(items, turn), 2 if mixed else 1))
