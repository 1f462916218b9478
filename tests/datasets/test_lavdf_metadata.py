"""Whoever reads metadata in LAV-DF's layout makes the same of an entry, and of what is written."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.lavdf_metadata import METADATA, MetadataEntry, entry, write_json
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.truth_file import read_ground_truth
from mmmsba_plugin.forge import sources as sources_module
from mmmsba_plugin.forge.sources import find_sources
from mmmsba_plugin.segment import Segment

from ..layouts import lavdf_entry

FIRST, SECOND = Segment(1.0, 1.5), Segment(1.4, 2.0)
REAL = {"file": "real.mp4", "n_fakes": 0, "fake_periods": []}

#: Entries of ``a.mp4``, from all keys to hardly any.
ENTRIES = {
    "LAV-DF's own": lavdf_entry(file="a.mp4"),
    "ours, fake": entry(
        file="a.mp4", split="dev", identity="ann", kind="splice", duration_s=4.0, num_frames=100,
        num_audio_samples=64_000, original="real.mp4", visual=[FIRST], audio=[SECOND],
    ),
    "ours, real": entry(
        file="a.mp4", split="test", identity="ann", kind="real", duration_s=4.0, num_frames=100,
        num_audio_samples=0,
    ),
    "no optional key": {"file": "a.mp4", "n_fakes": 0},
    "no count": {"file": "a.mp4", "fake_periods": []},
    "no flag": {"file": "a.mp4", "visual_fake_segments": [[1, 1.5]], "audio_fake_segments": []},
    "flags alone": {"file": "a.mp4", "fake_periods": [[1, 2]], "modify_audio": True},
    "nulls": {
        **REAL, "file": "a.mp4", "split": None, "identity": None, "original": None, "kind": None,
        "visual_fake_segments": None, "audio_fake_segments": None,
    },
    "another word for the split": {**REAL, "file": "a.mp4", "split": "Val"},
    "a folder for a split": {**REAL, "file": "valid/a.mp4"},
    "somebody in the path": {**REAL, "file": "id00012/21Uxsk56VDQ/a.mp4"},
    "an original": {
        "file": "a.mp4", "fake_periods": [[1, 2]], "modify_video": True, "modify_audio": True,
        "original": "real.mp4",
    },
}  # fmt: skip


@pytest.fixture(params=ENTRIES.values(), ids=ENTRIES)
def dataset(request, tmp_path):
    """A dataset of one real clip and of one entry, with the clip there."""
    write_json(tmp_path / METADATA, [REAL, request.param])
    return tmp_path


def test_a_reader_and_a_truth_file_agree_on_every_entry(dataset):
    records = list(read_lavdf(dataset, need_media=False))
    ground_truth = read_ground_truth(dataset / METADATA)
    assert list(ground_truth.keys) == [record.key for record in records]
    assert ground_truth.fake.tolist() == [record.fake for record in records]
    assert list(ground_truth.clusters) == [record.identity_key for record in records]
    assert list(ground_truth.altered) == [record.altered for record in records]
    for record in records:
        listed = record.truth if record.listed is None else record.listed
        spans = [(segment.start_s, segment.end_s) for segment in listed]
        assert ground_truth.spans.of(record.key).tolist() == [list(span) for span in spans]
        if record.split is not None:
            ground_truth_of_split = read_ground_truth(dataset / METADATA, split=record.split)
            assert record.key in ground_truth_of_split.keys


def test_forging_takes_real_clips_alone_and_keeps_their_splits_and_identities(dataset, monkeypatch):
    clip = SimpleNamespace(video=object(), duration_s=None)
    monkeypatch.setattr(sources_module, "probe", lambda *_, **__: clip)
    sources, skipped = find_sources(dataset, seed=0, min_clip_s=0.5)
    candidates = {source.candidate.key: source.candidate for source in sources}
    records = {record.key: record for record in read_lavdf(dataset, need_media=False)}
    assert candidates.keys() == {key for key, record in records.items() if not record.fake}
    assert not skipped
    for key, candidate in candidates.items():
        assert records[key].split in {None, candidate.split}
        assert records[key].identity in {None, candidate.identity}


def test_what_is_written_is_what_is_read():
    clip = MetadataEntry(json.loads(json.dumps(ENTRIES["ours, fake"])))
    assert (clip.key, clip.split, clip.identity, clip.kind) == ("a.mp4", "dev", "ann", "splice")
    assert (clip.original, clip.modify_type, clip.use) == ("real.mp4", "both_modified", "all")
    assert (clip.fake, clip.altered) == (True, "both")
    assert clip.ground_truth() == ((FIRST,), (SECOND,))
    assert clip.values["fake_periods"] == [[1.0, 2.0]], "one list serves both modalities"


def test_times_are_written_to_the_microsecond():
    clip = entry(
        file="a.mp4", split=None, identity="ann", kind="splice", duration_s=np.pi, num_frames=1,
        num_audio_samples=1, audio=[Segment(1 / 3, 2 / 3)],
    )  # fmt: skip
    assert clip["duration"] == 3.141593
    assert clip["audio_fake_segments"] == [[0.333333, 0.666667]]


@pytest.mark.parametrize("key", ["n_fakes", "fake_segments", "fake_periods", "audio_fake_segments"])
def test_a_clip_is_fake_if_any_key_says_so(key):
    assert not MetadataEntry({"file": "a.mp4", key: 0 if key == "n_fakes" else []}).fake
    assert MetadataEntry({"file": "a.mp4", key: 1 if key == "n_fakes" else [[1, 2]]}).fake


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"split": 3}, "'split' must be a word or null"),
        ({"identity": ""}, "'identity' must be a word or null"),
        ({"fake_segments": []}, "use its reader, av-deepfake1m"),
        ({"fake_periods": [[1, 2]]}, "say which was altered"),
        ({"n_fakes": 2, "fake_periods": []}, "'n_fakes' is 2"),
        ({"fake_periods": [], "audio_fake_segments": [[1, 2]]}, "do not agree on whether"),
    ],
)
def test_a_malformed_value_is_named_when_it_is_needed(changes, reason):
    clip = MetadataEntry({"file": "a.mp4", **changes})
    with pytest.raises(DatasetError, match=reason):
        _ = clip.split, clip.identity, clip.ground_truth()


@pytest.mark.parametrize("value", [17, {}, {"file": "../a.mp4"}])
def test_what_names_no_clip_is_no_entry(value):
    with pytest.raises(DatasetError, match=r"must be an object|'file'"):
        MetadataEntry(value)
