"""FakeAVCeleb: its table's quirks, its copies' spellings, and its splits by identity."""

from collections import Counter
from pathlib import Path

import pytest

from mmmsba_plugin.datasets.fakeavceleb import (
    FakeAvCelebConfig,
    is_fakeavceleb,
    read_fakeavceleb,
)
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract, samples

from ..layouts_csv import VARIANTS, fakeavceleb, fakeavceleb_row, write_fakeavceleb_table


def read(root, on_error=refuse, **settings):
    config = FakeAvCelebConfig.read({"root": str(root), **settings})
    return list(read_fakeavceleb(config, on_error))


class TestFakeAvCeleb(DatasetReaderContract):
    entry = lookup("dataset_readers", "fakeavceleb")

    def dataset(self, folder):
        def make_clip(path):
            samples.clip(path, duration_s=0.4)

        return fakeavceleb(folder, num_identities=2, variants=VARIANTS[:2], make_clip=make_clip)


class TestRecords:
    def test_a_record_holds_what_its_row_says(self, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=5)
        record = next(r for r in read(root) if r.kind == "wav2lip" and r.identity == "id00002")
        assert record.key == "FakeVideo-RealAudio/African/men/id00002/00002_wavtolip.mp4"
        assert record.media == root / record.key
        assert record.original is None
        assert record.duration_s is None
        assert record.extra["type"] == "FakeVideo-RealAudio"
        assert record.extra["target1"] == "id00999"

    def test_a_fake_is_fake_from_start_to_end_in_what_its_type_names(self, tmp_path):
        truth_by_type = {
            (r.extra["category"], bool(r.audio_truth), bool(r.visual_truth)): r.truth
            for r in read(fakeavceleb(tmp_path))
        }
        assert truth_by_type == {
            ("A", False, False): (),
            ("B", True, False): (WHOLE_CLIP,),
            ("C", False, True): (WHOLE_CLIP,),
            ("D", True, True): (WHOLE_CLIP,),
        }

    def test_only_a_fake_is_a_whole_clip_without_a_place(self, tmp_path):
        for record in read(fakeavceleb(tmp_path)):
            assert record.whole_clip == record.fake == (record.kind != "real")

    @pytest.mark.parametrize(
        ("in_table", "on_disk"),
        [
            ("Caucasian (American)", "Caucasian_American"),
            ("Asian_East", "Asian (East)"),
            ("African", "african"),
        ],
    )
    def test_folders_are_found_however_a_copy_spells_them(self, tmp_path, in_table, on_disk):
        root = fakeavceleb(tmp_path, race=in_table, race_on_disk=on_disk)
        records = read(root)
        assert len(records) == 5 * len(VARIANTS)
        assert {r.media.parts[-4] for r in records} == {on_disk}
        assert all(r.media.is_file() for r in records)
        assert all(f"/{in_table}/" in r.key for r in records), "a key is as the table has it"

    def test_a_method_in_a_files_name_is_found_however_it_is_spelt(self, tmp_path):
        root = fakeavceleb(tmp_path)
        for clip in list(root.rglob("*_wavtolip.mp4")):
            clip.rename(clip.with_name(clip.name.replace("wavtolip", "wav2lip")))
        assert len(read(root)) == 5 * len(VARIANTS)

    def test_two_folders_that_are_spelt_alike_are_named(self, tmp_path):
        root = fakeavceleb(tmp_path, race="Asian East", race_on_disk="Asian_East")
        (root / "RealVideo-RealAudio" / "Asian (East)").mkdir()
        message = r"has Asian \(East\) and Asian_East, and the table says Asian East; keep one"
        with pytest.raises(DatasetError, match=message):
            read(root)

    def test_the_folder_above_will_do(self, tmp_path):
        fakeavceleb(tmp_path)
        assert read(tmp_path) == read(tmp_path / "FakeAVCeleb_v1.2")

    def test_clips_in_a_folder_inside_are_found(self, tmp_path):
        root = fakeavceleb(tmp_path)
        (root / "FakeAVCeleb").mkdir()
        for folder in {variant.type for variant in VARIANTS}:
            (root / folder).rename(root / "FakeAVCeleb" / folder)
        assert all(record.media.is_file() for record in read(root))

    def test_a_path_that_holds_the_folder_too_is_understood(self, tmp_path):
        root = fakeavceleb(tmp_path)
        before = read(root)
        rows = [
            [*fields[:8], f"{fields[9]}/{fields[8]}", ""]
            for variant in VARIANTS
            for fields in [fakeavceleb_row(p, variant) for p in range(1, 6)]
        ]
        write_fakeavceleb_table(root, rows)
        assert read(root) == before

    def test_a_table_that_pandas_saved_is_understood(self, tmp_path):
        root = fakeavceleb(tmp_path)
        before, table = read(root), root / "meta_data.csv"
        table.write_text(table.read_text().replace("gender,path,", "gender,path,Unnamed: 9", 1))
        assert read(root) == before

    def test_a_missing_clip_that_is_not_needed_keeps_its_path(self, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=5)
        missing = root / "RealVideo-RealAudio/African/men/id00001/00001.mp4"
        missing.unlink()
        with pytest.raises(DatasetError, match=r"line 2: there is no RealVideo-RealAudio/.*again"):
            read(root)
        assert missing in {record.media for record in read(root, need_media=False)}


