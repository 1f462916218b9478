import json
import logging

import pytest

from mmmsba_plugin.datasets.lavdf import LavDfConfig, read_lavdf, refuse, unreadable_records
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.segment import Segment


@pytest.fixture
def corpus(tmp_path):
    """A writer of corpora: entries become metadata, and an empty clip each."""

    def write(*entries, name="metadata.json"):
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("file"), str):
                clip = tmp_path / entry["file"]
                clip.parent.mkdir(parents=True, exist_ok=True)
                clip.touch()
        (tmp_path / name).write_text(json.dumps(list(entries)), encoding="utf-8")
        return tmp_path

    return write


def lavdf_entry(**changes):
    """An entry as LAV-DF itself writes it: no identity, no kind, no separate spans."""
    entry = {
        "file": "test/000001.mp4",
        "n_fakes": 1,
        "fake_periods": [[1.0, 1.5]],
        "duration": 4.224,
        "original": "test/000000.mp4",
        "modify_video": True,
        "modify_audio": False,
        "split": "test",
        "video_frames": 103,
        "audio_channels": 1,
        "audio_frames": 65536,
    }
    return entry | changes


def only_record(root, **options):
    (record,) = read_lavdf(root, on_error=refuse, **options)
    return record


def test_a_record_of_lavdf_itself_is_read_whole(corpus):
    root = corpus(lavdf_entry())
    record = only_record(root)
    assert record.media == root / "test/000001.mp4"
    assert record.key == "test/000001.mp4"
    assert record.truth == (Segment(1.0, 1.5),)
    assert (record.split, record.original) == ("test", "test/000000.mp4")
    assert record.identity is None
    assert record.kind is None
    assert record.extra["video_frames"] == 103


@pytest.mark.parametrize(
    ("video", "audio", "visual_truth", "audio_truth"),
    [
        (True, False, (Segment(1.0, 1.5),), ()),
        (False, True, (), (Segment(1.0, 1.5),)),
        (True, True, (Segment(1.0, 1.5),), (Segment(1.0, 1.5),)),
    ],
)
def test_the_flags_tell_the_modalities_apart(corpus, video, audio, visual_truth, audio_truth):
    record = only_record(corpus(lavdf_entry(modify_video=video, modify_audio=audio)))
    assert record.visual_truth == visual_truth
    assert record.audio_truth == audio_truth
    assert record.truth == (Segment(1.0, 1.5),)


def test_separate_spans_are_joined_into_one_truth(corpus):
    entry = lavdf_entry(
        n_fakes=1,
        fake_periods=[[1.0, 2.0]],
        modify_audio=True,
        visual_fake_segments=[[1.0, 1.6]],
        audio_fake_segments=[[1.4, 2.0]],
    )
    record = only_record(corpus(entry))
    assert record.truth == (Segment(1.0, 2.0),)
    assert record.visual_truth == (Segment(1.0, 1.6),)
    assert record.audio_truth == (Segment(1.4, 2.0),)


def test_a_period_beyond_the_stated_duration_is_kept(corpus):
    # LAV-DF's duration is not the media's, so it is no ground to cut a period.
    record = only_record(corpus(lavdf_entry(fake_periods=[[4.0, 4.5]])))
    assert record.truth == (Segment(4.0, 4.5),)


def test_missing_optional_keys_are_no_error(corpus):
    record = only_record(corpus({"file": "train/a.mp4"}))
    assert record.split == "train"
    assert not record.forged
    assert record.audio_truth == ()


def test_a_folder_that_is_no_split_gives_none(corpus):
    assert only_record(corpus({"file": "clips/a.mp4"})).split is None


def test_only_the_wanted_split_is_read(corpus):
    root = corpus(lavdf_entry(), lavdf_entry(file="train/1.mp4", split="train"))
    assert only_record(root, split="train").key == "train/1.mp4"


def test_an_unknown_split_lists_those_there_are(corpus):
    root = corpus(lavdf_entry(), lavdf_entry(file="train/1.mp4", split="train"))
    with pytest.raises(DatasetError, match="no split 'val'; it has: test, train"):
        list(read_lavdf(root, split="val"))


