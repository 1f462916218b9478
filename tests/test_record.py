"""Tests of Record: a clip's name, and the identity that keeps splits apart."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.check import Checkup
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.evaluation.tables import GroundTruth
from mmmsba_plugin.evaluation.truth_file import read_ground_truth
from mmmsba_plugin.record import Record, identity_key
from mmmsba_plugin.segment import Segment

FAKE = (Segment(0.0, 1.0),)


def test_the_identity_is_who_is_seen_else_the_original_else_the_clip_itself():
    path = Path("clips/a.mp4")
    assert Record(path, identity="ann", original="o", key="k").identity_key == "ann"
    assert Record(path, original="o", key="k").identity_key == "o"
    assert Record(path, key="k").identity_key == "k"
    assert Record(path).identity_key == str(path)


def test_a_record_without_a_key_is_named_by_its_path():
    assert Record(Path("clips/a.mp4")).name == "clips/a.mp4"
    assert Record(Path("clips/a.mp4"), key="a").name == "a"


@given(st.none() | st.text(), st.none() | st.text(), st.text(min_size=1))
def test_an_identity_is_never_empty(identity, original, name):
    assert identity_key(identity, original, name)


def test_records_without_any_name_are_identities_of_their_own():
    records = [Record(Path(f"{i}.mp4"), truth=FAKE if i % 2 else ()) for i in range(8)]
    assert len({record.identity_key for record in records}) == len(records)
    assert list(GroundTruth.of(records).clusters) == [r.identity_key for r in records]


def callers(records: list[Record]) -> dict[str, list[set[str]]]:
    """Group the names of records by identity, as each part of the house sees it."""
    clusters = GroundTruth.of(records).clusters
    train, validation = split_records(records, seed=0)
    return {
        "record": _groups([record.identity_key for record in records], records),
        "tables": _groups(clusters, records),
        "split": [{record.name for record in records_of} for records_of in (train, validation)],
    }


def _groups(keys, records) -> list[set[str]]:
    return [{r.name for r, k in zip(records, keys, strict=True) if k == key} for key in set(keys)]


@pytest.mark.parametrize("has_identity", [True, False])
def test_no_caller_puts_one_identity_on_both_sides(has_identity):
    records = [
        Record(
            Path(f"{i}-{kind}.mp4"),
            truth=FAKE if kind == "fake" else (),
            split="train",
            identity=f"person-{i}" if has_identity else None,
            original=None if has_identity else f"{i}-real.mp4",
            key=f"{i}-{kind}",
        )
        for i in range(6)
        for kind in ("real", "fake")
    ]
    groups = callers(records)
    assert sorted(map(sorted, groups["record"])) == sorted(map(sorted, groups["tables"]))
    train, validation = groups["split"]
    assert train
    assert validation
    for clips in groups["record"]:
        assert clips <= train or clips <= validation


@pytest.mark.parametrize("folder", ["dev", "id00012/x"])
@pytest.mark.parametrize("more", [{"identity": "ann"}, {"original": "dev/b.mp4"}, {}])
def test_a_metadata_file_and_its_records_tell_identities_apart_alike(tmp_path, more, folder):
    entries = [
        {"file": f"{folder}/{name}.mp4", "split": "dev", "n_fakes": 0, "fake_periods": [],
         "duration": 2.0, "modify_audio": False, "modify_video": False, **more}
        for name in "ab"
    ]  # fmt: skip
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(entries))
    records = list(read_lavdf(tmp_path, need_media=False))
    assert len(records) == len(entries)
    clusters = read_ground_truth(path).clusters
    assert [record.identity_key for record in records] == list(clusters)


def test_the_check_of_a_dataset_sees_fakes_of_one_original_in_two_splits():
    checkup = Checkup("mine", Path())
    for split in ("train", "dev"):
        record = Record(Path(f"{split}.mp4"), truth=FAKE, split=split, original="o.mp4")
        checkup.add(record, is_there=True)
        checkup.add(Record(Path(f"{split}-real.mp4"), split=split), is_there=True)
    assert checkup.in_several_splits == ["o.mp4"]
    assert checkup.num_stated == 0
