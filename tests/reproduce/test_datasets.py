"""Datasets stand in for the paper's, and identities keep training and test apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.reproduce.datasets import (
    TrainingSet,
    clips_to_learn,
    clips_to_test,
    digest_of,
    draw_records,
    is_stand_in,
    open_datasets,
    title,
)

from ..layouts import lavdf
from .clips_of import record


class TestData:
    def test_a_dataset_is_named_with_its_folder(self, tmp_path):
        dataset = open_datasets([f"lav-df={tmp_path}"])["lav-df"]
        assert (dataset.reader, dataset.root, is_stand_in(dataset)) == ("lav-df", tmp_path, False)
        assert title(dataset) == "LAV-DF"

    def test_another_reader_makes_it_a_stand_in_that_says_so(self, tmp_path):
        dataset = open_datasets([f"fakeavceleb:lav-df={tmp_path}"])["fakeavceleb"]
        assert is_stand_in(dataset)
        assert title(dataset) == f"stand-in for FakeAVCeleb (lav-df: {tmp_path.name})"

    def test_its_own_reader_may_be_named(self, tmp_path):
        assert not is_stand_in(open_datasets([f"tvil:tvil={tmp_path}"])["tvil"])

    def test_what_no_reader_is_named_for_is_recognised(self, tmp_path):
        (dataset,) = open_datasets([str(lavdf(tmp_path))]).values()
        assert (dataset.name, dataset.reader) == ("lav-df", "lav-df")

    def test_the_papers_protocol_is_used_unless_another_is_named(self, tmp_path):
        for spec, protocol in {
            "fakeavceleb": "70-10-20",
            "fakeavceleb[protocol=five-fold]": "five-fold",
        }.items():
            dataset = open_datasets([f"{spec}={tmp_path}"])["fakeavceleb"]
            assert dataset.settings["protocol"] == protocol

    def test_the_former_place_of_the_reader_is_answered_with_the_new_one(self, tmp_path):
        with pytest.raises(ConfigError, match=f"here fakeavceleb:lav-df={tmp_path}$"):
            open_datasets([f"fakeavceleb=lav-df:{tmp_path}"])

    def test_a_colon_in_a_path_is_no_reader(self, tmp_path):
        folder = tmp_path / "a:b"
        folder.mkdir()
        assert open_datasets([f"tvil={tmp_path}/a:b"])["tvil"].root == folder

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["celebdf=."], "'celebdf=.' names no dataset; give NAME=DIR"),
            (["lav-df"], "'lav-df' names no dataset; give NAME=DIR"),
            (["lav-df=gone"], "there is no folder 'gone'; check the path"),
            (["lav-df=lavdf:."], "there is no folder 'lavdf:.'; check the path"),
            (["lav-df=.", "lav-df=."], "lav-df is given twice; give each dataset one folder"),
        ],
    )
    def test_what_names_no_dataset_is_refused(self, arguments, reason):
        with pytest.raises(ConfigError, match=reason):
            open_datasets(arguments)

    @pytest.fixture
    def dataset(self, monkeypatch, tmp_path):
        """A dataset of records that a test makes up."""

        def make(*records):
            monkeypatch.setattr(DatasetSource, "records", lambda _: iter(records))
            return DatasetSource("lav-df", "lav-df", tmp_path)

        return make

    def test_a_dataset_with_all_splits_is_taken_as_it_is(self, dataset):
        source = dataset(record("a"), record("b", "dev"), record("c", "test"), record("d", "other"))
        assert [(r.key, r.split) for r in clips_to_learn(source)] == [("a", "train"), ("b", "dev")]
        tested = clips_to_test(source)
        assert ([r.key for r in tested.records], tested.split) == (["c"], "test")

    @given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30), st.integers(0, 9))
    def test_without_a_test_split_nobody_is_tested_on_who_was_validated_on(self, identities, seed):
        train = [record(f"{i}", identity=identity) for i, identity in enumerate(identities)]
        source = DatasetSource("lav-df", "lav-df", Path("/dataset"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(DatasetSource, "records", lambda _: iter([*train, record("z", "dev")]))
            records, tested = clips_to_learn(source, seed=seed), clips_to_test(source)
        assert ([r.key for r in tested.records], tested.split) == (["z"], "dev")
        assert sorted(r.key for r in records) == sorted(r.key for r in train)
        by_split = {s: {r.identity for r in records if r.split == s} for s in ("train", "dev")}
        assert by_split["dev"]
        assert not by_split["train"] & by_split["dev"]

    def test_a_dataset_without_what_is_needed_says_so(self, dataset):
        with pytest.raises(DatasetError, match="LAV-DF has no training split"):
            clips_to_learn(dataset(record("a", "test")))
        with pytest.raises(DatasetError, match="no clips of split test or dev"):
            clips_to_test(dataset(record("a")))

    @given(
        st.lists(st.booleans(), max_size=30),
        st.integers(2, 30),
        st.integers(0, 5),
    )
    def test_a_limit_draws_half_of_each_and_a_larger_one_keeps_them(self, fake, limit, more):
        records = [record(str(i), fake=is_fake) for i, is_fake in enumerate(fake)]
        chosen = draw_records(records, limit)
        assert len(chosen) == min(limit, len(records))
        assert chosen == [r for r in records if r in chosen]
        assert {r.name for r in chosen} <= {r.name for r in draw_records(records, limit + more)}
        kinds = [sum(r.fake is kind for r in chosen) for kind in (True, False)]
        there = [sum(r.fake is kind for r in records) for kind in (True, False)]
        assert all(k >= min(t, limit // 2) for k, t in zip(kinds, there, strict=True))

    def test_without_a_limit_all_are_drawn(self):
        assert draw_records([record("a"), record("b")], None) == [record("a"), record("b")]

    def test_nobody_is_tested_on_who_was_learned_from_in_the_same_dataset(self, dataset):
        source = dataset()
        training_set = TrainingSet.of(source, [record("a", identity="ann")])
        assert training_set.shared_with(source, [record("b", identity="bob")]) == 0
        with pytest.raises(DatasetError, match="'ann' is both learned from and tested on"):
            training_set.shared_with(source, [record("b", identity="ann")])

    def test_a_identity_of_another_dataset_is_counted_and_a_clip_refused(self, dataset, tmp_path):
        training_set = TrainingSet.of(dataset(), [record("a", identity="ann")])
        other = DatasetSource("tvil", "tvil", tmp_path / "other")
        assert training_set.shared_with(other, [record("b", identity="ann")]) == 1
        with pytest.raises(DatasetError, match="/a is both learned from and tested on"):
            training_set.shared_with(other, [record("a", identity="bob")])

    @pytest.mark.parametrize(
        "other", [record("b"), record("a", "dev"), record("a", fake=True), record("a", None)]
    )
    def test_other_clips_splits_or_ground_truth_are_another_run(self, other):
        assert digest_of([record("a")]) == digest_of([record("a", identity="ann")])
        assert digest_of([record("a")]) != digest_of([other])
