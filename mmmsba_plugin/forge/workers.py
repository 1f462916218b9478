"""Map a function over items, in several processes if wanted.

Processes start anew, so the function must be something that another process can import.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.machinery import PathFinder
from typing import Any, TypeVar

from mmmsba_plugin.errors import WorkerError
from mmmsba_plugin.worker_process import Started
from mmmsba_plugin.workers import Limits, WorkerPool

_T = TypeVar("_T")
_R = TypeVar("_R")


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
    unlimited = Limits(per_second=None, memory_mib=None)
    start = partial(_start, function)
    pool = WorkerPool[tuple[int, _T]](start, workers=workers, limits=unlimited)
    with pool:
        for (index, _), result in pool.map_unordered(enumerate(items)):
            if isinstance(result, WorkerError):
                raise WorkerError(
                    "a process that forged clips died, often for want of memory; run again with "
                    f"fewer workers than {workers}, and the clips that are complete stay complete",
                    workers=workers,
                ) from result
            if isinstance(result, Exception):
                raise result
            yield index, result


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


def _start(function: Callable[[Any], Any]) -> Started:
    return partial(_call, function), None


def _call(function: Callable[[Any], Any], item: tuple[int, Any]) -> Any:  # noqa: ANN401 - as it returns
    return function(item[1])