def test_the_copy_without_transcripts_serves_as_well(corpus):
    assert only_record(corpus(lavdf_entry(), name="metadata.min.json")).forged


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"n_fakes": 2}, "'n_fakes' is 2, but 'fake_periods' has 1"),
        ({"fake_periods": [[1.5, 1.0]]}, r"'fake_periods\[0\]': a segment must end after"),
        ({"fake_periods": [[1.0]]}, r"'fake_periods\[0\]' must be \[start, end\] in seconds"),
        ({"fake_periods": [[1.0, None]]}, r"'fake_periods\[0\]' must be"),
        ({"fake_periods": 3}, "'fake_periods' must be a list"),
        ({"modify_video": "yes"}, "'modify_video' must be true or false, got 'yes'"),
        ({"modify_video": False}, "neither 'modify_video' nor 'modify_audio' is true"),
        ({"split": 7}, "'split' must be a word or null, got 7"),
        ({"file": None}, "'file' is missing"),
        ({"file": ""}, "'file' must be a word"),
    ],
)
def test_a_malformed_record_is_named_by_file_index_and_key(corpus, broken, named):
    root = corpus(lavdf_entry(file="test/ok.mp4"), lavdf_entry(**broken))
    with pytest.raises(DatasetError, match=rf"metadata\.json, record 1: .*{named}"):
        list(read_lavdf(root, on_error=refuse))


@pytest.mark.parametrize("outside", ["../secret.mp4", "/etc/hostname"])
def test_a_corpus_cannot_point_outside_of_itself(corpus, outside):
    root = corpus(lavdf_entry())
    (root / "metadata.json").write_text(json.dumps([lavdf_entry(file=outside)]))
    with pytest.raises(DatasetError, match="must lie below the metadata's folder"):
        list(read_lavdf(root, on_error=refuse))


def test_what_is_left_out_is_listed_and_the_rest_is_read(corpus):
    root = corpus(lavdf_entry(), "nonsense", lavdf_entry(file="test/gone.mp4"))
    (root / "test/gone.mp4").unlink()
    errors = unreadable_records(root)
    assert [str(e).split(": ", 1)[1] for e in errors] == [
        "a record must be an object, got str",
        "'file': there is no test/gone.mp4 beside the metadata; download it again",
    ]


def test_what_is_left_out_is_logged_if_nobody_listens(corpus, caplog):
    root = corpus(lavdf_entry(), 7)
    with caplog.at_level(logging.WARNING):
        assert len(list(read_lavdf(root))) == 1
    assert "record 1: a record must be an object, got int" in caplog.text


def test_reading_is_lazy(corpus):
    # The second record is broken, and is not looked at before the first was taken.
    records = read_lavdf(corpus(lavdf_entry(), 7), on_error=refuse)
    assert next(records).forged
    with pytest.raises(DatasetError, match="record 1"):
        next(records)


def test_a_folder_without_metadata_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"no metadata\.json or metadata\.min\.json in"):
        list(read_lavdf(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{]", "cannot be read as JSON"), ('{"a": 1}', "must hold a list of records, got dict")],
)
def test_metadata_that_is_no_list_is_refused(tmp_path, text, message):
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        list(read_lavdf(tmp_path))


def test_a_misspelt_setting_is_named():
    with pytest.raises(ConfigError, match="Allowed keys: root, split"):
        LavDfConfig.read({"root": ".", "splitt": "dev"})


@pytest.mark.needs_shared
def test_the_real_footage_is_read_without_a_loss(shared):
    root = shared / "footage"
    records = list(read_lavdf(root, on_error=refuse))
    assert len(records) == len(json.loads((root / "metadata.json").read_text()))
    assert {r.split for r in records} == {"train", "dev"}
    in_split = {s: {r.identity for r in records if r.split == s} for s in ("train", "dev")}
    assert not in_split["train"] & in_split["dev"]
