"""The truth of a dataset is read from one file, as evaluators of the field read it."""

import json
import logging

import pytest

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.truth_file import read_ground_truth


@pytest.fixture
def write_metadata(tmp_path):
    def write(value) -> object:
        path = tmp_path / "metadata.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


def test_a_file_and_where_it_is_fake_is_all_that_is_needed(write_metadata):
    ground_truth = read_ground_truth(
        write_metadata(
            [
                {"file": "a.mp4", "fake_segments": [[1, 2], [2, 3]]},
                {"file": "b.mp4", "fake_segments": []},
            ]
        )
    )
    assert list(ground_truth.keys) == ["a.mp4", "b.mp4"]
    assert ground_truth.fake.tolist() == [True, False]
    assert list(ground_truth.altered) == ["fake", "real"]
    # Two segments that touch are two labels of the evaluators.
    assert ground_truth.spans.of("a.mp4").tolist() == [[1, 2], [2, 3]]


def test_a_segment_without_length_is_kept_and_can_only_be_missed(write_metadata):
    ground_truth = read_ground_truth(
        write_metadata([{"file": "a.mp4", "fake_segments": [[1.0, 1.0]]}])
    )
    assert ground_truth.spans.counts.tolist() == [1]


@pytest.mark.parametrize(
    ("fields", "altered"),
    [
        ({"visual_fake_segments": [[1, 2]], "audio_fake_segments": []}, "visual"),
        ({"visual_fake_segments": [], "audio_fake_segments": [[1, 2]]}, "audio"),
        ({"visual_fake_segments": [[1, 2]], "audio_fake_segments": [[1, 2]]}, "both"),
        ({"modify_video": True, "modify_audio": False}, "visual"),
        ({"modify_video": True, "modify_audio": True}, "both"),
        ({"modify_type": "audio_modified"}, "audio"),
        ({"modify_type": "both-modified"}, "both"),
        ({"modify_type": "unheard of"}, "fake"),
        ({}, "fake"),
    ],
)
def test_the_altered_modality_is_told_by_segments_flags_or_type(write_metadata, fields, altered):
    ground_truth = read_ground_truth(
        write_metadata([{"file": "a.mp4", "fake_periods": [[1, 2]], **fields}])
    )
    assert list(ground_truth.altered) == [altered]


def test_tvils_object_of_records_is_read_like_a_list(write_metadata):
    ground_truth = read_ground_truth(
        write_metadata({"x": {"file": "x.mp4", "fake_periods": [[0, 1]]}})
    )
    assert list(ground_truth.keys) == ["x.mp4"]


def test_identities_are_known_by_identity_by_path_or_by_the_clip_they_come_from(write_metadata):
    ground_truth = read_ground_truth(
        write_metadata(
            [
                {"file": "a.mp4", "fake_segments": [], "identity": "ann"},
                {"file": "id00012/abc/00001/real.mp4", "fake_segments": []},
                {"file": "b.mp4", "fake_segments": [[0, 1]], "original": "c.mp4"},
                {"file": "c.mp4", "fake_segments": []},
            ]
        )
    )
    assert list(ground_truth.clusters) == ["ann", "id00012", "c.mp4", "c.mp4"]


def test_one_split_can_be_requested(write_metadata):
    path = write_metadata(
        [
            {"file": "a.mp4", "fake_segments": [], "split": "dev"},
            {"file": "b.mp4", "fake_segments": [], "split": "test"},
        ]
    )
    assert list(read_ground_truth(path, split="test").keys) == ["b.mp4"]
    with pytest.raises(
        DatasetError, match="holds no record of split 'tset' with a truth; it has: dev, test"
    ):
        read_ground_truth(path, split="tset")


@pytest.mark.parametrize("stated", ["dev", "val", "valid"])
@pytest.mark.parametrize("requested", ["dev", "val", "valid"])
def test_a_split_is_found_by_any_of_its_names(write_metadata, stated, requested):
    path = write_metadata(
        [
            {"file": "a.mp4", "fake_segments": [], "split": stated},
            {"file": "b.mp4", "fake_segments": [], "split": "test"},
            {"file": "c.mp4", "fake_segments": []},
        ]
    )
    assert list(read_ground_truth(path, split=requested).keys) == ["a.mp4"]


def test_a_split_that_is_no_word_matters_only_if_one_is_asked_for(write_metadata):
    path = write_metadata([{"file": "a.mp4", "fake_segments": [], "split": 3}])
    assert list(read_ground_truth(path).keys) == ["a.mp4"]
    with pytest.raises(DatasetError, match="no record of split 'dev' with a truth; check the file"):
        read_ground_truth(path, split="dev")


def test_a_type_is_one_kind_however_it_is_spelt(write_metadata):
    spellings = ("both_modified", "both-modified")
    records = [
        {"file": f"{i}.mp4", "fake_segments": [[0, 1]], "modify_type": kind}
        for i, kind in enumerate(spellings)
    ]
    assert list(read_ground_truth(write_metadata(records)).kinds) == ["both_modified"] * 2


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"file": "a.mp4"}, "it has neither 'fake_segments' nor 'fake_periods'; add its truth"),
        ({"fake_segments": []}, "the key 'file' is missing"),
        ({"file": "a.mp4", "fake_segments": [[1, 2, 3]]}, r"must be a list of \[start, end\]"),
        ({"file": "a.mp4", "fake_segments": [["x", 2]]}, r"must be a list of \[start, end\]"),
        ({"file": "a.mp4", "fake_segments": "soon"}, r"must be a list of \[start, end\]"),
        (17, "a record must be an object, got int"),
    ],
)
def test_a_malformed_record_is_named_and_the_rest_is_read(write_metadata, record, reason, caplog):
    path = write_metadata([record, {"file": "good.mp4", "fake_segments": []}])
    with caplog.at_level(logging.WARNING):
        ground_truth = read_ground_truth(path)
    assert list(ground_truth.keys) == ["good.mp4"]
    [message] = caplog.messages
    assert f"{path}, line 1" in message
    with pytest.raises(DatasetError, match=reason):
        read_ground_truth(path, on_error=_raise)


def _raise(error):
    raise error


def test_a_file_that_is_no_json_is_an_error(tmp_path, write_metadata):
    with pytest.raises(DatasetError, match=r"cannot be read as JSON: .*; check the path"):
        read_ground_truth(tmp_path / "nowhere.json")
    with pytest.raises(DatasetError, match=r"metadata\.json"):
        read_ground_truth(write_metadata("no metadata"))
