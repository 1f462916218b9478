import json
import logging
import tracemalloc

import pytest

from mmmsba_plugin.datasets.lavdf import LavDfConfig, is_lavdf, read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract

from .. import layouts
from ..layouts import lavdf_entry, put_json

FAKE = Segment(0.48, 0.86)


class TestLavDfContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "lav-df")

    def dataset(self, folder):
        return layouts.lavdf(folder)


@pytest.fixture
def dataset(tmp_path):
    """A writer of datasets: entries become metadata, and an empty clip each."""

    def write(*entries, name="metadata.json"):
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("file"), str):
                clip = tmp_path / entry["file"]
                clip.parent.mkdir(parents=True, exist_ok=True)
                clip.touch()
        put_json(tmp_path / name, list(entries))
        return tmp_path

    return write


def only_record(root, **options):
    (record,) = read_lavdf(root, on_error=refuse, **options)
    return record


def left_out(root):
    """Return the error of each record that is left out."""
    errors = []
    list(read_lavdf(root, on_error=errors.append))
    return errors


def test_a_dataset_in_lavdfs_own_layout_is_read_whole(tmp_path):
    root = layouts.lavdf(tmp_path)
    before = layouts.tree(root)
    records = list(read_lavdf(root, on_error=refuse))
    assert len(records) == 12
    assert sum(record.fake for record in records) == 9
    assert {record.split for record in records} == {"train", "dev", "test"}
    assert all(record.media.is_file() for record in records)
    assert layouts.tree(root) == before, "a dataset is somebody else's: nothing is written to it"


def test_a_record_of_lavdf_itself_is_read_whole(dataset):
    root = dataset(lavdf_entry())
    record = only_record(root)
    assert record.media == root / "test/000001.mp4"
    assert record.key == "test/000001.mp4"
    assert record.truth == (FAKE,)
    assert (record.split, record.original) == ("test", "test/000000.mp4")
    assert record.identity is None
    assert record.kind is None
    assert record.extra["video_frames"] == 30


def test_the_length_is_that_of_the_frames_not_the_stated_one(dataset):
    # 30 frames at 25 Hz, where LAV-DF says 0.128 s more than the audio lasts.
    record = only_record(dataset(lavdf_entry(duration=1.328)))
    assert record.duration_s == pytest.approx(1.2)
    assert record.extra["duration"] == 1.328


def test_a_clip_of_another_rate_lasts_as_stated(dataset):
    # 300 frames at 30 Hz: a dataset of one's own in LAV-DF's layout.
    assert only_record(dataset(lavdf_entry(video_frames=300, duration=10.0))).duration_s == 10.0


@pytest.mark.parametrize(
    ("stated", "duration_s"),
    [
        ({"video_frames": 50}, 2.0),
        ({"duration": 3.5}, 3.5),
        ({}, None),
    ],
)
def test_one_of_the_two_is_enough_for_a_length(dataset, stated, duration_s):
    assert only_record(dataset({"file": "train/a.mp4"} | stated)).duration_s == duration_s


@pytest.mark.parametrize(
    ("video", "audio", "visual_truth", "audio_truth"),
    [
        (True, False, (FAKE,), ()),
        (False, True, (), (FAKE,)),
        (True, True, (FAKE,), (FAKE,)),
    ],
)
def test_the_flags_tell_the_modalities_apart(dataset, video, audio, visual_truth, audio_truth):
    record = only_record(dataset(lavdf_entry(modify_video=video, modify_audio=audio)))
    assert record.visual_truth == visual_truth
    assert record.audio_truth == audio_truth
    assert record.truth == (FAKE,)


def test_separate_spans_are_joined_into_one_truth(dataset):
    entry = lavdf_entry(
        n_fakes=1,
        fake_periods=[[1.0, 2.0]],
        modify_audio=True,
        visual_fake_segments=[[1.0, 1.6]],
        audio_fake_segments=[[1.4, 2.0]],
    )
    record = only_record(dataset(entry))
    assert record.truth == (Segment(1.0, 2.0),)
    assert record.visual_truth == (Segment(1.0, 1.6),)
    assert record.audio_truth == (Segment(1.4, 2.0),)


