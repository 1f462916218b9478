"""AV-Deepfake1M: every record of its metadata, with its clip and its truth."""

import tracemalloc

import pytest

from mmmsba_plugin.datasets.avdeepfake1m import (
    AvDeepfake1mConfig,
    is_avdeepfake1m,
    read_avdeepfake1m,
)
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract

from .. import layouts
from ..layouts import VARIANTS, av1m_entry, put_json
from .av1m_records import only_record, read

FAKE = Segment(0.48, 0.86)


class TestAvDeepfake1mContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "av-deepfake1m")

    def dataset(self, folder):
        return layouts.av1m(folder)


class TestLayout:
    def test_a_dataset_in_its_own_layout_is_read_whole(self, tmp_path):
        records = read(layouts.av1m(tmp_path))
        assert [(r.split, r.kind) for r in records] == [
            (split, kind) for split in ("train", "train", "dev") for kind in VARIANTS
        ]
        assert all(record.media.is_file() for record in records)

    def test_a_record_is_read_whole(self, train_list):
        root = train_list(av1m_entry("audio_modified", audio_model="yourtts"))
        record = only_record(root)
        assert record.key == "id00012/21Uxsk56VDQ/00001/real_video_fake_audio.mp4"
        assert record.media == root / "train" / record.key
        assert record.truth == record.audio_truth == (FAKE,)
        assert record.visual_truth == ()
        assert record.original == "id00012/21Uxsk56VDQ/00001/real.mp4"
        assert (record.kind, record.identity) == ("audio_modified", "id00012")
        assert record.duration_s == pytest.approx(1.2)
        assert record.extra["audio_model"] == "yourtts"

    def test_what_a_real_clip_was_cut_from_is_no_clip_of_the_dataset(self, train_list):
        record = only_record(train_list(av1m_entry("real")))
        assert not record.fake
        assert record.original is None
        assert str(record.extra["original"]).startswith("VoxCeleb2/")

    @pytest.mark.parametrize(
        "place", ["train/{}", "train/train/{}", "{}", "data/train/{}", "data/{}"]
    )
    def test_clips_are_looked_for_in_the_folders_of_all_copies(self, train_list, place):
        entry = av1m_entry()
        root = train_list(entry)
        clip = root / place.format(entry["file"])
        clip.parent.mkdir(parents=True)
        clip.touch()
        (record,) = read(root)
        assert record.media == clip

    def test_a_path_that_starts_with_its_split_is_not_doubled(self, train_list):
        entry = av1m_entry(file="train/id00012/a/00001/real.mp4", kind="real")
        assert only_record(train_list(entry)).media == train_list(entry) / entry["file"]

    def test_a_missing_clip_is_named_once_and_the_rest_is_read(self, tmp_path):
        root = layouts.av1m(tmp_path)
        lost = read(root)[1]
        lost.media.unlink()
        errors = []
        assert lost not in read(root, errors.append)
        (error,) = errors
        assert "train_metadata.json, line 1, record 1: 'file': there is no " in str(error)
        assert f"{lost.key} in train/, train/train/, ./, data/train/, data/ of" in str(error)

    def test_nothing_is_written_into_the_dataset(self, tmp_path):
        root = layouts.plusplus(tmp_path, lists=False)
        before = layouts.tree(root)
        read(root)
        read(root, protocol="paper")
        is_avdeepfake1m(root)
        assert layouts.tree(root) == before

    def test_memory_does_not_grow_with_the_dataset(self, tmp_path):
        def peak_bytes(num_records):
            put_json(tmp_path / "train_metadata.json", [av1m_entry()] * num_records)
            config = AvDeepfake1mConfig(root=tmp_path, need_media=False)
            tracemalloc.start()
            try:
                assert sum(1 for _ in read_avdeepfake1m(config, refuse)) == num_records
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        assert peak_bytes(8_000) < 1.3 * peak_bytes(2_000)


