"""Run a function in worker processes that may crash, hang or grow; each time costs one item.

Workers start anew instead of being copied (spawn): a copy of a process in which libraries run
threads may never wake up. So a pool works from threads and in forked processes as well.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from mmmsba_plugin.errors import MemoryLimitError, TimeLimitError, WorkerError
from mmmsba_plugin.run_control import check, is_controlled
from mmmsba_plugin.worker_process import Started, Word, serve

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_T = TypeVar("_T")

#: How often memory is looked at, in seconds.
_POLL_S = 0.1

#: How long an idle worker may take to end, in seconds.
_GRACE_S = 5.0

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Time and memory that one item may take before its worker is ended.

    Attributes:
        floor_s: Seconds that every item has; what is loaded for the first one counts too.
        per_second: Seconds beyond these for each second that a clip lasts; 20 leaves room for a
            machine that is ten times as slow or as busy as one on which detection keeps pace.
            None for no limit of time.
        memory_mib: Resident memory that a worker may take beyond what it held before its first
            item, in MiB; None for no limit.
    """

    floor_s: float = 120.0
    per_second: float | None = 20.0
    memory_mib: float | None = 4096.0

    def time_s(self, duration_s: float) -> float:
        """Return the seconds that an item of a duration may take."""
        if self.per_second is None:
            return float("inf")
        return self.floor_s + self.per_second * duration_s


@dataclass(slots=True)
class _Task(Generic[_T]):
    """An item in a worker's hands."""

    item: _T
    started_s: float
    limit_s: float


@dataclass(slots=True)
class _Worker(Generic[_T]):
    """A process, and what it does."""

    process: "BaseProcess"
    connection: Connection
    memory: Callable[[], float]
    is_ready: bool = False
    first_mib: float = 0.0
    task: _Task[_T] | None = None


