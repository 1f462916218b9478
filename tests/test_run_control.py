"""A run that is under way: it tells how far it is, and it can be stopped."""

import threading
import time

import pytest

from mmmsba_plugin.errors import MmmsbaError, RunCancelledError, TimeLimitError
from mmmsba_plugin.run_control import Progress, check, run_control, under_control


def test_without_control_nothing_happens():
    check(Progress("clips", 1))


def test_an_event_that_is_set_stops_a_run():
    event = threading.Event()
    with run_control(cancel=event):
        check()
        event.set()
        with pytest.raises(RunCancelledError, match="cancelled by whoever started it") as caught:
            check()
    assert isinstance(caught.value, MmmsbaError)
    check()


def test_a_function_that_returns_true_stops_it_too():
    with run_control(cancel=lambda: True), pytest.raises(RunCancelledError):
        check()


def test_a_run_that_takes_too_long_says_how_long_it_had():
    with run_control(time_limit_s=0.0):
        time.sleep(0.01)
        with pytest.raises(TimeLimitError, match="not complete after 0 s") as caught:
            check()
    assert caught.value.limit_s == 0.0


def test_progress_is_told_to_the_inner_block_and_the_outer_one_still_stops_it():
    outer, inner = [], []
    stop = threading.Event()
    with run_control(cancel=stop, on_progress=outer.append):
        check(Progress("clips", 1, 2))
        with run_control(on_progress=inner.append):
            check(Progress("seconds", 0.5))
        with run_control(time_limit_s=60.0):
            check(Progress("seconds", 1.0))
            stop.set()
            with pytest.raises(RunCancelledError):
                check()
    assert outer == [Progress("clips", 1, 2), Progress("seconds", 1.0)]
    assert inner == [Progress("seconds", 0.5)]


def test_another_thread_is_not_controlled():
    with run_control(cancel=lambda: True):
        thread = threading.Thread(target=check)
        thread.start()
        thread.join()
        with pytest.raises(RunCancelledError):
            check()


def test_items_are_controlled_while_they_are_computed_and_not_while_in_use():
    stop = threading.Event()

    def items():
        yield 1
        check()
        yield 2

    controlled = under_control(items(), cancel=stop)
    assert next(controlled) == 1
    stop.set()
    check()
    with pytest.raises(RunCancelledError):
        next(controlled)
