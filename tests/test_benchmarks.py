"""What the benchmarks take for granted."""

import importlib.util
import pkgutil
import sys
from pathlib import Path

import pytest


def stages():
    """Return the benchmark of stages as a module."""
    path = Path(__file__).parent / "benchmarks" / "stages.py"
    spec = importlib.util.spec_from_file_location("stages", path)
    module = sys.modules["stages"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("target", [one for named in stages().STAGES.values() for one in named])
def test_what_a_stage_clocks_is_there(target):
    assert callable(pkgutil.resolve_name(target))


def test_a_stage_that_starts_inside_another_stops_its_clock():
    watch = stages().Stopwatch()
    with watch.stage("pictures"), watch.stage("network"):
        sum(range(2_000_000))
    assert watch.spent_s["network"] > 10 * watch.spent_s["pictures"]
