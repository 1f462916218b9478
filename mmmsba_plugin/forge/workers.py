"""Does the same work on many things, in several processes if wanted.

Processes start anew instead of being copied: a copy of one in which libraries run threads
may never wake up. So the work must be something that another process can import.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.machinery import PathFinder
from multiprocessing import get_context
from typing import Any, TypeVar

from mmmsba_plugin.errors import DatasetError

_T = TypeVar("_T")
_R = TypeVar("_R")

#: What a worker process was started for.
_work: Callable[[Any], Any] | None = None


def work_on(
    work: Callable[[_T], _R], items: Sequence[_T], *, workers: int
) -> Iterator[tuple[int, _R]]:
    """Yield the number of each item and what was made of it, as they are done.

    Args:
        work: Called with each item; pickled once for each process.
        items: In the order in which they are begun.
        workers: Processes; with one, all is done in this process, in order.

    Raises:
        DatasetError: A process died.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        yield from ((number, work(item)) for number, item in enumerate(items))
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(work,)
    )
    try:
        futures = {pool.submit(_do, item): number for number, item in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], _result(future)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def portable(*things: object) -> bool:
    """Return whether another process could take these over.

    What a test or a ``--plugin`` file defines can often be pickled but not be imported
    elsewhere.
    """
    modules = {type(thing).__module__.partition(".")[0] for thing in things}
    if not all(PathFinder.find_spec(name) for name in modules - {"builtins"}):
        return False
    try:
        pickle.dumps(things)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _start(work: Callable[[Any], Any]) -> None:
    global _work  # noqa: PLW0603 - a process has no other memory between two tasks
    import cv2

    # The processes share the cores already.
    cv2.setNumThreads(1)
    _work = work


def _do(item: object) -> object:
    if _work is None:
        raise RuntimeError("the process was started without its work")
    return _work(item)


def _result(future: "Future[Any]") -> Any:  # noqa: ANN401 - whatever the work returns
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise DatasetError(
            "a process that fake clips died, often for want of memory; run again with fewer "
            "workers, and what is done stays done"
        ) from error