class TestMalformedRows:
    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            (4, "B", "'type' is RealVideo-RealAudio, whose 'category' is A, but 'category' is 'B'"),
            (4, "", "'category' is ''; correct one"),
            (5, "RealVideo", "'type' must be one of RealVideo-RealAudio, .*, got 'RealVideo'"),
            (0, "", "'source' is empty; copy the table again"),
            (8, "", "'path' is empty"),
            (9, "FakeAVCeleb/FakeVideo-FakeAudio/x", "must be a folder below RealVideo-RealAudio"),
            (9, "RealVideo-RealAudio/../..", "must be a folder below RealVideo-RealAudio"),
        ],
    )
    def test_is_named_by_file_line_and_column_and_the_rest_is_read(
        self, tmp_path, column, value, message
    ):
        root = fakeavceleb(tmp_path, num_identities=5, variants=VARIANTS[:1])
        rows = [fakeavceleb_row(identity, VARIANTS[0]) for identity in range(1, 6)]
        rows[1][column] = value
        write_fakeavceleb_table(root, rows)
        errors = []
        assert len(read(root, errors.append)) == 4
        (error,) = errors
        with pytest.raises(DatasetError, match=rf"meta_data\.csv, line 3: .*{message}"):
            raise error

    def test_a_row_with_more_fields_than_columns_is_named(self, tmp_path):
        root = fakeavceleb(tmp_path, variants=VARIANTS[:1])
        rows = [fakeavceleb_row(identity, VARIANTS[0]) for identity in range(1, 6)]
        rows[0].append("more")
        write_fakeavceleb_table(root, rows)
        errors = []
        assert len(read(root, errors.append)) == 4
        assert "line 2: it has 11 fields for 10 columns; put quotes" in str(errors[0])

    def test_quotes_that_do_not_close_end_reading_and_say_where(self, tmp_path):
        root = fakeavceleb(tmp_path, variants=VARIANTS[:1])
        with (root / "meta_data.csv").open("a") as file:
            file.write('"id00001,')
        with pytest.raises(DatasetError, match=r"cannot be read as CSV behind line 6 \("):
            read(root)

    def test_a_table_without_a_column_is_refused_with_those_it_has(self, tmp_path):
        (tmp_path / "meta_data.csv").write_text("source,method,path\n")
        with pytest.raises(
            DatasetError, match=r"no column category, type; .*: source, method, path"
        ):
            read(tmp_path)

    def test_a_table_with_two_columns_of_one_name_is_refused(self, tmp_path):
        (tmp_path / "meta_data.csv").write_text("source,method,category,type,path,path\n")
        with pytest.raises(DatasetError, match="two columns are called path; rename one"):
            read(tmp_path)

    def test_a_table_that_is_no_text_is_refused(self, tmp_path):
        (tmp_path / "meta_data.csv").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(
            DatasetError,
            match=r"as CSV behind line 0 .*save it as UTF-8",
        ):
            read(tmp_path)

    def test_a_folder_without_a_table_is_refused(self, tmp_path):
        with pytest.raises(
            DatasetError, match=r"there is no meta_data\.csv in .*FakeAVCeleb_v1\.2"
        ):
            read(tmp_path)