def test_periods_that_overlap_are_counted_before_they_are_joined(dataset):
    record = only_record(dataset(lavdf_entry(n_fakes=2, fake_periods=[[0.5, 1.0], [0.2, 0.6]])))
    assert record.truth == (Segment(0.2, 1.0),)


def test_a_period_beyond_the_stated_duration_is_kept(dataset):
    # LAV-DF's duration is not the media's, so it is no ground to cut a period.
    record = only_record(dataset(lavdf_entry(fake_periods=[[4.0, 4.5]])))
    assert record.truth == (Segment(4.0, 4.5),)


def test_missing_optional_keys_are_no_error(dataset):
    record = only_record(dataset({"file": "train/a.mp4"}))
    assert record.split == "train"
    assert not record.fake
    assert record.audio_truth == ()


def test_a_folder_that_is_no_split_gives_none(dataset):
    assert only_record(dataset({"file": "clips/a.mp4"})).split is None


def test_only_the_wanted_split_is_read(dataset):
    root = dataset(lavdf_entry(), lavdf_entry(file="train/1.mp4", split="train"))
    assert only_record(root, split="train").key == "train/1.mp4"


def test_clips_of_another_split_need_not_be_there(dataset):
    root = dataset(lavdf_entry(), lavdf_entry(file="train/1.mp4", split="train"))
    (root / "test/000001.mp4").unlink()
    assert only_record(root, split="train").key == "train/1.mp4"


def test_an_unknown_split_lists_those_there_are(dataset):
    root = dataset(lavdf_entry(), lavdf_entry(file="train/1.mp4", split="train"))
    with pytest.raises(DatasetError, match="no split 'dev'; it has: test, train"):
        list(read_lavdf(root, split="val"))
    with pytest.raises(DatasetError, match="no split 'tset'; it has: test, train"):
        list(read_lavdf(root, split="tset"))


@pytest.mark.parametrize("stated", ["dev", "val", "valid", "Validation"])
@pytest.mark.parametrize("split", ["dev", "val", "valid"])
def test_a_split_is_found_by_any_of_its_names(dataset, stated, split):
    root = dataset(lavdf_entry(split=stated), lavdf_entry(file="b.mp4", split="train"))
    assert only_record(root, split=split).split == "dev"
    assert LavDfConfig(root=root, split=split).split == "dev"


def test_a_folder_is_named_for_a_split_by_any_of_its_names(dataset):
    assert only_record(dataset({"file": "val/a.mp4"})).split == "dev"


def test_the_copy_without_transcripts_serves_as_well(dataset):
    assert only_record(dataset(lavdf_entry(), name="metadata.min.json")).fake


def test_without_media_a_record_is_its_metadata(dataset):
    root = dataset(lavdf_entry())
    (root / "test/000001.mp4").unlink()
    record = only_record(root, need_media=False)
    assert record.media == root / "test/000001.mp4"
    assert not record.media.exists()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"n_fakes": 2}, "'n_fakes' is 2, but 'fake_periods' has 1"),
        ({"fake_periods": [[1.5, 1.0]]}, r"'fake_periods\[0\]': a segment must end after"),
        ({"fake_periods": [[1.0]]}, r"'fake_periods\[0\]' must be \[start, end\] in seconds"),
        ({"fake_periods": [[1.0, None]]}, r"'fake_periods\[0\]' must be"),
        ({"fake_periods": [[1.0, 10**400]]}, r"'fake_periods\[0\]' must be"),
        ({"fake_periods": [[-0.5, 1.0]]}, r"'fake_periods\[0\]' must not start before the clip"),
        ({"fake_periods": 3}, "'fake_periods' must be a list"),
        ({"modify_video": "yes"}, "'modify_video' must be true or false, got 'yes'"),
        ({"modify_video": False}, "neither 'modify_video' nor 'modify_audio' is true"),
        ({"visual_fake_segments": []}, "'fake_periods' and the segments of both modalities do not"),
        ({"video_frames": "many"}, "'video_frames' must be a number above 0 or null, got 'many'"),
        ({"duration": 0}, "'duration' must be a number above 0"),
        ({"split": 7}, "'split' must be a word or null, got 7"),
        ({"file": None}, "'file' is missing"),
        ({"file": ""}, "'file' must be a word"),
    ],
)
def test_a_malformed_record_is_named_by_file_line_index_and_key(dataset, broken, message):
    root = dataset(lavdf_entry(file="test/ok.mp4"), lavdf_entry(**broken))
    with pytest.raises(DatasetError, match=rf"metadata\.json, line 1, record 1: .*{message}"):
        list(read_lavdf(root, on_error=refuse))


