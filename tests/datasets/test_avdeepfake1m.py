import json
import tracemalloc

import pytest

from mmmsba_plugin.builtin import forensics_dataset_readers
from mmmsba_plugin.datasets.avdeepfake1m import (
    AvDeepfake1mConfig,
    identity_of,
    is_avdeepfake1m,
    is_avdeepfake1m_plusplus,
    read_avdeepfake1m,
)
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract

from .. import layouts
from ..layouts import VARIANTS, av1m_entry, plusplus_entry, put_json

FAKE = Segment(0.48, 0.86)


class TestAvDeepfake1mContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "av-deepfake1m")

    def dataset(self, folder):
        return layouts.av1m(folder)


class TestPlusPlusContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "av-deepfake1m-plusplus")

    def dataset(self, folder):
        return layouts.plusplus(folder)


#: Dealt by the paper's protocol with seed 0, of id00000 to id00049.
FIRST_DEV = [
    "id00001",
    "id00009",
    "id00019",
    "id00026",
    "id00036",
    "id00040",
    "id00043",
    "id00045",
    "id00047",
]


def read(root, on_error=refuse, **settings):
    return list(read_avdeepfake1m(AvDeepfake1mConfig(root=root, **settings), on_error))


@pytest.fixture
def train_list(tmp_path):
    """A writer of datasets of metadata alone."""

    def write(*entries, name="train_metadata.json"):
        put_json(tmp_path / name, list(entries))
        return tmp_path

    return write


def only_record(root, **settings):
    (record,) = read(root, need_media=False, **settings)
    return record


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
    def test_clips_are_found_where_copies_have_them(self, train_list, place):
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

    def test_a_missing_clip_is_told_of_once_and_the_rest_is_read(self, tmp_path):
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
    def test_the_path_says_who_is_seen(self, key, identity):
        assert identity_of(key) == identity


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
    def test_without_lists_of_each_modality_the_type_says_which(self, train_list, kind):
        entry = av1m_entry(kind)
        whole = only_record(train_list(entry))
        del entry["visual_fake_segments"], entry["audio_fake_segments"]
        assert only_record(train_list(entry)) == whole

    def test_without_a_type_the_segments_say_it(self, train_list):
        entry = av1m_entry("audio_modified")
        del entry["modify_type"]
        record = only_record(train_list(entry))
        assert (record.kind, record.visual_truth, record.audio_truth) == (None, (), (FAKE,))

    @pytest.mark.parametrize("labels", [{"modify_type": "real"}, {"fake_segments": []}])
    def test_a_real_clip_may_say_so_in_few_words(self, train_list, labels):
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


