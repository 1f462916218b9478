"""Memory that was freed."""

import ctypes
import sys

import psutil
import pytest

from mmmsba_plugin.memory import return_freed_memory

SIZE_BYTES = 100_000


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="other C libraries than glibc need not be asked for freed memory",
)
def test_memory_that_was_freed_goes_back_to_the_system():
    blocks = [bytearray(SIZE_BYTES) for _ in range(1000)]
    # Each second block stays, so that nothing at the end of the heap is free.
    rest = blocks[::2]
    blocks.clear()
    before_bytes = psutil.Process().memory_info().rss
    return_freed_memory()
    given_bytes = before_bytes - psutil.Process().memory_info().rss
    assert given_bytes > len(rest) * SIZE_BYTES / 2