def test_a_number_that_is_none_is_no_time(dataset):
    root = dataset()
    (root / "metadata.json").write_text('[{"file": "a.mp4", "fake_periods": [[0.1, NaN]]}]')
    (error,) = left_out(root)
    assert "'fake_periods[0]' must be [start, end] in seconds, got [0.1, nan]" in str(error)


@pytest.mark.parametrize(
    "outside",
    ["../secret.mp4", "/etc/hostname", "test/../../x.mp4", "test/..", "C:\\x.mp4", "..\\x.mp4"],
)
def test_a_dataset_cannot_point_outside_of_itself(dataset, outside):
    root = dataset(lavdf_entry())
    put_json(root / "metadata.json", [lavdf_entry(file=outside)])
    with pytest.raises(DatasetError, match="'file' must lie below the dataset's folder"):
        list(read_lavdf(root, on_error=refuse, need_media=False))


def test_what_is_left_out_is_listed_and_the_rest_is_read(dataset):
    root = dataset(lavdf_entry(), "nonsense", lavdf_entry(file="test/gone.mp4"), lavdf_entry())
    (root / "test/gone.mp4").unlink()
    no_record, no_clip = (str(error).split(": ", 1)[1] for error in left_out(root))
    assert no_record == "a record must be an object, got str"
    assert no_clip == (
        "'file': there is no test/gone.mp4 in ./ of the dataset; download it again, or do without "
        "clips (--features-only, need_media=False) if their features are there"
    )
    assert len(list(read_lavdf(root))) == 2


def test_what_is_left_out_is_logged_if_nobody_listens(dataset, caplog):
    root = dataset(lavdf_entry(), 7)
    with caplog.at_level(logging.WARNING):
        assert len(list(read_lavdf(root))) == 1
    assert "record 1: a record must be an object, got int" in caplog.text


def test_reading_is_lazy(dataset):
    # The second record is broken, and is not looked at before the first was taken.
    records = read_lavdf(dataset(lavdf_entry(), 7), on_error=refuse)
    assert next(records).fake
    with pytest.raises(DatasetError, match="record 1"):
        next(records)


def test_memory_does_not_grow_with_the_dataset(tmp_path):
    def peak_bytes(num_records):
        put_json(tmp_path / "metadata.json", [lavdf_entry()] * num_records)
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_lavdf(tmp_path, need_media=False)) == num_records
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak_bytes(8_000) < 1.3 * peak_bytes(2_000)


def test_metadata_that_break_off_yield_the_records_before_that(dataset):
    root = dataset(lavdf_entry(), lavdf_entry(file="test/2.mp4"))
    whole = (root / "metadata.json").read_text()
    (root / "metadata.json").write_text(whole[:-20])
    records = read_lavdf(root)
    assert next(records).key == "test/000001.mp4"
    with pytest.raises(DatasetError, match=r"metadata\.json, line 1, record 1: .* breaks off"):
        next(records)