class TestProtocols:
    def test_officially_val_is_dev(self, tmp_path):
        root = layouts.av1m(tmp_path)
        assert {record.identity for record in read(root, split="dev")} == {"id00099"}
        assert {record.identity for record in read(root, split="train")} == {"id00012", "id00017"}

    def test_in_the_paper_val_is_test_and_nobody_is_in_two_splits(self, train_list):
        identities = [f"id{index:05d}" for index in range(400)]
        train_list(av1m_entry(identity="id90000"), name="val_metadata.json")
        entries = [
            av1m_entry(kind, identity)
            for identity in identities
            for kind in ("real", "both_modified")
        ]
        records = read(train_list(*entries), need_media=False, protocol="paper")
        by_split = {
            s: {r.identity for r in records if r.split == s} for s in ("train", "dev", "test")
        }
        assert by_split["test"] == {"id90000"}
        assert not by_split["train"] & by_split["dev"]
        assert by_split["train"] | by_split["dev"] == set(identities)
        # 15 % of 400 people is 60; a fair deal lies within 22 of it but once in 500 seeds.
        assert 38 <= len(by_split["dev"]) <= 82

    def test_who_is_dev_follows_from_the_seed_alone(self, train_list):
        identities = [f"id{index:05d}" for index in range(50)]
        forth = train_list(*(av1m_entry(identity=identity) for identity in identities))

        def dev(root, seed):
            settings = {"protocol": "paper", "split": "dev", "need_media": False, "seed": seed}
            return {record.identity for record in read(root, **settings)}

        first, other = dev(forth, 0), dev(forth, 1)
        back = train_list(*(av1m_entry(identity=identity) for identity in reversed(identities)))
        assert dev(back, 0) == first != other
        # The same on every machine and in every version.
        assert sorted(first) == FIRST_DEV

    def test_a_clip_of_nobody_known_goes_where_its_fakes_go(self, train_list):
        entries = [
            av1m_entry(kind, file=f"studio/{index:03d}/{VARIANTS[kind]}")
            for index in range(40)
            for kind in VARIANTS
        ]
        records = read(train_list(*entries), need_media=False, protocol="paper")
        dealt = {(record.key.split("/")[1], record.split) for record in records}
        assert len(dealt) == 40
        assert {split for _, split in dealt} == {"train", "dev"}

    def test_the_official_test_is_private_and_says_what_to_do(self, tmp_path):
        root = layouts.plusplus(tmp_path)
        message = (
            r"are private \(testA_files\.txt, testB_files\.txt\); measure on --split dev, .* with "
            rf"--split test --data 'av-deepfake1m\[protocol=paper\]={root}'"
        )
        with pytest.raises(DatasetError, match=message):
            read(root, split="test")

    @pytest.mark.parametrize("split", ["dev", "val", "valid"])
    def test_a_split_is_found_by_any_of_its_names(self, tmp_path, split):
        records = read(layouts.av1m(tmp_path), split=split)
        assert {record.identity for record in records} == {"id00099"}
        assert {record.split for record in records} == {"dev"}

    def test_each_record_names_the_protocol(self, tmp_path):
        root = layouts.av1m(tmp_path)
        for settings, name in (
            ({}, "official"),
            ({"protocol": "paper", "seed": 3}, "paper (seed 3)"),
        ):
            assert {record.extra["protocol"] for record in read(root, **settings)} == {name}

    def test_test_clips_are_no_records(self, tmp_path):
        assert not [r for r in read(layouts.av1m(tmp_path)) if r.key.startswith("0000")]

    def test_test_clips_with_truth_are_read(self, train_list):
        root = train_list(av1m_entry(), name="test_metadata.json")
        assert [record.split for record in read(root, need_media=False)] == ["test"]
        assert only_record(root, split="test").fake

    def test_an_unknown_split_lists_those_there_are(self, tmp_path):
        message = "no split 'tset'; under the official protocol it has: train, dev, test"
        with pytest.raises(DatasetError, match=message):
            read(tmp_path, split="tset")

    def test_a_split_that_is_not_there_is_named(self, train_list):
        with pytest.raises(DatasetError, match=r"there is no val_metadata\.json in .* beside"):
            read(train_list(av1m_entry()), split="dev")

    def test_a_folder_without_metadata_is_refused(self, tmp_path):
        (tmp_path / "train").mkdir()
        (tmp_path / "train" / "a.mp4").touch()
        message = r"no train_metadata\.json or val_metadata\.json in"
        with pytest.raises(DatasetError, match=message):
            read(tmp_path)

    def test_a_list_that_breaks_off_yields_the_records_before_that(self, train_list):
        root = train_list(av1m_entry(), av1m_entry())
        path = root / "train_metadata.json"
        path.write_text(path.read_text()[:-30])
        records = read_avdeepfake1m(AvDeepfake1mConfig(root=root, need_media=False))
        assert next(records).fake
        with pytest.raises(DatasetError, match="record 1: cannot be read as JSON"):
            next(records)

    def test_an_unknown_protocol_lists_those_there_are(self):
        with pytest.raises(ConfigError, match="'official' or 'paper'"):
            AvDeepfake1mConfig.read({"root": ".", "protocol": "mine"})


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
        assert [reader.name for reader in readers if reader.recognise(root)] == [of]

    def test_without_lists_the_metadata_beside_the_clips_are_looked_at(self, tmp_path):
        root = layouts.plusplus(tmp_path / "plusplus", lists=False)
        assert is_avdeepfake1m_plusplus(root)
        assert not is_avdeepfake1m(root)
        root = layouts.av1m(tmp_path / "first")
        for path in root.glob("*_metadata.json"):
            path.unlink()
        assert is_avdeepfake1m(root)

    def test_a_list_of_test_clips_tells_the_editions_apart(self, train_list):
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