@dataclass(slots=True)
class WorkerPool(Generic[_T]):
    """Processes that run one function, each on one item at a time.

    Args:
        start: Called once in each worker, and pickled for it; returns the function, and what
            :attr:`greeting` shall be.
        workers: Number of processes.
        limits: What one item may take.
        threads: Threads of the libraries in each worker; an equal share of the cores if None, or
            what they choose where there is one worker.

    Raises:
        WorkerError: This process may not start others, or a worker died while it started.
        Exception: What ``start`` raised.
    """

    start: Callable[[], Started]
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    threads: int | None = None
    _workers: list[_Worker[_T]] = field(default_factory=list, init=False)
    _greetings: list[Any] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        """Start the workers; they load while the caller goes on."""
        for _ in range(self.workers):
            self._add()
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers; one that is at work loses its item."""
        for worker in self._workers:
            worker.connection.close()
            if worker.task is not None or not worker.is_ready:
                worker.process.kill()
        for worker in self._workers:
            _end(worker.process)
        self._workers.clear()

    @property
    def greeting(self) -> Any:  # noqa: ANN401 - whatever was started with
        """What ``start`` told of the function; waits for the first worker."""
        while not self._greetings:
            for worker, word, value in self._words(None):
                list(self._heed(worker, word, value))
        return self._greetings[0]

    def map_unordered(self, items: Iterable[_T]) -> Iterator[tuple[_T, Any]]:
        """Yield each item and its result as they are complete.

        The result is an exception if the function raised one; or if the item's worker died
        (:class:`WorkerError`), took too long (:class:`TimeLimitError`) or grew too large
        (:class:`MemoryLimitError`), and another takes its place.

        Args:
            items: Taken one by one, each once a worker is there for it.
        """
        rest, ahead = iter(items), list[_T]()
        while True:
            idle = self._idle()
            # One is taken ahead of a new worker, so that none is started for nothing.
            asks = idle is not None or len(self._workers) < self.workers
            if asks and not ahead:
                ahead = list(islice(rest, 1))
            if ahead and idle is not None:
                item = ahead.pop()
                idle.task = _Task(item, time.monotonic(), self.limits.time_s(0.0))
                # Of a worker that died while it was idle, reading says so.
                with suppress(OSError):
                    idle.connection.send(item)
                continue
            if ahead and len(self._workers) < self.workers:
                self._add()
            if asks and not ahead and not any(worker.task for worker in self._workers):
                return
            for worker, word, value in self._words(self._patience_s()):
                yield from self._heed(worker, word, value)
            yield from self._over_limit()
            check()

    def _idle(self) -> _Worker[_T] | None:
        for worker in [w for w in self._workers if w.is_ready and w.task is None]:
            if worker.process.is_alive():
                return worker
            self._drop(worker)
        return None

    def _add(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        threads = self.threads
        if threads is None and self.workers > 1:
            threads = max(1, (os.cpu_count() or 1) // self.workers)
        process = context.Process(target=serve, args=(self.start, theirs, threads), daemon=True)
        with _without_interrupts():
            try:
                process.start()
            # A process of multiprocessing's own pools may have no children.
            except AssertionError as error:
                raise WorkerError(
                    f"workers cannot be started here: {error}; run without isolation "
                    "(--no-isolation of `mmmsba detect`)"
                ) from error
        theirs.close()
        self._workers.append(_Worker(process, ours, _memory_of(process.pid)))

    def _words(self, patience_s: float | None) -> Iterator[tuple[_Worker[_T], Word, Any]]:
        """Yield what workers say until patience ends; that one died is said by an error."""
        by_handle: dict[Any, _Worker[_T]] = {}
        for worker in self._workers:
            by_handle |= {worker.connection: worker, worker.process.sentinel: worker}
        speakers = {id(w): w for handle in wait(by_handle, patience_s) for w in [by_handle[handle]]}
        for worker in speakers.values():
            try:
                # Its last words come before its end.
                if worker.connection.poll():
                    yield (worker, *worker.connection.recv())
                elif not worker.process.is_alive():
                    raise EOFError  # noqa: TRY301 - as a closed connection would
            except (EOFError, OSError):
                _end(worker.process)
                yield worker, "dead", _death(worker)

    def _heed(self, worker: _Worker[_T], word: Word, value: Any) -> Iterator[tuple[_T, Any]]:  # noqa: ANN401
        """Take in what a worker says; yield its item and the result if there is one."""
        task = worker.task
        if word == "ready":
            worker.is_ready, worker.first_mib = True, worker.memory()
            self._greetings.append(value)
        elif word == "duration" and task is not None:
            task.limit_s = self.limits.time_s(value)
        elif word in {"result", "error"} and task is not None:
            worker.task = None
            yield task.item, value
        elif word == "dead":
            self._drop(worker)
            if not worker.is_ready:
                raise value
            # One that was idle takes nothing with it.
            if task is not None:
                yield task.item, value

    def _drop(self, worker: _Worker[_T]) -> None:
        worker.process.kill()
        worker.connection.close()
        _end(worker.process)
        self._workers.remove(worker)

    def _patience_s(self) -> float | None:
        tasks = [worker.task for worker in self._workers if worker.task is not None]
        if is_controlled() or (tasks and self.limits.memory_mib is not None):
            return _POLL_S
        left_s = [task.started_s + task.limit_s - time.monotonic() for task in tasks]
        shortest_s = min(left_s, default=float("inf"))
        return None if shortest_s == float("inf") else max(0.0, shortest_s)

    def _over_limit(self) -> Iterator[tuple[_T, Exception]]:
        """End workers whose item takes too much, and yield these items."""
        for worker in [w for w in self._workers if w.task is not None]:
            task = worker.task
            error = self._excess(worker)
            if error is not None and task is not None:
                self._drop(worker)
                yield task.item, error

    def _excess(self, worker: _Worker[_T]) -> Exception | None:
        task, most_mib = worker.task, self.limits.memory_mib
        if task is not None and time.monotonic() - task.started_s > task.limit_s:
            return TimeLimitError(
                f"it was not complete after {task.limit_s:.0f} s, the limit of time for it; raise "
                "the limit (--time-limit on the command line) if the machine is slow, or convert "
                "the clip to mp4 with H.264 and AAC",
                limit_s=task.limit_s,
            )
        if most_mib is not None and worker.memory() - worker.first_mib > most_mib:
            return MemoryLimitError(
                f"it took more than {most_mib:.0f} MiB of memory, the limit for one clip; raise "
                "the limit (--memory-limit on the command line), or cut the clip into parts",
                limit_mib=most_mib,
            )
        return None


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: the caller decides what becomes of them.

    A terminal sends it to all; what is blocked in this thread is blocked in its children.
    """
    if sys.platform == "win32":
        yield
        return
    # It unblocks what it finds blocked, once it starts.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _memory_of(pid: int | None) -> Callable[[], float]:
    """Return a function that says how much memory a process has, in MiB; 0 once it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return lambda: 0.0

    def memory_mib() -> float:
        try:
            return float(process.memory_info().rss) / _MIB
        except psutil.Error:
            return 0.0

    return memory_mib


def _end(process: "BaseProcess") -> None:
    process.join(_GRACE_S)
    if process.is_alive():
        process.kill()
        process.join()


def _death(worker: _Worker[Any]) -> WorkerError:
    code = worker.process.exitcode or 0
    how = f"exit code {code}"
    if code < 0:
        with suppress(ValueError):
            how = f"signal {signal.Signals(-code).name}"
    if not worker.is_ready:
        return WorkerError(
            f"a worker process died before it could begin ({how}); run without isolation "
            "(--no-isolation of `mmmsba detect`) to see why, with fewer workers if memory is "
            'short, and in a script under `if __name__ == "__main__":`'
        )
    return WorkerError(
        f"the process that worked on it died ({how}), by a fault in a library that decodes, for "
        "want of memory, or because somebody ended it; try again, or convert the clip to mp4 with "
        "H.264 and AAC"
    )
