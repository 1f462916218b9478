"""Assumptions of the benchmarks."""

import importlib.util
import pkgutil
import sys
from pathlib import Path

import pytest


def load(name):
    """Return a benchmark as a module."""
    path = Path(__file__).parent / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stages = load("stages")


@pytest.mark.parametrize("target", [name for names in stages.STAGES.values() for name in names])
def test_what_a_stage_clocks_is_there(target):
    assert callable(pkgutil.resolve_name(target))


def test_a_stage_that_starts_inside_another_stops_its_clock(monkeypatch):
    times_s = iter([0.0, 1.0, 3.0, 7.0, 15.0])
    monkeypatch.setattr(stages.time, "process_time", lambda: next(times_s))
    stopwatch = stages.Stopwatch()
    with stopwatch.stage("frames"), stopwatch.stage("network"):
        pass
    assert {name: spent for name, spent in stopwatch.spent_s.items() if spent} == {
        "": 1.0,
        "frames": 2.0 + 8.0,
        "network": 4.0,
    }
