"""A dataset that any reader knows becomes a dataset with its truth, and twice is once."""

import gc
import json
import tracemalloc

import fiftyone as fo
import pytest

from fiftyone_ops.dataset import labels
from fiftyone_ops.dataset.clock import lazily
from fiftyone_ops.errors import FieldTakenError
from fiftyone_ops.tasks.import_dataset import import_dataset
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ConfigError, DatasetError


@pytest.fixture
def imported(talking_head_dataset):
    """The talking portrait's dataset as a dataset."""
    created = import_dataset(
        f"lav-df={talking_head_dataset}", name="imported", batch_size=4
    ).dataset
    yield created
    created.delete()


def large_dataset(folder, num: int) -> str:
    entries = [
        {
            "file": f"test/{number:06d}.mp4",
            "split": "test",
            "duration": 4.0,
            "video_frames": 100,
            "fake_periods": [[1.0, 1.5]] if number % 2 else [],
            "modify_audio": bool(number % 2),
            "modify_video": False,
        }
        for number in range(num)
    ]
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps(entries), encoding="utf-8")
    return f"lav-df={folder}"


def test_the_truth_of_the_dataset_comes_back_from_the_labels_exactly(
    imported, talking_head_dataset
):
    records = {str(record.media.absolute()): record for record in read_lavdf(talking_head_dataset)}
    assert sorted(imported.values("filepath")) == sorted(records)
    for sample in imported:
        record = records[sample.filepath]
        truth = labels.record_truth(sample.ground_truth, lazily(sample.filepath))
        assert truth == (record.truth, record.audio_truth, record.visual_truth)
        assert sample.ground_truth_verdict.label == ("fake" if record.fake else "real")
        assert sample.ground_truth_verdict.altered == record.altered
        assert (sample.key, sample.split, sample.tags) == (record.key, record.split, [record.split])
        assert sample.identity == record.identity


def test_metadata_are_there_so_that_the_app_asks_no_ffprobe(imported):
    assert not imported.exists("metadata.frame_rate", bool=False)


def test_twice_is_once(imported, talking_head_dataset):
    again = import_dataset(f"lav-df={talking_head_dataset}", name="imported")
    assert (again.added, again.skipped) == (0, len(imported))


def test_going_on_gives_former_truth_the_words_of_today(talking_head_dataset):
    source = f"lav-df={talking_head_dataset}"
    created = import_dataset(source, name="former").dataset
    now = created.values("ground_truth_verdict.label")
    for sample in created:
        sample.ground_truth_verdict.label = {"fake": "forged", "real": "genuine"}[
            sample.ground_truth_verdict.label
        ]
        spans = [fo.TemporalDetection(label=word, support=[1, 2]) for word in ("forged", "audio")]
        sample.ground_truth = fo.TemporalDetections(detections=spans)
        sample.save()
    created = import_dataset(source, name="former").dataset
    created.reload()
    assert created.values("ground_truth_verdict.label") == now
    assert created.values("ground_truth.detections.label") == [["fake", "audio"]] * len(now)
    assert created.values("ground_truth.detections.support") == [[[1, 2]] * 2] * len(now)
    created.delete()


def test_only_a_split_is_imported_where_one_is_asked_for(talking_head_dataset):
    created = import_dataset(f"lav-df={talking_head_dataset}", name="some", split="test").dataset
    assert set(created.values("split")) == {"test"}
    created.delete()


def test_a_folder_without_a_dataset_leaves_no_data_set_behind(tmp_path):
    with pytest.raises(DatasetError):
        import_dataset(f"lav-df={tmp_path}", name="nothing")
    assert not fo.dataset_exists("nothing")


def test_a_truth_field_of_somebody_else_is_left_alone(dataset, talking_head_dataset):
    dataset.add_sample(fo.Sample(filepath="a.mp4", ground_truth=fo.Classification(label="cat")))
    with pytest.raises(FieldTakenError, match="such as ground_truth_2"):
        import_dataset(f"lav-df={talking_head_dataset}", name=dataset.name)


def test_an_import_needs_a_source():
    with pytest.raises(ConfigError, match="say which dataset"):
        import_dataset("")


def test_videos_that_are_not_there_keep_their_exact_seconds(tmp_path):
    dataset = large_dataset(tmp_path / "absent", 4)
    created = import_dataset(dataset, name="absent", need_media=False).dataset
    segments = [
        labels.record_truth(sample.ground_truth, lazily(sample.filepath))[0] for sample in created
    ]
    assert [
        [(segment.start_s, segment.end_s) for segment in clip_segments]
        for clip_segments in segments
    ] == [
        [],
        [(1.0, 1.5)],
        [],
        [(1.0, 1.5)],
    ]
    created.delete()


def test_memory_does_not_grow_with_the_dataset(tmp_path):
    dataset = large_dataset(tmp_path / "large", 2_000)
    num_bytes = []

    def measure(_):
        gc.collect()
        num_bytes.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    created = import_dataset(
        dataset, name="large", need_media=False, batch_size=100, on_progress=measure
    ).dataset
    tracemalloc.stop()
    assert created.count() == 2_000
    created.delete()
    # Between the fifth and the last batch it holds, at most, the odd cache more.
    assert num_bytes[-1] - num_bytes[4] < 1_000_000


def test_files_that_the_grid_cannot_draw_are_tagged_and_told(tmp_path):
    data = large_dataset(tmp_path / "folder", 1)
    (tmp_path / "folder" / "test").mkdir()
    (tmp_path / "folder" / "test" / "000000.mp4").write_bytes(b"no video")
    summary = import_dataset(data, name="undrawn")
    assert summary.dataset.first().tags == ["test", "not-readable"]
    assert str(summary).endswith("shows 1 of them only after “Make videos playable”")
    summary.dataset.delete()
