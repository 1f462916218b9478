"""Map a function over items, in several processes if wanted.

Processes start anew instead of being copied: a copy of one in which libraries run threads
may never wake up. So the function must be something that another process can import.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.machinery import PathFinder
from multiprocessing import get_context
from typing import Any, TypeVar

from mmmsba_plugin.errors import WorkerError

_T = TypeVar("_T")
_R = TypeVar("_R")

#: The function that a worker process was started for.
_function: Callable[[Any], Any] | None = None


def map_unordered(
    function: Callable[[_T], _R], items: Sequence[_T], *, workers: int
) -> Iterator[tuple[int, _R]]:
    """Yield the index of each item and the function's result, as they are complete.

    Args:
        function: Called with each item; pickled once for each process.
        items: In the order in which they are begun.
        workers: Number of processes; with one, all is done in this process, in order.

    Raises:
        WorkerError: A process died.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        yield from ((index, function(item)) for index, item in enumerate(items))
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(function,)
    )
    try:
        futures = {pool.submit(_call, item): index for index, item in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "a process that forged clips died, often for want of memory; run again with fewer "
            f"workers than {workers}, and the clips that are complete stay complete",
            workers=workers,
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def is_portable(*values: object) -> bool:
    """Return whether another process could take these over.

    A class that a test or a ``--plugin`` file defines can often be pickled but not be imported
    elsewhere.
    """
    modules = {type(value).__module__.partition(".")[0] for value in values}
    if not all(PathFinder.find_spec(name) for name in modules - {"builtins"}):
        return False
    try:
        pickle.dumps(values)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _start(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603 - a process has no other memory between two tasks
    import cv2

    # The processes share the cores already.
    cv2.setNumThreads(1)
    _function = function


def _call(item: object) -> Any:  # noqa: ANN401 - whatever the function returns
    if _function is None:
        raise RuntimeError("the process was started without its function")
    return _function(item)
