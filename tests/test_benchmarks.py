"""Assumptions of the benchmarks."""

import importlib.util
import json
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.model.attention import attend
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.schema import Curves, Media, Proposal, Provenance, Report
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
comparison = pkgutil.resolve_name("studies.comparison:comparison")
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


def test_systems_are_presets_on_the_features_of_the_bundled_weights():
    features = FitConfig(preset="mmmsba").features.front_ends
    configs = {v.name: v.config(trainings.TRAINING, 3) for v in trainings.systems() if not v.seed}
    assert set(configs["MMMS-BA"].features.front_ends) == {"face", "audio", "lips"}
    assert set(configs["WAFL-style"].features.front_ends) == {"face", "audio", "lips", "text"}
    for name, preset in {
        "MMMS-BA": "paper",
        "Enc-Dec": "enc-dec",
        "DiMoDif-style": "dimodif",
    }.items():
        read = configs[name].features.front_ends
        assert read == {modality: features[modality] for modality in read}
        assert configs[name].train.max_epochs == 3
        dims = dict.fromkeys(read, 9)
        assert configs[name].members(dims) == FitConfig(preset=preset).members(dims)


def test_words_are_all_that_a_network_with_text_differs_in():
    first = {v.name: v for v in reversed(trainings.texts())}
    without, words = (v.config(trainings.TRAINING, None) for v in reversed(first.values()))
    assert (words.train, words.members({"face": 1})) == (
        without.train,
        without.members({"face": 1}),
    )
    front_ends = dict(words.features.front_ends)
    assert front_ends.pop("text").name == "words"
    assert front_ends == without.features.front_ends


def test_each_identity_is_held_out_by_one_fold():
    identities = [f"identity {i}" for i in range(12)]
    clips = [
        Record(Path(f"{identity} {len(truth)}"), truth, identity=identity)
        for identity in identities
        for truth in ((), (Segment(1.0, 2.0),))
    ]
    variants = [v for v in trainings.texts() if v.seed == 0 and v.name == trainings.texts()[0].name]
    held_out = [trainings.evaluation_records(v, clips, []) for v in variants]
    assert sorted(r.name for records in held_out for r in records) == sorted(r.name for r in clips)
    for variant, records in zip(variants, held_out, strict=True):
        train = {r.identity for r in trainings.training_records(variant, clips)}
        assert train == set(identities) - {r.identity for r in records}


def make_reports(records, sign):
    """Return reports that are right, or wrong where the sign is negative."""
    for record in records:
        score = 0.5 + 0.4 * sign * (1 if record.fake else -1)
        yield Report(
            status="ok",
            media=Media(path=record.key),
            score=score,
            proposals=(Proposal(start_s=0.0, end_s=1.0, score=score),),
            curves=Curves(start_s=0.0, stride_s=0.5, score=(score, 1 - score)),
            provenance=Provenance(
                package_version="0", api_version="1.0", formula_version=1, detector="x"
            ),
        )


def test_networks_are_compared_with_one_of_them():
    segment = Segment(0.0, 0.5)
    records = [
        Record(Path(f"{i}"), (segment,) * (i % 2), identity=f"{i // 2}", key=f"{i}")
        for i in range(8)
    ]
    right, wrong = (trainings.Variant(name, 0) for name in ("right", "wrong"))
    reports = {right: [*make_reports(records, 1)], wrong: [*make_reports(records, -1)]}
    lines = [*comparison(reports, records, baseline="right", states_intervals=True)]
    first, second = (line.strip("| ").split(" | ")[:3] for line in lines[2:4])
    assert first == ["right", "1.000 (1.000 to 1.000)", ""]
    assert second == ["wrong", "0.000 (0.000 to 0.000)", "-1.000 (-1.000 to -1.000)"]


def test_what_trainings_took_is_the_most_of_any_seed(tmp_path):
    variants = [trainings.Variant("a", seed) for seed in (0, 1, 2)]
    for variant, cpu_s in zip(variants, (60.0, 120.0), strict=False):
        (tmp_path / variant.folder).mkdir()
        cost = {"cpu_s": cpu_s, "wall_s": 180.0 - cpu_s, "epochs": 3}
        (tmp_path / variant.folder / trainings.COST).write_text(json.dumps(cost))
    assert "| a | 2.0 | 2.0 | 3 |" in [*trainings.costs_table(variants, tmp_path)]
    assert [*trainings.costs_table(variants[2:], tmp_path)] == []
