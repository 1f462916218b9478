"""Records are split by identity, and into folds of an ensemble."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.training.split import folds

from .runs import record


class TestSplit:
    @given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(0, 9))
    def test_nobody_is_both_learned_from_and_held_out(self, identities, seed):
        train, held_out = split_records([record(identity) for identity in identities], seed=seed)
        assert len(train) + len(held_out) == len(identities)
        assert not {r.identity for r in train} & {r.identity for r in held_out}
        assert held_out

    def test_a_dataset_with_a_validation_split_keeps_it(self):
        records = [record("a"), record("b", "dev"), record("c", "test")]
        train, held_out = split_records(records)
        assert [r.identity for r in train] == ["a"]
        assert [r.identity for r in held_out] == ["b"]

    def test_a_identity_in_both_splits_is_an_error(self):
        with pytest.raises(TrainingError, match="'a' is in the train and the validation split"):
            split_records([record("a"), record("a", "dev")])


def both(identity):
    """Return a real and a fake record of an identity."""
    return [record(identity), record(identity, fake=True)]


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(2, 5))
def test_each_identity_is_held_out_and_no_member_knows_whom_it_holds_out(identities, members):
    records = [r for identity in identities for r in both(identity)]
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
    for side in (side for share in folds(records, members=4, seed=seed) for side in share):
        assert {r.fake for r in side} == {True, False}


def test_where_one_identity_alone_has_fakes_no_shares_can_be_made():
    records = [record("a"), record("b"), *both("c")]
    assert folds(records, members=2) == [split_records(records)] * 2


def test_one_network_is_split_as_ever():
    records = [record(identity) for identity in "abcdefghij"]
    assert folds(records, members=1, seed=4) == [split_records(records, seed=4)]