def test_a_folder_without_metadata_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"no metadata\.json or metadata\.min\.json in"):
        list(read_lavdf(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [("[}]", "cannot be read as JSON"), ('{"a": 1}', "must hold a list and so start with")],
)
def test_metadata_that_is_no_list_is_refused(tmp_path, text, message):
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        list(read_lavdf(tmp_path))


def test_the_truth_of_another_dataset_is_not_read_as_real(dataset):
    root = dataset({"file": "a.mp4", "fake_segments": [[0.1, 0.2]]})
    with pytest.raises(DatasetError, match=r"'fake_periods' is missing, .* use its reader"):
        list(read_lavdf(root, on_error=refuse))
    assert not is_lavdf(root)


@pytest.mark.parametrize("text", ["[]", "{}", "[3]", "[{", "nonsense"])
def test_other_metadata_are_not_recognised(tmp_path, text):
    (tmp_path / "metadata.json").write_text(text)
    assert not is_lavdf(tmp_path)


def test_a_misspelt_setting_is_named():
    with pytest.raises(ConfigError, match="Allowed keys: root, split, need_media"):
        LavDfConfig.read({"root": ".", "splitt": "dev"})


def test_settings_are_heeded_by_the_reader_entry(tmp_path):
    entry = lookup("dataset_readers", "lav-df")
    root = layouts.lavdf(tmp_path)
    (root / "dev/000002.mp4").unlink()
    errors = []
    config = LavDfConfig(root=root, split="dev")
    assert len(list(entry.build(config, on_error=errors.append))) == 3
    assert len(errors) == 1
    assert (
        len(
            list(
                entry.build(config.model_copy(update={"need_media": False}), on_error=errors.append)
            )
        )
        == 4
    )


@pytest.mark.needs_shared
def test_the_real_clips_are_read_without_a_loss(shared):
    root = shared / "footage"
    assert is_lavdf(root)
    stated = {e["file"]: e for e in json.loads((root / "metadata.json").read_text())}
    records = [
        record
        for use in {e.get("use", "all") for e in stated.values()}
        for record in read_lavdf(root, use=use, on_error=refuse)
    ]
    assert len(records) == len(stated)
    assert {r.split for r in records} == {"train", "dev"}
    in_split = {s: {r.identity for r in records if r.split == s} for s in ("train", "dev")}
    assert not in_split["train"] & in_split["dev"]
    # Its clips have many rates, and its stated lengths are true.
    for record in records:
        assert record.duration_s == pytest.approx(stated[record.key]["duration"], abs=0.2)


def test_what_is_fake_here_is_recognised(talking_head_dataset):
    assert is_lavdf(talking_head_dataset)
    assert all(record.duration_s for record in read_lavdf(talking_head_dataset, on_error=refuse))


def test_clips_for_another_use_are_left_out_unless_asked_for(dataset):
    root = dataset(
        lavdf_entry(file="train/word.mp4", split="train") | {"use": "sync"},
        lavdf_entry(file="train/talk.mp4", split="train") | {"use": "all"},
        lavdf_entry(file="train/old.mp4", split="train"),
    )
    assert [r.key for r in read_lavdf(root)] == ["train/talk.mp4", "train/old.mp4"]
    assert [r.key for r in read_lavdf(root, use="sync")] == ["train/word.mp4"]


def test_whole_fakes_and_real_clips_beside_the_checkout_are_records(shared):
    records = {r.key: r for r in read_lavdf(shared / "footage", on_error=refuse)}
    fake = records["train/iplap_dd_01.mp4"]
    assert (fake.original, fake.extra["generator"]) == ("train/real_dd_01.mp4", "IP-LAP")
    assert fake.truth == fake.visual_truth == (Segment(0.0, 10.04),)
    assert fake.audio_truth == ()
    assert not records[fake.original].fake
    assert fake.identity_key == records[fake.original].identity_key
    assert all(r.identity != "arnews" for r in records.values())