class TestProtocols:
    def test_nobodys_videos_are_in_two_splits(self, tmp_path):
        splits = {}
        for record in read(fakeavceleb(tmp_path, num_identities=10)):
            splits.setdefault(record.identity, set()).add(record.split)
        assert Counter(frozenset(names) for names in splits.values()) == {
            frozenset({"train"}): 7,
            frozenset({"dev"}): 1,
            frozenset({"test"}): 2,
        }

    def test_the_seed_alone_decides_who_is_where(self, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=10)
        assert read(root, seed=1) == read(root, seed=1)
        assert read(root, seed=1) != read(root, seed=2)

    @pytest.mark.parametrize("fold", range(5))
    def test_a_fold_is_balanced_and_tests_identities_it_does_not_learn_from(self, tmp_path, fold):
        root = fakeavceleb(tmp_path, num_identities=10)
        records = read(root, protocol="five-fold", fold=fold)
        counts = Counter((r.split, r.extra["category"]) for r in records)
        assert counts == {(s, c): n for s, n in (("train", 8), ("test", 2)) for c in "ABCD"}
        identities = {s: {r.identity for r in records if r.split == s} for s in ("train", "test")}
        assert not identities["train"] & identities["test"]

    def test_a_fold_takes_the_first_rows_of_a_category(self, tmp_path):
        # Two methods make videos of category C, and there are rows of the first for everybody.
        records = read(fakeavceleb(tmp_path, num_identities=10), protocol="five-fold")
        assert {r.kind for r in records if r.extra["category"] == "C"} == {"faceswap"}

    def test_everybody_is_tested_in_one_fold(self, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=7, variants=VARIANTS[:1])
        tested = [
            record.identity
            for fold in range(5)
            for record in read(root, protocol="five-fold", fold=fold, split="test")
        ]
        assert sorted(tested) == [f"id{identity:05}" for identity in range(1, 8)]

    def test_of_500_identities_a_fold_takes_400_and_100_of_each_category(self, tmp_path):
        rows = [fakeavceleb_row(p, v) for v in VARIANTS for p in range(1, 501)]
        write_fakeavceleb_table(tmp_path, rows)
        records = read(tmp_path, protocol="five-fold", need_media=False)
        counts = Counter((r.split, r.extra["category"]) for r in records)
        assert counts == {(s, c): n for s, n in (("train", 400), ("test", 100)) for c in "ABCD"}
        shares = Counter(r.split for r in read(tmp_path, need_media=False) if r.kind == "real")
        assert shares == {"train": 350, "dev": 50, "test": 100}

    def test_too_few_identities_for_five_folds_is_an_error(self, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=4)
        with pytest.raises(DatasetError, match=r"has 4 people, and five-fold needs 5"):
            read(root, protocol="five-fold")

    def test_the_protocols_name_is_beside_every_record(self, tmp_path):
        root = fakeavceleb(tmp_path)
        mine = tmp_path / "mine.csv"
        mine.write_text("path,split\nRealVideo-RealAudio/African/men/id00001/00001.mp4,test\n")
        names = {
            frozenset(r.extra["protocol"] for r in read(root, **settings))
            for settings in (
                {"seed": 3},
                {"protocol": "five-fold", "fold": 2},
                {"split_csv": str(mine)},
            )
        }
        assert names == {
            frozenset({"70-10-20 (seed 3)"}),
            frozenset({"five-fold, fold 2 (seed 0)"}),
            frozenset({"own split (mine.csv)"}),
        }

    def test_an_unknown_split_lists_those_there_are(self, tmp_path):
        root = fakeavceleb(tmp_path)
        with pytest.raises(DatasetError, match=r"has no split 'dev'; it has: test, train"):
            read(root, protocol="five-fold", split="dev")

    def test_a_fold_there_is_not_is_a_wrong_setting(self, tmp_path):
        with pytest.raises(ConfigError, match="fold: Input should be less than 5"):
            read(tmp_path, fold=5)


