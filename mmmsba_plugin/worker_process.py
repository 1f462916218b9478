"""Process of a worker: how it starts, answers, reports errors and ends."""

import atexit
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, Literal, NoReturn

from mmmsba_plugin.errors import WorkerError

#: What a worker says: that it starts, how many seconds its clip lasts, the result or the error of
#: its item; that it is dead, or could not start, with the error, is its last word.
Word = Literal["ready", "duration", "result", "error", "dead"]

#: A function, and what to tell the caller of it.
Started = tuple[Callable[[Any], Any], Any]

#: In a worker, the connection to the process that started it.
_caller: Connection | None = None


def serve(start: Callable[[], Started], caller: Connection, threads: int | None) -> None:
    """Be a worker: start, then answer one item after the other until the caller hangs up.

    Args:
        start: Returns the function, and what to tell the caller of it.
        caller: The connection to the caller.
        threads: Threads of the libraries; left to them if None.
    """
    global _caller  # noqa: PLW0603 - a process has one caller
    _caller = caller
    Thread(target=_end_with_caller, daemon=True).start()
    if threads is not None:
        # So libraries that are loaded from now on do not start a thread a core in each worker.
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        import cv2

        cv2.setNumThreads(threads)
    try:
        function, greeting = start()
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller has to know
        caller.send(("dead", portable_error(error)))
        return
    caller.send(("ready", greeting))
    # The caller hangs up once it needs no more.
    with suppress(EOFError, OSError):
        while True:
            caller.send(_answer(function, caller.recv()))
    _end()


def _answer(function: Callable[[Any], Any], item: object) -> tuple[Word, Any]:
    try:
        result = function(item)
        pickle.dumps(result)
    except Exception as error:  # noqa: BLE001 - it costs this item alone
        return "error", portable_error(error)
    return "result", result


def _end() -> NoReturn:
    """End this process without taking its modules apart, which takes torch half a second."""
    # What registered for the end of a process is called, as at any other end.
    atexit._run_exitfuncs()  # noqa: SLF001 - Python has no public name for it
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _end_with_caller() -> None:
    """End this process once its caller has: nobody would end it at its limits any more."""
    caller = parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)


def say_duration(duration_s: float) -> None:
    """Tell, in a worker, how long the clip of its item lasts: its limit of time is set by it."""
    if _caller is not None:
        _caller.send(("duration", duration_s))


def portable_error(error: Exception) -> Exception:
    """Return an exception that another process can rebuild."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - a stranger's exception can do anything
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


@cache
def survive_fork() -> None:
    """Let processes that are forked from this one, from now on, use torch.

    In a copy of a process, OpenMP waits for threads that were not copied, for ever, unless one
    thread is all it may use. torch's own workers set the same.

    Source:
        torch, torch/utils/data/_utils/worker.py, ``_worker_loop``.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_use_one_thread)


def _use_one_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
