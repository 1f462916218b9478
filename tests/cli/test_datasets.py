"""``mmmsba datasets``: a dataset is checked before hours go into it."""

import json

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets.check import NUM_NAMED
from mmmsba_plugin.plugins import lookup

from .. import layouts
from ..layouts_csv import VARIANTS, clip_table, fakeavceleb

pytestmark = pytest.mark.usefixtures("wide")

ROWS = [
    {"path": "a.mp4", "start_s": "", "end_s": "", "split": "train", "identity": "ann"},
    {"path": "b.mp4", "start_s": 1.0, "end_s": 1.5, "split": "train", "identity": "bob"},
    {"path": "c.mp4", "start_s": 2.0, "end_s": 3.0, "split": "test", "identity": "cid"},
    {"path": "c.mp4", "start_s": 4.0, "end_s": 5.5, "split": "test", "identity": "cid"},
]


def checkup_of(run, root, *options):
    return json.loads(run("datasets", "check", root, *options, "--json", "-").stdout)


class TestCheck:
    def test_a_audio_dataset_is_counted(self, run, tmp_path):
        clip_table(tmp_path, ROWS)
        assert checkup_of(run, tmp_path) == {
            "reader": "folder",
            "root": str(tmp_path),
            "protocol": None,
            "usable": True,
            "records": [
                {"kind": "fake", "split": "test", "count": 1},
                {"kind": "fake", "split": "train", "count": 1},
                {"kind": "real", "split": "train", "count": 1},
            ],
            "num_records": 3,
            "num_fake": 2,
            "num_whole_clips": 0,
            "segments": {"count": 3, "mean_s": 1.0, "longest_s": 1.5},
            "identities": {"test": 1, "train": 2},
            "in_several_splits": {"count": 0, "first": []},
            "missing": {"count": 0, "first": []},
            "malformed": {"count": 0, "first": []},
            "ended": None,
        }

    def test_whole_clips_are_counted_apart_from_segments(self, run, tmp_path):
        checkup = checkup_of(run, fakeavceleb(tmp_path, num_identities=5))
        assert checkup["reader"] == "fakeavceleb"
        assert checkup["num_whole_clips"] == checkup["num_fake"] == 5 * (len(VARIANTS) - 1)
        assert checkup["segments"] == {"count": 0, "mean_s": None, "longest_s": None}
        assert sum(checkup["identities"].values()) == 5

    def test_where_no_kind_is_stated_what_was_altered_is_counted(self, run, tmp_path):
        checkup = checkup_of(run, layouts.lavdf(tmp_path))
        assert {(row["kind"], row["split"]): row["count"] for row in checkup["records"]} == {
            (kind, split): 1
            for kind in ("real", "audio", "visual", "both")
            for split in ("train", "dev", "test")
        }

    @pytest.mark.parametrize("option", [False, True])
    def test_settings_of_a_reader_stand_in_brackets(self, run, tmp_path, option):
        root = fakeavceleb(tmp_path, num_identities=10)
        checkup = checkup_of(run, root)
        assert checkup["protocol"] == "70-10-20 (seed 0)"
        assert checkup["identities"] == {"train": 7, "dev": 1, "test": 2}
        reader = "fakeavceleb[protocol=five-fold,fold=2,seed=1]"
        arguments = (root, "--reader", reader) if option else (f"{reader}={root}",)
        checkup = checkup_of(run, *arguments)
        assert checkup["protocol"] == "five-fold, fold 2 (seed 1)"
        assert checkup["identities"] == {"train": 8, "test": 2}
        assert (
            "split by protocol: five-fold, fold 2 (seed 1)\n"
            in run("datasets", "check", *arguments).stdout
        )

    def test_a_reader_can_be_named_with_the_folder(self, run, tmp_path):
        assert checkup_of(run, f"lav-df={layouts.lavdf(tmp_path)}")["reader"] == "lav-df"

    def test_a_setting_that_there_is_not_is_answered_with_those_there_are(self, run, tmp_path):
        result = run("datasets", "check", f"lav-df[fold=2]={layouts.lavdf(tmp_path)}")
        assert result.exit_code == _exit_codes.STOPPED
        assert "fold: Extra inputs are not permitted. Allowed keys: root, split" in result.stderr

    def test_missing_clips_are_named_and_counted(self, run, tmp_path):
        root = fakeavceleb(tmp_path, num_identities=2 * NUM_NAMED, variants=VARIANTS[:1])
        clips = sorted(root.rglob("*.mp4"))
        for clip in clips[1:]:
            clip.unlink()
        result = run("datasets", "check", root)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert f"not there: {2 * NUM_NAMED - 1}\n" in result.stdout
        assert "\n  RealVideo-RealAudio/African/men/id00002/00002.mp4\n" in result.stdout
        assert f"\n  and {NUM_NAMED - 1} more\n" in result.stdout
        assert f"{2 * NUM_NAMED} records, 0 of them fake" in result.stdout

    def test_a_clip_is_there_if_its_reader_finds_it_anywhere(self, run, tmp_path):
        # Where the videos of TVIL lie is not documented, and its reader looks in several places.
        root = layouts.tvil(tmp_path, videos="videos")
        (root / "videos" / "00000002.mp4").unlink()
        checkup = checkup_of(run, root)
        assert checkup["reader"] == "tvil"
        assert checkup["num_records"] == 4
        assert checkup["missing"] == {"count": 1, "first": ["00000002.mp4"]}
        assert checkup["malformed"]["count"] == 0

    def test_malformed_records_are_named(self, run, tmp_path):
        wrong = {"path": "d.mp4", "start_s": 3, "end_s": 2, "split": "", "identity": ""}
        clip_table(tmp_path, [*ROWS, wrong])
        result = run("datasets", "check", tmp_path)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "malformed: 1\n" in result.stdout
        assert "clips.csv, line 6: a segment must end after it starts" in result.stdout

    def test_a_identity_in_two_splits_is_a_warning(self, run, tmp_path):
        other = {"path": "d.mp4", "start_s": "", "end_s": "", "split": "dev", "identity": "cid"}
        clip_table(tmp_path, [*ROWS, other])
        result = run("datasets", "check", tmp_path)
        assert result.exit_code == _exit_codes.OK, "who made it may have meant it so"
        assert "warning: 1 identities are in more than one split" in result.stdout
        assert "knowing a face: cid" in result.stdout

    def test_the_table_has_a_column_for_each_split(self, run, tmp_path):
        clip_table(tmp_path, ROWS)
        lines = [line.split() for line in run("datasets", "check", tmp_path).stdout.splitlines()]
        assert ["kind", "test", "train", "all"] in lines
        assert ["fake", "1", "1", "2"] in lines
        assert ["real", "0", "1", "1"] in lines
        assert ["fake", "segments:", "3:", "1.00", "s", "on", "average,"] in [
            line[:7] for line in lines
        ]

    def test_json_can_go_to_a_file(self, run, tmp_path):
        clip_table(tmp_path / "dataset", ROWS)
        target = tmp_path / "new" / "said.json"
        assert run("datasets", "check", tmp_path / "dataset", "--json", target).stdout == ""
        assert json.loads(target.read_text())["num_records"] == 3

    def test_nothing_is_written_into_the_dataset(self, run, tmp_path):
        root = fakeavceleb(tmp_path)
        before = sorted(tmp_path.rglob("*"))
        run("datasets", "check", root)
        assert sorted(tmp_path.rglob("*")) == before

    def test_the_command_says_that_reading_ended_early(self, run, tmp_path):
        layouts.lavdf(tmp_path)
        metadata = tmp_path / "metadata.json"
        metadata.write_text(metadata.read_text()[:-40])
        result = run("datasets", "check", tmp_path)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "reading ended early: " in result.stdout
        assert "11 records, 8 of them fake" in result.stdout

    def test_a_dataset_that_cannot_be_read_at_all_stops_the_run(self, run, tmp_path):
        result = run("datasets", "check", tmp_path, "--reader", "fakeavceleb")
        assert result.exit_code == _exit_codes.STOPPED
        assert "there is no meta_data.csv in" in result.stderr


class TestWithoutReader:
    def test_a_folder_nobody_knows_is_answered_with_what_each_needs(self, run, tmp_path):
        result = run("datasets", "check", tmp_path)
        assert result.exit_code == _exit_codes.STOPPED
        assert f"no reader knows the layout of {tmp_path}; name one as READER=" in result.stderr
        assert "fakeavceleb (FakeAVCeleb v1.2: meta_data.csv beside" in result.stderr
        assert "folder (Clips of one's own" in result.stderr

    def test_a_folder_that_is_not_there_is_named(self, run, tmp_path):
        result = run("datasets", "check", tmp_path / "gone")
        assert result.exit_code == _exit_codes.STOPPED
        assert f"there is no {tmp_path / 'gone'}; give the folder of a dataset" in result.stderr


def test_list_has_a_line_for_each_reader(run):
    result = run("datasets", "list")
    assert result.exit_code == _exit_codes.OK
    names = {line.split()[0] for line in result.stdout.splitlines()[1:]}
    assert {"lav-df", "fakeavceleb", "folder"} <= names
    assert lookup("dataset_readers", "folder").summary in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(" fakeavceleb")]
    assert line.rstrip().endswith("protocol, fold, seed, split_csv")
