"""Progress and summary of a run."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from .labels import VERDICTS


class Step(Protocol):
    """Progress of a run; as text, in words."""

    @property
    def share(self) -> float | None:
        """Share that is done, from 0 to 1; None where nobody knows how much there is."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Progress of a run, in videos.

    Attributes:
        num_done: Videos that were worked on.
        total: Videos to work on.
    """

    num_done: int
    total: int

    @property
    def share(self) -> float:
        """Share that is done, from 0 to 1; None where nobody knows how much there is."""
        return self.num_done / self.total

    def __str__(self) -> str:
        return f"{self.num_done} of {self.total} videos"


@dataclass(frozen=True, slots=True)
class Progress(Counted):
    """Progress of inference.

    Attributes:
        left_s: How long the rest may take, in seconds; None before the first one.
    """

    left_s: float | None

    def __str__(self) -> str:
        left = "" if self.left_s is None else f", {_lasting(self.left_s)} left"
        return f"{self.num_done} of {self.total} videos judged{left}"


@dataclass(slots=True)
class Summary:
    """Summary of a run.

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

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "verdicts": {word: self.verdicts[word] for word in VERDICTS}}


def _lasting(duration_s: float) -> str:
    """Format a duration for people."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
