"""AV-Deepfake1M++, and which edition a folder holds."""

import json

import pytest

from mmmsba_plugin.builtin import forensics_dataset_readers
from mmmsba_plugin.datasets.avdeepfake1m import (
    identity_of,
    is_avdeepfake1m,
    is_avdeepfake1m_plusplus,
)
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import DatasetReaderContract

from .. import layouts
from ..layouts import av1m_entry, plusplus_entry, put_json
from .av1m_records import only_record, read


class TestPlusPlusContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "av-deepfake1m-plusplus")

    def dataset(self, folder):
        return layouts.plusplus(folder)


class TestPlusPlus:
    @pytest.mark.parametrize("lists", [True, False])
    def test_lists_and_the_metadata_beside_the_clips_say_the_same(self, tmp_path, lists):
        records = read(layouts.plusplus(tmp_path, lists=lists))
        assert len(records) == 12
        assert {record.split for record in records} == {"train", "dev"}
        assert all(record.media.is_file() for record in records)
        assert {record.extra["video_model"] for record in records if record.visual_truth} == {
            "Talklip"
        }

    def test_metadata_of_its_own_need_not_name_the_clip(self, tmp_path):
        entry = plusplus_entry("real")
        key = entry.pop("file")
        put_json((tmp_path / "val" / key).with_suffix(".json"), entry)
        assert only_record(tmp_path).key == key

    def test_av_deepfake1ms_folder_of_metadata_serves_without_its_list(self, tmp_path):
        root = layouts.av1m(tmp_path)
        with_list = read(root, split="dev")
        (root / "val_metadata.json").unlink()
        assert sorted(r.key for r in read(root, split="dev")) == sorted(r.key for r in with_list)

    def test_one_splits_metadata_are_never_taken_for_anothers(self, tmp_path):
        entry = plusplus_entry("real")
        put_json((tmp_path / "data" / "train" / entry["file"]).with_suffix(".json"), entry)
        assert only_record(tmp_path).split == "train"
        with pytest.raises(DatasetError, match=r"there is no val_metadata\.json"):
            read(tmp_path, split="dev")

    def test_one_broken_file_beside_a_clip_is_named_and_the_rest_is_read(self, tmp_path):
        root = layouts.plusplus(tmp_path, lists=False)
        folder = root / "train/vox_celeb_2/id01358/_1nATum8x78/00030"
        (folder / "real.json").write_text('{"file":')
        (folder / "fake_video_fake_audio.json").write_text("[]")
        errors = []
        assert len(read(root, errors.append)) == 10
        not_an_object, broken = map(str, errors)
        assert not_an_object.endswith(
            "fake_video_fake_audio.json, line 1: a record must be an object, got list"
        )
        assert "real.json, line 1: cannot be read as JSON (it breaks off" in broken

    @pytest.mark.parametrize(
        ("key", "identity"),
        [
            ("id00012/21Uxsk56VDQ/00001/real.mp4", "id00012"),
            ("vox_celeb_2/id01358/_1nATum8x78/00030/real.mp4", "id01358"),
            ("lrs3/ukgnU2aXM2c/00004/00004_p4.mp4", "lrs3/ukgnU2aXM2c"),
            ("silent_videos/subject_7_ab12_vid_1_2/real.mp4", "silent_videos/subject_7"),
            ("idle/0001/real.mp4", None),
            ("000001.mp4", None),
        ],
    )
    def test_the_path_contains_the_identity(self, key, identity):
        assert identity_of(key) == identity


MAKERS = {
    "lav-df": layouts.lavdf,
    "av-deepfake1m": layouts.av1m,
    "av-deepfake1m-plusplus": layouts.plusplus,
    "tvil": layouts.tvil,
}


class TestRecognition:
    @pytest.mark.parametrize("of", MAKERS)
    def test_each_dataset_is_recognised_by_its_own_reader_alone(self, tmp_path, of):
        root = MAKERS[of](tmp_path)
        readers = list(forensics_dataset_readers())
        assert {*MAKERS} <= {reader.name for reader in readers}
        recognised = [r.name for r in readers if r.recognise and r.recognise(root)]
        assert recognised == [of]

    def test_without_lists_the_metadata_beside_the_clips_are_looked_at(self, tmp_path):
        root = layouts.plusplus(tmp_path / "plusplus", lists=False)
        assert is_avdeepfake1m_plusplus(root)
        assert not is_avdeepfake1m(root)
        root = layouts.av1m(tmp_path / "first")
        for path in root.glob("*_metadata.json"):
            path.unlink()
        assert is_avdeepfake1m(root)

    def test_a_list_of_test_clips_distinguishes_the_editions(self, train_list):
        root = train_list(av1m_entry())
        assert is_avdeepfake1m(root)
        (root / "testB_files.txt").touch()
        assert is_avdeepfake1m_plusplus(root)

    @pytest.mark.parametrize("entries", [[], [3], [{"file": "a.mp4"}]])
    def test_other_lists_are_not_recognised(self, train_list, entries):
        root = train_list(*entries)
        assert not is_avdeepfake1m(root)
        assert not is_avdeepfake1m_plusplus(root)

    def test_only_the_first_record_is_read(self, train_list):
        root = train_list(av1m_entry())
        path = root / "train_metadata.json"
        path.write_text(f"[{json.dumps(av1m_entry())}, nonsense")
        assert is_avdeepfake1m(root)
