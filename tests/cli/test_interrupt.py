"""Ctrl-C: the first asks to stop, the second stops."""

import os
import signal
import threading

import pytest

from mmmsba_plugin.cli._interrupt import stop_on_interrupt


@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN])
def test_the_first_asks_and_the_second_interrupts(before):
    calls = []
    usual = signal.signal(signal.SIGINT, before)
    with stop_on_interrupt(lambda: calls.append(1)) as stops:
        assert not stops()
        os.kill(os.getpid(), signal.SIGINT)
        assert stops()
        assert calls == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, usual)


def test_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt(lambda: None):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_a_thread_cannot_be_asked():
    states = []

    def run():
        with stop_on_interrupt(lambda: None) as stops:
            states.append(stops())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert states == [False]
