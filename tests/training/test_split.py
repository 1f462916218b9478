"""Records are split by identity into folds of an ensemble."""

from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.training.split import folds

from .runs import record


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


def test_several_members_can_hold_out_the_same_identities():
    records = [r for identity in "abcdef" for r in both(identity)]
    shares = folds(records, members=4, num_folds=2)
    assert shares[0] == shares[2]
    assert shares[1] == shares[3]
    assert sorted(r.identity for r in shares[0][0]) == sorted(r.identity for r in shares[1][1])


def test_one_network_is_split_as_ever():
    records = [record(identity) for identity in "abcdefghij"]
    assert folds(records, members=1, seed=4) == [split_records(records, seed=4)]
