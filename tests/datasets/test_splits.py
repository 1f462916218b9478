"""Identities are dealt to splits, so that nobody is in two."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.splits import deal, held_out_of, ranked, split_records, split_word
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment


def record(identity, split="train", *, fake=False):
    truth = (Segment(0.0, 1.0),) * fake
    return Record(Path(f"{identity}.mp4"), truth, split=split, identity=identity)


class TestDeal:
    @given(st.sets(st.text(min_size=1), max_size=40), st.integers(0, 5))
    def test_everybody_is_dealt_once_whatever_the_order(self, identities, seed):
        dealt = deal(sorted(identities), {"dev": 0.1, "test": 0.2}, seed=seed)
        assert dealt == deal(sorted(identities, reverse=True), {"dev": 0.1, "test": 0.2}, seed=seed)
        assert dealt.keys() == identities
        assert set(dealt.values()) >= {"train"} or not identities
        if len(identities) > 2:
            assert set(dealt.values()) == {"train", "dev", "test"}

    @given(st.sets(st.text(min_size=1), max_size=30), st.integers(1, 6), st.integers(0, 5))
    def test_folds_part_the_identities(self, identities, num_folds, seed):
        folds = [
            held_out_of(identities, fold, num_folds=num_folds, seed=seed)
            for fold in range(num_folds)
        ]
        assert sorted(identity for fold in folds for identity in fold) == sorted(identities)
        assert max(map(len, folds)) - min(map(len, folds)) <= 1

    def test_an_order_is_the_same_for_good(self):
        # A trained checkpoint's held-out people must stay held out.
        assert ranked("abcdef", seed=0) == ["f", "d", "a", "c", "b", "e"]


class TestSplitRecords:
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

    def test_a_split_named_test_is_left_out_and_none_is_train(self):
        records = [record("a", None), record("b", "validation"), record("c", "testing")]
        train, held_out = split_records(records)
        assert ([r.identity for r in train], [r.identity for r in held_out]) == (["a"], ["b"])

    def test_identities_are_held_out_until_there_are_real_and_fake_records(self):
        order = ranked("abcdefgh", seed=0)
        fakes = {*order[3:5]}
        records = [record(identity, fake=identity in fakes) for identity in order]
        assert [r.identity for r in split_records(records)[1]] == order[:4]

    def test_the_only_fakes_are_left_to_learn_from(self):
        order = ranked("abcdefgh", seed=0)
        records = [record(identity, fake=identity == order[3]) for identity in order]
        assert [r.identity for r in split_records(records)[1]] == order[:2]


@pytest.mark.parametrize(
    ("word", "split"),
    [("Training", "train"), ("VAL", "dev"), ("eval", "test"), ("Test", "test"), ("testA", "testA")],
)
def test_a_split_has_one_word_here(word, split):
    assert split_word(word) == split
