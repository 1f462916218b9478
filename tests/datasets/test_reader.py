"""Shared parts of readers: settings, splits, and the fields of an entry of metadata."""

import logging
from pathlib import Path

import pytest

from mmmsba_plugin.datasets.json_records import Item
from mmmsba_plugin.datasets.reader import (
    ReaderConfig,
    Splits,
    as_listed,
    counted_periods,
    fields,
    file_key,
    find_clip,
    flag,
    positive,
    refuse,
    segments,
    walk,
    warn,
    without,
    word,
)
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment


@pytest.mark.parametrize(("word", "split"), [("valid", "dev"), ("testA", "testA"), (None, None)])
def test_a_split_is_asked_for_by_any_of_its_names(word, split):
    assert ReaderConfig(root=Path("x"), split=word).split == split


class TestErrors:
    def test_what_is_left_out_can_be_logged_or_end_reading(self, caplog):
        error = DatasetError("line 2 is broken")
        with caplog.at_level(logging.WARNING):
            warn(error)
        assert "left out: line 2 is broken" in caplog.text
        with pytest.raises(DatasetError, match="line 2"):
            refuse(error)

    def test_an_entry_that_is_malformed_is_named_by_its_place_and_the_rest_is_read(self):
        entries = [{"file": "a"}, 7, {"file": ""}, {"file": "skip"}, {"file": "b"}]
        items = [Item(value, Path("x.json"), entry=index) for index, value in enumerate(entries)]
        errors = []

        def make(item):
            key = file_key(item)
            return None if key == "skip" else Record(Path(key), key=key)

        assert [record.key for record in walk(items, make, errors.append)] == ["a", "b"]
        assert [str(error).split(": ")[0] for error in errors] == [
            "x.json, line 1, record 1",
            "x.json, line 1, record 2",
        ]


class TestSplits:
    def test_a_split_that_was_met_is_there(self):
        splits = Splits("dev")
        assert [splits.wants(split) for split in ("dev", "test", None)] == [True, False, False]
        splits.require(Path("x"))

    def test_one_that_was_not_is_answered_with_those_that_were(self):
        splits = Splits("dev")
        with pytest.raises(DatasetError, match="x has no split 'dev'; it has: none"):
            splits.require(Path("x"))
        splits.wants("train")
        with pytest.raises(DatasetError, match="it has: train"):
            splits.require(Path("x"))

    def test_without_one_all_are_wanted_and_none_is_required(self):
        splits = Splits(None)
        splits.require(Path("x"))
        assert splits.wants("anything")


class TestFields:
    def test_values_are_returned_as_they_are(self):
        item = {"file": "a/b.mp4", "split": "dev", "audio": True, "fps": 25, "null": None}
        assert fields(item) is item
        assert (word(item, "split"), word(item, "null"), word(item, "gone")) == ("dev", None, None)
        assert (flag(item, "audio"), flag(item, "gone")) == (True, False)
        assert (positive(item, "fps"), positive(item, "null")) == (25, None)
        assert file_key(item) == "a/b.mp4"
        assert without(item, {"file", "split", "audio", "null"}) == {"fps": 25}

    @pytest.mark.parametrize(
        ("read", "value", "message"),
        [
            (word, "", "must be a word or null, got ''"),
            (word, 3, "must be a word or null, got 3"),
            (flag, None, "must be true or false, got None"),
            (positive, 0, "must be a number above 0 or null, got 0"),
            (positive, True, "must be a number above 0"),
            (positive, float("nan"), "must be a number above 0"),
            (positive, 1e10, "must be a number above 0"),
            (segments, 3, "must be a list of"),
            (segments, [[1]], r"'key\[0\]' must be \[start, end\]"),
            (segments, [[0, 1], [1, True]], r"'key\[1\]' must be"),
            (segments, [[-1, 1]], "must not start before the clip"),
            (segments, [[2, 1]], r"'key\[0\]': a segment must end"),
        ],
    )
    def test_a_malformed_value_is_named_by_its_key(self, read, value, message):
        with pytest.raises(DatasetError, match=message):
            read({"key": value}, "key")

    @pytest.mark.parametrize("key", ["/a", "..", "a/../b", "C:\\a", "..\\a"])
    def test_a_clip_lies_below_its_dataset(self, key):
        with pytest.raises(DatasetError, match="must lie below the dataset's folder"):
            file_key({"file": key})

    def test_segments_are_joined_and_what_is_listed_is_kept_where_it_differs(self):
        item = {"apart": [[0, 1], [2, 3]], "together": [[1, 3], [0, 2]]}
        apart, together = segments(item, "apart"), segments(item, "together")
        assert apart == (Segment(0, 1), Segment(2, 3))
        assert together == (Segment(0, 3),)
        assert as_listed(item, "apart", apart) is None
        assert as_listed(item, "together", together) == (Segment(1, 3), Segment(0, 2))
        assert segments(item, "gone") is None

    def test_periods_are_counted(self):
        assert counted_periods({"n_fakes": 1, "fake_periods": [[0, 1]]}) == (Segment(0, 1),)
        assert counted_periods({}) == ()
        with pytest.raises(DatasetError, match="'n_fakes' is 2, but 'fake_periods' has 1"):
            counted_periods({"n_fakes": 2, "fake_periods": [[0, 1]]})


def test_a_clip_is_looked_for_in_each_folder_in_turn(tmp_path):
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "a.mp4").touch()
    folders = ["train", "", "copies"]
    clip = find_clip(tmp_path, "a.mp4", folders, need_media=True)
    assert clip == tmp_path / "copies" / "a.mp4"
    not_needed = find_clip(tmp_path, "a.mp4", folders, need_media=False)
    assert not_needed == tmp_path / "train" / "a.mp4"
    with pytest.raises(DatasetError, match=r"there is no b\.mp4 in train/, \./, copies/ of"):
        find_clip(tmp_path, "b.mp4", folders, need_media=True)