class TestOwnSplit:
    @pytest.fixture
    def root(self, tmp_path):
        return fakeavceleb(tmp_path, race="Asian (East)")

    def split_csv(self, root, *lines):
        path = root.parent / "mine.csv"
        path.write_text("\n".join(["path,split", *lines]))
        return str(path)

    def test_only_listed_clips_are_read_in_the_split_they_are_listed_for(self, root):
        mine = self.split_csv(
            root,
            "FakeAVCeleb/RealVideo-RealAudio/Asian_East/men/id00001/00001.mp4,train",
            "RealVideo-FakeAudio/Asian (East)/men/id00002/00002_fake.mp4,val",
        )
        pairs = {(r.identity, r.split) for r in read(root, split_csv=mine)}
        assert pairs == {("id00001", "train"), ("id00002", "dev")}

    def test_clips_that_are_listed_and_missing_are_named(self, root):
        mine = self.split_csv(
            root,
            "RealVideo-RealAudio/Asian_East/men/id00001/00001.mp4,train",
            "id00007/00007.mp4,test",
        )
        errors = []
        assert len(read(root, errors.append, split_csv=mine)) == 1
        assert "mine.csv lists 1 clips that" in str(errors[0])
        assert "write them from the type's folder on" in str(errors[0])

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (["a.mp4,train", "a.mp4,test"], r"line 3: a.mp4 was in another split before"),
            (["a.mp4,"], r"line 2: 'path' or 'split' is empty; fill both in"),
        ],
    )
    def test_a_list_that_can_be_read_in_two_ways_is_refused(self, root, lines, message):
        with pytest.raises(DatasetError, match=message):
            read(root, split_csv=self.split_csv(root, *lines))


class TestRecognition:
    def test_the_folder_and_the_one_above_are_known(self, tmp_path):
        root = fakeavceleb(tmp_path)
        assert is_fakeavceleb(root)
        assert is_fakeavceleb(tmp_path)

    def test_another_table_of_that_name_is_not(self, tmp_path):
        (tmp_path / "meta_data.csv").write_text("path,label\na.mp4,real\n")
        assert not is_fakeavceleb(tmp_path)

    def test_a_table_that_is_no_text_is_not(self, tmp_path):
        (tmp_path / "meta_data.csv").write_bytes(b"\xff\xfe\x00")
        assert not is_fakeavceleb(tmp_path)


class TestWholeClip:
    def test_it_ends_where_its_clip_does(self):
        record = Record(Path("a.mp4"), (WHOLE_CLIP,), audio_truth=(WHOLE_CLIP,), visual_truth=())
        lasting = record.lasting(2.5)
        assert lasting.truth == lasting.audio_truth == (Segment(0.0, 2.5),)
        assert lasting.visual_truth == ()
        assert not lasting.whole_clip

    def test_truth_without_modalities_stays_so(self):
        record = Record(Path("a.mp4"), (WHOLE_CLIP,)).lasting(2.5)
        assert (record.audio_truth, record.visual_truth) == (None, None)

    def test_a_stated_segment_is_left_alone(self):
        record = Record(Path("a.mp4"), (Segment(1.0, 9.0),))
        assert record.lasting(2.5) is record
