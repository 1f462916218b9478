"""How far a run has come, and what it did."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from .labels import VERDICTS


class Step(Protocol):
    """How far a run has come; as text, in words."""

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None where nobody knows how much there is."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a run has come, in videos.

    Attributes:
        done: Videos that were worked on.
        total: Videos to work on.
    """

    done: int
    total: int

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return self.done / self.total

    def __str__(self) -> str:
        return f"{self.done} of {self.total} videos"


@dataclass(frozen=True, slots=True)
class Progress(Counted):
    """How far judging has come.

    Attributes:
        left_s: How long the rest may take, in seconds; None before the first one.
    """

    left_s: float | None

    def __str__(self) -> str:
        left = "" if self.left_s is None else f", {_lasting(self.left_s)} left"
        return f"{self.done} of {self.total} videos judged{left}"


@dataclass(slots=True)
class Summary:
    """What a run did.

    Attributes:
        label_field: The label field; also the key of the run.
        total: Videos that were chosen.
        skipped: Videos that were left as they were, since they had been judged before.
        verdicts: How many videos got each verdict.
        problems: Why the first of those that failed did, by file.
        took_s: How long it took, in seconds.
    """

    label_field: str
    total: int
    skipped: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0

    def __str__(self) -> str:
        counted = [f"{n} {word}" for word in VERDICTS if (n := self.verdicts[word])]
        skipped = [f"{self.skipped} judged before"] if self.skipped else []
        return f"{', '.join([*counted, *skipped]) or 'nothing to judge'} of {self.total} videos"

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "verdicts": {word: self.verdicts[word] for word in VERDICTS}}


def _lasting(duration_s: float) -> str:
    """Return how long something lasts as a person says it."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
