"""Work in worker processes: what crashes, hangs or grows costs one item, and nothing more."""

import os
import signal
import sys
import threading
import time
from multiprocessing import get_context

import pytest

from mmmsba_plugin.errors import ConfigError, MemoryLimitError, TimeLimitError, WorkerError
from mmmsba_plugin.workers import Limits, WorkerPool

#: Work that another process can import; the item says what happens.
MODULE = """
import os, signal, time
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.worker_process import say_duration

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)

def work(item):
    if item == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        time.sleep(600)
    if item == "grow":
        ballast = b"x" * 300_000_000
        time.sleep(600)
    if item == "raise":
        raise ValueError("a bug")
    if item == "raise oddly":
        raise Odd(1, 2)
    if item == "long":
        say_duration(60.0)
        time.sleep(2.5)
    if item == "unportable":
        return lambda: None
    if item == "pid":
        return os.getpid()
    return item.upper()

def start():
    return work, "hello"

def refuse():
    raise ConfigError("no such setting")

def die():
    os._exit(7)

def nest(path):
    from pathlib import Path
    from mmmsba_plugin.errors import WorkerError
    from mmmsba_plugin.workers import WorkerPool
    try:
        with WorkerPool(start) as pool:
            pool.greeting
    except WorkerError as error:
        Path(path).write_text(str(error))
"""

SHORT = Limits(floor_s=1.5, per_second=1.0, memory_mib=None)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The module with the work, which workers find as well."""
    (tmp_path / "hostile_work.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import hostile_work

    yield hostile_work
    del sys.modules["hostile_work"]


@pytest.fixture
def results(module):
    """Runs items in workers, and returns the result of each."""

    def run(*items, workers=1, limits=None, start=module.start):
        with WorkerPool(start, workers=workers, limits=limits or Limits()) as pool:
            return dict(pool.map_unordered(items))

    return run


@pytest.mark.parametrize(("item", "how"), [("segfault", "SIGSEGV"), ("exit", "exit code 3")])
def test_a_crash_costs_its_item_and_says_what_to_do(results, item, how):
    outcomes = results("a", item, "b")
    assert (outcomes["a"], outcomes["b"]) == ("A", "B")
    assert isinstance(outcomes[item], WorkerError)
    assert how in str(outcomes[item])
    assert "try again, or convert the clip" in str(outcomes[item])


def test_a_crash_of_the_last_item_starts_no_worker_for_nothing(module):
    with WorkerPool(module.start) as pool:
        assert [item for item, _ in pool.map_unordered(["a", "exit"])] == ["a", "exit"]
        before_s = time.monotonic()
        assert list(pool.map_unordered([])) == []
        assert time.monotonic() - before_s < 0.1


def test_an_item_that_hangs_is_given_up_after_its_time(results):
    outcomes = results("hang", "a", limits=SHORT)
    assert isinstance(outcomes["hang"], TimeLimitError)
    assert "raise the limit (--time-limit" in str(outcomes["hang"])
    assert outcomes["a"] == "A"


def test_a_clip_that_lasts_gets_more_time(results):
    assert results("long", limits=SHORT) == {"long": "LONG"}


def test_an_item_that_takes_too_much_memory_is_given_up(results):
    outcomes = results("grow", "a", limits=Limits(memory_mib=100.0))
    assert isinstance(outcomes["grow"], MemoryLimitError)
    assert "more than 100 MiB" in str(outcomes["grow"])
    assert outcomes["a"] == "A"


def test_without_limits_nothing_is_given_up():
    assert Limits(per_second=None).time_s(10.0) == float("inf")
    assert Limits(floor_s=60.0, per_second=2.0).time_s(10.0) == 80.0


def test_an_exception_is_the_result_of_its_item(results):
    outcomes = results("raise", "raise oddly", "unportable", "a")
    assert isinstance(outcomes["raise"], ValueError)
    assert str(outcomes["raise oddly"]) == "Odd: 1"
    assert isinstance(outcomes["unportable"], Exception)
    assert outcomes["a"] == "A"


def test_items_are_taken_once_a_worker_is_there_for_them(module):
    names = []

    def items():
        for name in "abcd":
            names.append(name)
            yield name

    with WorkerPool(module.start) as pool:
        assert next(pool.map_unordered(items())) == ("a", "A")
        assert names == ["a"]


def test_several_workers_share_the_items(module):
    items = [f"{name}" for name in "abcdefgh"]
    with WorkerPool(module.start, workers=2) as pool:
        assert pool.greeting == "hello"
        assert sorted(pool.map_unordered(items)) == [(name, name.upper()) for name in items]


def test_a_worker_that_is_killed_while_idle_costs_nothing(module):
    with WorkerPool(module.start) as pool:
        [(_, pid)] = pool.map_unordered(["pid"])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        assert list(pool.map_unordered(["a"])) == [("a", "A")]


def test_what_is_wrong_with_the_start_is_raised(module):
    with (
        pytest.raises(ConfigError, match="no such setting"),
        WorkerPool(module.refuse) as pool,
    ):
        list(pool.map_unordered(["a"]))
    with pytest.raises(WorkerError, match="exit code 7"), WorkerPool(module.die) as pool:
        assert pool.greeting


def test_a_process_that_may_start_no_others_says_so(module, tmp_path):
    path = tmp_path / "error.txt"
    process = get_context("spawn").Process(target=module.nest, args=(path,), daemon=True)
    process.start()
    process.join(60)
    assert path.read_text().startswith("workers cannot be started here: daemonic")
    assert "run without isolation" in path.read_text()


def test_pools_run_in_threads(module):
    outcomes = []

    def run(name):
        with WorkerPool(module.start) as pool:
            outcomes.extend(pool.map_unordered([name, "exit"]))

    threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(item for item, _ in outcomes) == ["a", "b", "exit", "exit"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_pools_run_in_a_forked_process(module):
    with WorkerPool(module.start) as pool:
        list(pool.map_unordered(["a"]))
        child = os.fork()
        if child == 0:
            with WorkerPool(module.start) as own:
                os._exit(0 if list(own.map_unordered(["b"])) == [("b", "B")] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert list(pool.map_unordered(["c"])) == [("c", "C")]