class TestTruth:
    @pytest.mark.parametrize("kind", VARIANTS)
    def test_the_segments_of_each_modality_are_its_truth(self, train_list, kind):
        record = only_record(train_list(av1m_entry(kind)))
        assert record.visual_truth == ((FAKE,) if "visual" in kind or "both" in kind else ())
        assert record.audio_truth == ((FAKE,) if "audio" in kind or "both" in kind else ())
        assert record.fake == (kind != "real")

    def test_segments_of_both_modalities_are_joined(self, train_list):
        entry = av1m_entry(
            fake_segments=[[1.0, 2.0]],
            visual_fake_segments=[[1.0, 1.6]],
            audio_fake_segments=[[1.4, 2.0]],
        )
        assert only_record(train_list(entry)).truth == (Segment(1.0, 2.0),)

    def test_a_hyphen_in_the_type_is_no_other_type(self, train_list):
        record = only_record(train_list(av1m_entry(modify_type="both-modified")))
        assert record.kind == "both_modified"
        assert record.visual_truth
        assert record.audio_truth

    @pytest.mark.parametrize("kind", ["visual_modified", "audio_modified"])
    def test_a_copy_in_the_untouched_modality_is_dropped(self, train_list, kind):
        copied = {"visual_fake_segments": [[0.48, 0.86]], "audio_fake_segments": [[0.48, 0.86]]}
        assert only_record(train_list(av1m_entry(kind, **copied))) == only_record(
            train_list(av1m_entry(kind))
        )

    @pytest.mark.parametrize("kind", VARIANTS)
    def test_without_lists_of_each_modality_the_type_decides(self, train_list, kind):
        entry = av1m_entry(kind)
        whole = only_record(train_list(entry))
        del entry["visual_fake_segments"], entry["audio_fake_segments"]
        assert only_record(train_list(entry)) == whole

    def test_without_a_type_the_segments_decide(self, train_list):
        entry = av1m_entry("audio_modified")
        del entry["modify_type"]
        record = only_record(train_list(entry))
        assert (record.kind, record.visual_truth, record.audio_truth) == (None, (), (FAKE,))

    @pytest.mark.parametrize("labels", [{"modify_type": "real"}, {"fake_segments": []}])
    def test_a_real_clip_needs_few_keys(self, train_list, labels):
        record = only_record(train_list({"file": "id00012/a/00001/real.mp4"} | labels))
        assert (record.truth, record.audio_truth, record.visual_truth) == ((), (), ())
        assert record.duration_s is None

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"modify_type": "reel"}, "'modify_type' must be one of real, visual_mod.* got 'reel'"),
            ({"modify_type": 3}, "'modify_type' must be a word"),
            ({"modify_type": "real"}, "'modify_type' is 'real', but 'visual_fake_segments' has 1 "),
            ({"audio_fake_segments": []}, "'modify_type' is 'both_modified', but .* 'audio_.*' 0"),
            (
                {"modify_type": "audio_modified", "visual_fake_segments": [[0.1, 0.2]]},
                "'modify_type' is 'audio_modified', but 'visual_fake_segments' has 1",
            ),
            ({"fake_segments": []}, "'fake_segments' and the segments of both modalities do not"),
            ({"fake_segments": [[0.5]]}, r"'fake_segments\[0\]' must be \[start, end\]"),
            ({"audio_fake_segments": [[2, 1]]}, r"'audio_fake_segments\[0\]': a segment must end"),
            ({"video_frames": -1}, "'video_frames' must be a number above 0 or null, got -1"),
            ({"file": "../a.mp4"}, "'file' must lie below the dataset's folder"),
            (
                {"visual_fake_segments": None, "fake_segments": None},
                "'visual_fake_segments' and 'fake_segments' are both missing, .* leave it out",
            ),
            (
                {"visual_fake_segments": None, "modify_type": None},
                "'visual_fake_segments' and 'modify_type' are both missing, .* add one",
            ),
        ],
    )
    def test_a_malformed_record_is_named_by_file_line_index_and_key(
        self, train_list, changes, message
    ):
        root = train_list(av1m_entry("real"), av1m_entry(**changes))
        with pytest.raises(
            DatasetError, match=rf"train_metadata\.json, line 1, record 1: .*{message}"
        ):
            read(root, need_media=False)

    def test_a_clip_without_truth_is_not_read_as_real(self, train_list):
        errors = []
        root = train_list({"file": "000001.mp4"}, av1m_entry())
        assert len(read(root, errors.append, need_media=False)) == 1
        assert "has no truth to measure or learn from" in str(errors[0])
