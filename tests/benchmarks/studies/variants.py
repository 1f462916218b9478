"""Trainings that differ from the preset, and what is known of the clips that they leave out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import is_whole_clip

LETTERS = {"V": "face", "L": "lips", "A": "audio"}
#: Fewer whole fakes than this of a generator say nothing of it.
FEWEST = 3
#: Shares that people are dealt into for cross-validation.
NUM_FOLDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One training: what differs from the preset, and what is unknown to it.

    Attributes:
        name: What the tables call it.
        seed: Random seed.
        network: Settings of the network that differ.
        letters: Modalities that it reads.
        without: A forger none of whose files it learns from.
        without_generator: A generator none of whose fakes, and no person in them, it learns from.
        fold: The share of people that it is evaluated on and learns nothing of, of ``NUM_FOLDS``.
    """

    name: str
    seed: int = 0
    network: Mapping[str, Any] = field(default_factory=dict)
    letters: str = "VLA"
    without: str | None = None
    without_generator: str | None = None
    fold: int | None = None

    @property
    def folder(self) -> str:
        """Name of its folder."""
        fold = "" if self.fold is None else f"-fold{self.fold}"
        return f"{self.name}-{self.seed}{fold}".replace(" ", "").replace(",", "-").lower()

    def config(self, settings: Path, epochs: int | None) -> FitConfig:
        """Return its settings."""
        config = self.changed(json.loads(settings.read_text(encoding="utf-8")))
        changes: dict[str, Any] = {"seed": self.seed}
        if epochs is not None:
            changes["max_epochs"] = epochs
        return config.model_copy(update={"train": config.train.model_copy(update=changes)})

    def changed(self, training: Mapping[str, Any]) -> FitConfig:
        """Return the settings of a training with what differs in them."""
        config = FitConfig.read({**training, "network": {"members": 1, **self.network}})
        features = config.features.only([LETTERS[letter] for letter in self.letters])
        return config.model_copy(update={"features": features})


def generators_of(record: Record) -> list[str]:
    """Name the generators that worked on a clip; none if it is real, or that is not known."""
    names = record.extra.get("generator") if record.fake else None
    return str(names).split("+") if names else []


def is_whole_fake(record: Record) -> bool:
    """Return whether a clip is fake from end to end."""
    return any(is_whole_clip(segment, record.duration_s or 0.0) for segment in record.truth)


Reports = Mapping[Variant, Sequence[Report]]
Records = Mapping[Variant, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Study:
    """Trainings, and the table of how they did.

    Attributes:
        variants: Returns the trainings, by the files to learn from.
        table: Returns the lines of the table.
        choose: Chooses the files to learn from; all if not given.
    """

    variants: Callable[[Sequence[Record]], list[Variant]]
    table: Callable[[Reports, Records, int | None], Iterator[str]]
    choose: Callable[[Sequence[Record]], Sequence[Record]] = list
