"""Memory that the C library keeps."""

import ctypes
import sys


def return_freed_memory() -> None:
    """Return memory that was freed to the system, where the C library keeps it (glibc).

    Crops and spectrograms leave gaps that larger blocks do not fit into. Without this, some 100 MiB
    of them stay beside what an encoder or the network takes.
    """
    if sys.platform == "linux" and hasattr(c_library := ctypes.CDLL(None), "malloc_trim"):
        c_library.malloc_trim(0)
