"""Base of the tasks: a run over many samples, its progress and its summary.

A task is made of what it works on and its settings, and all that can fail for every sample fails
then. Its steps are taken one by one, so that whoever watches sees progress, and whoever stops it
keeps what was written.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Step(Protocol):
    """Progress of a task; as text, in words."""

    @property
    def share(self) -> float | None:
        """Share that is done, from 0 to 1; None where nobody knows how much there is."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Progress of a task, in videos.

    Attributes:
        num_done: Videos that were worked on.
        total: Videos to work on.
    """

    num_done: int
    total: int

    @property
    def share(self) -> float:
        """Share that is done, from 0 to 1."""
        return self.num_done / self.total

    def __str__(self) -> str:
        return f"{self.num_done} of {self.total} videos"


class Summary(Protocol):
    """Summary of a task; as text, in a sentence."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""


SummaryT = TypeVar("SummaryT", bound=Summary)
StepT = TypeVar("StepT", bound=Step)


class Task(ABC, Generic[StepT, SummaryT]):
    """A task, made where all that can fail at once has not failed.

    Attributes:
        summary: Summary of the steps so far.
    """

    summary: SummaryT

    @abstractmethod
    def steps(self) -> Generator[StepT, None, None]:
        """Take the steps one by one; each yields the progress. Closed early, it keeps its work."""

    def run(self, on_progress: Callable[[StepT], None] = lambda _: None) -> SummaryT:
        """Take all steps, and return the summary.

        Args:
            on_progress: Called after each step.
        """
        for step in self.steps():
            on_progress(step)
        return self.summary
