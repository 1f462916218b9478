"""Clips of one's own: a CSV that lists them, or a folder for each label."""

from pathlib import Path

import pytest

from mmmsba_plugin.datasets.folder import FolderConfig, is_labelled_folder, read_folder
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract, samples

from ..layouts_csv import clip_table, fakeavceleb, label_folders


def read(root, on_error=refuse, **settings):
    config = FolderConfig.read({"root": str(root), **settings})
    return list(read_folder(config, on_error))


class TestClipTable(DatasetReaderContract):
    entry = lookup("dataset_readers", "folder")

    def dataset(self, folder):
        def make_clip(path):
            samples.clip(path, duration_s=0.4)

        rows = [
            {"path": "a.mp4", "label": "real", "start_s": "", "end_s": "", "split": "train"},
            {"path": "b.mp4", "label": "fake", "start_s": 0.1, "end_s": 0.2, "split": "train"},
            {"path": "b.mp4", "label": "fake", "start_s": 0.0, "end_s": 0.15, "split": "train"},
            {"path": "c.mp4", "label": "fake", "start_s": "", "end_s": "", "split": "test"},
        ]
        return clip_table(folder, rows, make_clip=make_clip).parent


class TestCsv:
    def test_the_csv_itself_may_be_named(self, tmp_path):
        table = clip_table(tmp_path, [{"path": "a.mp4", "label": "real"}], name="mine.csv")
        assert [record.key for record in read(table)] == ["a.mp4"]

    def test_an_unknown_split_lists_those_there_are(self, tmp_path):
        rows = [{"path": f"{s}.mp4", "label": "real", "split": s} for s in ("val", "test")]
        clip_table(tmp_path, rows)
        with pytest.raises(DatasetError, match=r"has no split 'train'; it has: dev, test"):
            read(tmp_path, split="train")


class TestFolders:
    def test_a_clips_label_is_the_folder_it_was_put_into(self, tmp_path):
        label_folders(tmp_path, "Genuine/a.mp4", "forged/b/c.mkv", "forged/notes.txt")
        rows = {(r.key, r.fake, r.split, r.kind, r.audio_truth) for r in read(tmp_path)}
        assert rows == {
            ("Genuine/a.mp4", False, None, "Genuine", ()),
            ("forged/b/c.mkv", True, None, "forged", None),
        }

    def test_folders_above_them_are_splits(self, tmp_path):
        label_folders(tmp_path, "train/real/a.mp4", "val/fake/b.mp4", "test/fake/c.mp4")
        assert [(r.key, r.split) for r in read(tmp_path)] == [
            ("test/fake/c.mp4", "test"),
            ("train/real/a.mp4", "train"),
            ("val/fake/b.mp4", "dev"),
        ]
        assert [r.key for r in read(tmp_path, split="dev")] == ["val/fake/b.mp4"]

    def test_a_csv_says_more_than_folders_do(self, tmp_path):
        label_folders(tmp_path, "real/a.mp4", "fake/b.mp4")
        clip_table(tmp_path, [{"path": "fake/b.mp4", "start_s": 1, "end_s": 2}])
        assert [record.truth for record in read(tmp_path)] == [(Segment(1.0, 2.0),)]

    def test_what_is_hidden_is_passed_over(self, tmp_path):
        label_folders(tmp_path, "real/a.mp4", "real/.b.mp4", "real/.trash/c.mp4")
        assert [record.key for record in read(tmp_path)] == ["real/a.mp4"]

    def test_a_clip_outside_of_the_labels_is_named(self, tmp_path):
        label_folders(tmp_path, "real/a.mp4", "b.mp4", "others/c.mp4")
        errors = []
        assert len(read(tmp_path, errors.append)) == 1
        assert [str(error).split(" is in ")[0] for error in errors] == [
            str(tmp_path / "b.mp4"),
            str(tmp_path / "others/c.mp4"),
        ]

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["clips/a.mp4"], r"has neither clips\.csv nor folders called real and fake"),
            (["real/a.mp4", "train/real/b.mp4"], "both with and without a split; move all of them"),
            (["real/a.mp4", "fake/metadata.json"], r"holds metadata\.json, so not all clips in it"),
            (["real/notes.txt"], "has folders for labels and no clip in them; put some there"),
        ],
    )
    def test_folders_that_can_be_read_in_two_ways_are_refused(self, tmp_path, names, message):
        with pytest.raises(DatasetError, match=message):
            read(label_folders(tmp_path, *names))


class TestRecognition:
    @pytest.mark.parametrize(
        "names", [["real/a.mp4"], ["forged/a.mp4", "genuine/b.mp4"], ["test/fake/a.mp4"]]
    )
    def test_folders_for_labels_are_known(self, tmp_path, names):
        assert is_labelled_folder(label_folders(tmp_path, *names))

    def test_a_csv_is_known_by_itself_and_by_its_folder(self, tmp_path):
        table = clip_table(tmp_path, [{"path": "a.mp4", "label": "real"}])
        assert is_labelled_folder(table)
        assert is_labelled_folder(tmp_path)

    @pytest.mark.parametrize(
        "names", [["clips/a.mp4"], ["real/metadata.json"], ["real/a.mp4", "metadata.json"]]
    )
    def test_other_folders_are_not(self, tmp_path, names):
        assert not is_labelled_folder(label_folders(tmp_path, *names))

    def test_a_dataset_with_a_table_of_its_own_is_not(self, tmp_path):
        root = fakeavceleb(tmp_path)
        assert not is_labelled_folder(root)
        assert not is_labelled_folder(root / "meta_data.csv")

    def test_what_is_no_text_is_not(self, tmp_path):
        (path := tmp_path / "clips.csv").write_bytes(b"\x00\xff")
        assert not is_labelled_folder(Path(path))
