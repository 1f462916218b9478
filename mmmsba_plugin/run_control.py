"""Control of a run that is under way: how far it is, and whether it shall stop.

Whoever starts a run puts it into :func:`run_control`; whatever runs for long calls :func:`check`
once in a while, a front-end of a plug-in too. Without control, that does nothing.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mmmsba_plugin.errors import RunCancelledError, TimeLimitError

T = TypeVar("T")


class CancelEvent(Protocol):
    """An event as threads and processes have it."""

    def is_set(self) -> bool:
        """Return whether the run shall stop."""


#: What stops a run: an event such as ``threading.Event``, or a function.
Cancel = CancelEvent | Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run.

    Attributes:
        stage: What is counted: ``seconds`` of the clip in hand, ``clips``, or ``epochs``.
        num_done: How many are done.
        total: How many there are; None if not known.
    """

    stage: str
    num_done: float
    total: float | None = None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class _Control:
    is_cancelled: Callable[[], bool]
    deadline_s: float
    time_limit_s: float | None
    on_progress: OnProgress | None
    outer: "_Control | None"

    def check(self, progress: Progress | None) -> None:
        if self.outer is not None:
            self.outer.check(progress if self.on_progress is None else None)
        if self.is_cancelled():
            raise RunCancelledError("the run was cancelled by whoever started it")
        if time.monotonic() > self.deadline_s:
            raise TimeLimitError(
                f"it was not complete after {self.time_limit_s:g} s, the limit of time for it; "
                "raise time_limit_s if the machine is slow",
                limit_s=self.time_limit_s,
            )
        if self.on_progress is not None and progress is not None:
            self.on_progress(progress)


_control: ContextVar[_Control | None] = ContextVar("run_control", default=None)


@contextmanager
def run_control(
    *,
    cancel: Cancel | None = None,
    time_limit_s: float | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[None]:
    """Control what runs inside the block, in this thread.

    Args:
        cancel: Stops it, within a second or so, once it is set or returns True.
        time_limit_s: Time that it may take, in seconds.
        on_progress: Called now and then; of blocks within each other the inner one has it.

    Raises:
        RunCancelledError: It was stopped.
        TimeLimitError: It took too long.
    """
    is_cancelled = cancel if callable(cancel) else cancel.is_set if cancel else lambda: False
    deadline_s = float("inf") if time_limit_s is None else time.monotonic() + time_limit_s
    control = _Control(is_cancelled, deadline_s, time_limit_s, on_progress, _control.get())
    token = _control.set(control)
    try:
        yield
    finally:
        _control.reset(token)


def under_control(items: Iterator[T], *, cancel: Cancel | None = None) -> Iterator[T]:
    """Yield items, each computed under control that does not hold while it is in use.

    Args:
        items: What computes the items.
        cancel: As for :func:`run_control`.
    """
    while True:
        with run_control(cancel=cancel):
            item = next(items, None)
        if item is None:
            return
        yield item


def check(progress: Progress | None = None) -> None:
    """Report the progress of a run, and end it if it shall stop.

    Args:
        progress: How far it is; nobody is told if not given.

    Raises:
        RunCancelledError: It shall stop.
        TimeLimitError: It took too long.
    """
    control = _control.get()
    if control is not None:
        control.check(progress)


def is_controlled() -> bool:
    """Return whether somebody may stop what runs here."""
    return _control.get() is not None
