"""Numbers of threads of the libraries, which belong to the whole process."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import torch

_IMPORTED_IN = os.getpid()


class ThreadSetting:
    """A number of threads that blocks set, also several at a time in different threads.

    A block sees what it set, one inside it too, and once the last of all ends, the process has
    what it had before the first. If each put back what it found, one that began inside another
    thread's block would leave the process with that block's number.

    Args:
        get: Returns the number of the process.
        set_: Sets it.
    """

    def __init__(self, get: Callable[[], int], set_: Callable[[int], None]) -> None:
        self._get, self._set = get, set_
        self._lock = threading.Lock()
        self._num_blocks, self._of_process = 0, 0
        self._of_thread = threading.local()

    @contextmanager
    def at(self, count: int) -> Iterator[None]:
        """Use so many threads inside the block.

        In a process that was forked from one with PyTorch, nothing is changed: it has one thread,
        and more would wait for ever.
        """
        if os.getpid() != _IMPORTED_IN:
            yield
            return
        with self._lock:
            if not self._num_blocks:
                self._of_process = self._get()
            self._num_blocks += 1
        outer = getattr(self._of_thread, "count", None)
        self._of_thread.count = count
        self._set(count)
        try:
            yield
        finally:
            self._of_thread.count = outer
            self._set(self._of_process if outer is None else outer)
            with self._lock:
                self._num_blocks -= 1


torch_threads = ThreadSetting(torch.get_num_threads, torch.set_num_threads)
cv2_threads = ThreadSetting(cv2.getNumThreads, cv2.setNumThreads)
