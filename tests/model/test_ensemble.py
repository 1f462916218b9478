"""Several networks that answer as one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import FitConfig, ModelConfig, TrainConfig, TuneConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.training.finetune import finetune
from mmmsba_plugin.training.fit import fit
from mmmsba_plugin.training.split import folds

ALONE = ModelConfig(dims={"audio": 4, "face": 3}, gru_units=5, dense_units=6)
TWO = FitConfig(
    network={"gru_units": 12, "dense_units": 8, "members": 2},
    train=TrainConfig(batch_size=8, max_epochs=2),
)


def record(identity, split="train", *, fake=False):
    truth = (Segment(1.0, 2.0),) if fake else ()
    return Record(Path(f"{identity}.mp4"), truth=truth, split=split, identity=identity)


def both(identity):
    return [record(identity), record(identity, fake=True)]


def rows(seed=0):
    torch.manual_seed(seed)
    return {"audio": torch.randn(2, 9, 4), "face": torch.randn(2, 9, 3)}


def test_a_ensemble_says_what_its_members_say_on_average():
    members = [MmmsBa(ALONE).eval() for _ in range(3)]
    said = [member(rows()) for member in members]
    together = Ensemble(members).eval()(rows())
    torch.testing.assert_close(
        together.heads["classify"], sum(one.heads["classify"] for one in said) / 3
    )
    torch.testing.assert_close(
        together.heads["regress"], sum(one.heads["regress"] for one in said) / 3
    )
    assert together.fused.shape[-1] == 3 * said[0].fused.shape[-1]


def test_a_configuration_says_how_many_there_are():
    config = FitConfig(network={"members": 3, "gru_units": 5})
    network = Ensemble.from_configs(config.members(ALONE.dims))
    assert network.configs == config.members(ALONE.dims)
    assert [member.config.gru_units for member in network] == [5, 5, 5]
    assert len(Ensemble.from_configs(FitConfig().members(ALONE.dims)).configs) == 1


def test_a_configuration_says_what_each_member_changes():
    changes = [{"gru_units": 4}, {"attention": "none"}]
    first, second = FitConfig(network={"gru_units": 7, "members": changes}).members(ALONE.dims)
    assert (first.gru_units, first.attention) == (4, "mmms-ba")
    assert (second.gru_units, second.attention) == (7, "none")
    with pytest.raises(ConfigError, match="gru_unit: Extra"):
        FitConfig.read({"network": {"members": [{"gru_unit": 4}]}})


@pytest.mark.parametrize("dims", [[], [{"audio": 4}, {"audio": 5}], [{"audio": 4}, {"face": 4}]])
def test_members_read_the_same_features(dims):
    with pytest.raises(ConfigError, match="all read the same features"):
        Ensemble.from_configs([ModelConfig(dims=of_member) for of_member in dims])


def test_members_without_a_boundary_head_make_none_up():
    config = ALONE.model_copy(update={"heads": ("classify",)})
    assert "regress" not in Ensemble.from_configs([config] * 2).eval()(rows()).heads


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "none"])
def test_what_members_attend_to_is_averaged(attention):
    config = ALONE.model_copy(update={"attention": attention})
    together = Ensemble.from_configs([config] * 2).eval()
    maps = together(rows(), return_attention=True).attention
    of_members = [m(rows(), return_attention=True).attention for m in together]
    assert (list(maps), bool(maps)) == (list(of_members[0]), attention != "none")
    for name, weights in maps.items():
        torch.testing.assert_close(weights, (of_members[0][name] + of_members[1][name]) / 2)
    assert together(rows()).attention is None


@pytest.mark.parametrize("members", [0, 1000, "x", None, 2.5, []])
def test_a_number_of_members_that_cannot_be_is_refused_before_anything_is_read(members):
    with pytest.raises(ConfigError, match="members"):
        FitConfig.read({"network": {"members": members}})


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(2, 5))
def test_each_identity_is_held_out_and_no_member_knows_whom_it_holds_out(identities, members):
    records = [one for who in identities for one in both(who)]
    shares = folds(records, members=members)
    assert len(shares) == members
    for train, held_out in shares:
        assert len(train) + len(held_out) == len(records)
        assert not {r.identity for r in train} & {r.identity for r in held_out}
    if len(set(identities)) > 1:
        assert {r.identity for _, held_out in shares for r in held_out} == set(identities)


def test_a_validation_split_is_held_out_by_all():
    records = [record("a"), record("b"), record("c", "dev")]
    assert folds(records, members=2) == [split_records(records)] * 2


@given(st.integers(0, 30))
def test_one_who_was_never_fake_is_not_held_out_alone(seed):
    records = [record("a"), *both("b"), *both("c"), *both("d")]
    for part in (part for share in folds(records, members=4, seed=seed) for part in share):
        assert {one.fake for one in part} == {True, False}


def test_where_one_identity_alone_has_fakes_no_shares_can_be_made():
    records = [record("a"), record("b"), *both("c")]
    assert folds(records, members=2) == [split_records(records)] * 2


def test_one_network_is_split_as_ever():
    records = [record(who) for who in "abcdefghij"]
    assert folds(records, members=1, seed=4) == [split_records(records, seed=4)]


def test_a_ensemble_is_trained_kept_and_tuned(talking_head_dataset, feature_cache, tmp_path):
    records = [replace(one, split="train") for one in read_lavdf(talking_head_dataset)]
    fitted = fit(records, TWO, tmp_path / "two", cache=feature_cache)
    assert fitted.num_validation == len(records)
    assert fitted.num_train < len(records)
    network, config = load_checkpoint(fitted.checkpoint)
    first, second = network
    assert not torch.equal(first.classify.weight, second.classify.weight)
    assert len(config.members) == 2
    assert "**Networks**: 2 that answer as one" in (tmp_path / "two/README.md").read_text()
    pace = TuneConfig(max_epochs=1, learning_rate=0.01)
    tuned = finetune(
        records, tmp_path / "tuned", pace, checkpoint=fitted.checkpoint, cache=feature_cache
    )
    # The same clips, judged by the same members: those who held them out.
    assert tuned.before == pytest.approx(fitted.operating_point.metrics)
    for was, now in zip(network, _network(tuned), strict=True):
        assert not torch.equal(was.classify.weight, now.classify.weight)


def test_clips_that_are_fake_throughout_are_learned_from(
    talking_head_dataset, feature_cache, tmp_path
):
    records = [
        replace(one, split="train", truth=(WHOLE_CLIP,), audio_truth=None, visual_truth=None)
        if one.fake
        else replace(one, split="train")
        for one in read_lavdf(talking_head_dataset)
    ]
    fitted = fit(records, TWO, tmp_path / "whole", cache=feature_cache)
    assert (fitted.num_validation, fitted.skipped) == (len(records), ())


def _network(fitted):
    return load_checkpoint(fitted.checkpoint)[0]


def test_a_ensemble_that_was_interrupted_goes_on(
    talking_head_dataset, feature_cache, tmp_path, monkeypatch
):
    records, cache = list(read_lavdf(talking_head_dataset)), feature_cache
    whole = fit(records, TWO, tmp_path / "whole", cache=cache)
    from mmmsba_plugin.training import fit as fitting

    learn, calls = fitting._learn, []

    def once(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return learn(*args, **kwargs)

    monkeypatch.setattr(fitting, "_learn", once)
    with pytest.raises(KeyboardInterrupt):
        fit(records, TWO, tmp_path / "cut", cache=cache)
    monkeypatch.setattr(fitting, "_learn", learn)
    again = fit(records, TWO, tmp_path / "cut", cache=cache)
    states = [load_checkpoint(one.checkpoint)[0].state_dict() for one in (whole, again)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
