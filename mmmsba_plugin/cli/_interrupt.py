"""Ctrl-C that asks a run to stop after what is in hand."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_interrupt(announce: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C as a wish to stop, and leave the second to what heeded it before.

    Where nothing did, the second interrupts.

    Args:
        announce: Called at the first one.

    Yields:
        A function that says whether to stop.
    """
    wishes: list[int] = []
    # Only the main thread may say what a signal does.
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)

    def wish(number: int, _: object) -> None:
        # Shells let what they start in the background ignore it, but who sends it twice means it.
        signal.signal(signal.SIGINT, before if callable(before) else signal.default_int_handler)
        wishes.append(number)
        announce()

    signal.signal(signal.SIGINT, wish)
    try:
        yield lambda: bool(wishes)
    finally:
        signal.signal(signal.SIGINT, before)
