"""Assumptions of the benchmarks."""

import importlib.util
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmmsba_plugin.model.attention import attend
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.segment import Segment


def load(name):
    """Return a benchmark as a module."""
    path = Path(__file__).parent / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.append(str(Path(__file__).parent / "benchmarks"))
stages = load("stages")
trainings = load("trainings")
runtime = load("runtime")


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


def test_naive_attention_is_attention():
    queries, keys = torch.randn(2, 1, 9, 4, generator=torch.Generator().manual_seed(0))
    counts = torch.arange(9)[None] % 2 == 0
    naive = runtime.naive(queries, keys, counts[:, None])
    torch.testing.assert_close(attend(queries, keys, key_mask=counts), naive)


def test_runtimes_are_compared_by_time_and_scores(bundled):
    network, config = runtime.load_checkpoint(bundled)
    exported = runtime.OnnxNetwork(runtime.to_onnx(network, config))
    features = runtime.make_features(network, runtime.Grid(stride_s=0.1), 2.0)
    spent_s, difference = runtime.compare_runtimes(
        {"torch": network, "onnx": exported}, features, config.localization, 1
    )
    assert set(spent_s) == {"torch", "onnx"}
    assert 0 <= difference < 1e-5
    assert np.isfinite(list(spent_s.values())).all()


def make_fake(key, generator, identity, truth=WHOLE_CLIP):
    return Record(
        Path(key),
        (truth,),
        identity=identity,
        key=key,
        duration_s=4.0,
        extra={"generator": generator},
    )


def test_a_generator_that_is_left_out_takes_its_identities_along():
    whole = [make_fake(f"train/0/{i}", "A", f"seen {i}") for i in range(3)]
    cut = make_fake("train/1/cut", "A+B", "seen 3", Segment(1.0, 2.0))
    theirs = Record(Path("theirs"), identity="seen 3", key="train/1/theirs")
    others = [
        make_fake("train/0/other", "B", "other"),
        Record(Path("real"), identity="other", key="train/0/real"),
    ]
    train = [*whole, cut, theirs, *others]
    dev = [Record(Path("dev"), identity="dev", key="dev/0/dev")]

    (variant,) = trainings.generators(train)

    assert variant.without_generator == "A"
    assert trainings.training_records(variant, train) == others
    assert trainings.evaluation_records(variant, train, dev) == [*dev, *whole, cut, theirs]
