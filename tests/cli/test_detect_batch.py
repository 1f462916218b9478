"""``mmmsba detect`` over many clips: nothing is lost, whatever ends it, and nothing is half."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmmsba_plugin.cli import _exit_codes

from ..hostile_plugin import hostile_plugin
from .detect_files import files, read, reports


@pytest.fixture
def tape(tmp_path):
    """Makes a folder of files of such names and contents."""
    folder = tmp_path / "tape"

    def make(*names, **contents):
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents.get(path.stem, name).encode())
        return folder

    return make


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def command(tmp_path, out):
    """The command line with a detector that crashes, hangs or waits as a clip's name says."""
    plugin = hostile_plugin(tmp_path)
    options = ("detect", "--detector", "hostile", "--format", "json", "-o", out)
    return [str(word) for word in ("--plugin", plugin, *options)]


def table(out):
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def start(command, *arguments):
    """Start a run of its own, in a process group of its own, as a terminal does."""
    words = [sys.executable, "-m", "mmmsba_plugin", *command, *map(str, arguments)]
    return subprocess.Popen(words, stdout=-1, stderr=-1, text=True, start_new_session=True)


def wait_for(path):
    until_s = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until_s
        time.sleep(0.02)


class TestTable:
    def test_a_folder_gets_reports_and_a_table_in_its_order(self, run, command, tape, out):
        folder = tape("b.mp4", "a.mp4", "deep/a.mp4", "segfault.mp4", "notes.md")
        result = run(*command, folder, "--workers", 2)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert reports(out) == ["a.json", "a.mp4.json", "b.json", "segfault.json"]
        rows = table(out)
        names = [os.path.relpath(row["media"], folder) for row in rows]
        assert names == ["a.mp4", "b.mp4", "segfault.mp4", "deep/a.mp4"]
        assert [row["status"] for row in rows] == ["ok", "ok", "error", "ok"]
        assert rows[2]["problem"].startswith("WorkerError: the process that worked on it died")
        assert f"wrote {out / 'summary.csv'}" in result.stdout

    def test_a_clip_called_like_the_table_has_another_name(self, run, command, tape, out):
        run(*command, tape("a.mp4", "summary.mp4"))
        assert files(out) == ["a.json", "summary.csv", "summary.mp4.json"]

    def test_it_can_be_written_as_parquet_too(self, run, command, tape, out):
        from pyarrow import parquet

        file = out / "tables" / "all.parquet"
        assert run(*command, tape("a.mp4"), "--summary", file).exit_code == _exit_codes.OK
        assert parquet.read_table(file)["status"].to_pylist() == ["ok"]

    def test_a_table_of_no_format_stops_the_run_at_once(self, run, command, tape, out):
        result = run(*command, tape("a.mp4"), "--summary", out / "all.xlsx")
        assert result.exit_code == _exit_codes.STOPPED
        assert "end its name in .csv or .parquet" in result.stderr
        assert not out.exists()


class TestCopies:
    def test_clips_of_the_same_bytes_are_evaluated_once(self, run, command, tape, out):
        folder = tape("a.mp4", "copy.mp4", "b.mp4", copy="a.mp4")
        result = run(*command, folder)
        assert result.exit_code == _exit_codes.OK
        assert reports(out) == ["a.json", "b.json", "copy.json"]
        report = read(out / "copy.json")
        assert report.media.path == str(folder / "copy.mp4")
        warning = f"its bytes are those of {folder / 'a.mp4'}, and were evaluated there"
        assert report.warnings == (warning,)
        assert [row["copy_of"] for row in table(out)] == ["", "", str(folder / "a.mp4")]

    def test_a_copy_of_a_clip_that_crashes_crashes_nothing_more(self, run, command, tape, out):
        folder = tape("segfault.mp4", "z.mp4", z="segfault.mp4")
        result = run(*command, folder)
        assert result.stdout.count("died (signal SIGSEGV)") == 2
        assert [row["status"] for row in table(out)] == ["error", "error"]


class TestEnds:
    def test_ctrl_c_completes_the_clip_in_hand_and_says_how_to_go_on(
        self, command, tape, out, tmp_path
    ):
        folder = tape("a.mp4", "b-slow.mp4", "c.mp4")
        process = start(command, folder)
        wait_for(tmp_path / "b-slow.mp4.begun")
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == _exit_codes.STOPPED, stderr
        assert "stopping once the clips in hand are complete" in stdout
        assert "2 of 3 clips are complete; run the same again with --resume" in stdout
        assert files(out) == ["a.json", "b-slow.json", "summary.csv"]
        assert len(table(out)) == 2
        stdout, stderr = start(command, folder, "--resume").communicate(timeout=60)
        assert stdout.startswith("2 of 3 clips were evaluated before"), stderr
        assert len(table(out)) == 3

    def test_a_second_ctrl_c_gives_up_what_is_in_hand(self, command, tape, out, tmp_path):
        process = start(command, tape("a.mp4", "hang.mp4"))
        wait_for(tmp_path / "hang.mp4.begun")
        os.killpg(process.pid, signal.SIGINT)
        while "stopping once" not in process.stdout.readline():
            pass
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode not in {0, None}
        assert files(out) == ["a.json"]

    def test_a_run_that_was_killed_leaves_no_worker_and_is_resumed(self, command, tape, out):
        import psutil

        folder = tape("a.mp4", "b-slow.mp4", "c-slow.mp4", "d.mp4")
        process = start(command, folder, "--workers", 2)
        wait_for(out / "a.json")
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate(timeout=30)
        assert not psutil.wait_procs(workers, timeout=30)[1]
        assert all(read(out / name).status == "ok" for name in files(out))
        before = len(files(out))
        stdout, _ = start(command, folder, "--resume", "--workers", 2).communicate(timeout=60)
        assert stdout.startswith(f"{before} of 4 clips were evaluated before")
        assert [row["status"] for row in table(out)] == ["ok"] * 4

    def test_two_runs_share_an_output_folder(self, command, tape, out):
        folder = tape(*(f"{name}.mp4" for name in "abcdef"), "x/a.mp4", "y/a.mp4")
        runs = [
            start(command, *(folder / name for name in names))
            for names in (("x", "a.mp4", "b.mp4", "c.mp4"), ("y", "d.mp4", "c.mp4", "b.mp4"))
        ]
        for process in runs:
            stderr = process.communicate(timeout=60)[1]
            assert process.returncode == _exit_codes.OK, stderr
        paths = {os.path.relpath(read(out / n).media.path, folder) for n in reports(out)}
        assert paths == {"x/a.mp4", "y/a.mp4", "a.mp4", "b.mp4", "c.mp4", "d.mp4"}
        assert len(reports(out)) == 6

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
    def test_a_full_disk_ends_the_run_with_a_sentence(self, run, command, tape, out):
        out.mkdir()
        (out / "summary.csv").symlink_to("/dev/full")
        result = run(*command, tape("a.mp4", "b.mp4"), "--summary", "/dev/full/x.csv")
        assert result.exit_code == _exit_codes.STOPPED
        assert "cannot write to /dev/full" in result.stderr

    def test_names_come_from_standard_input_too(self, command, tape, out):
        folder = tape("a.mp4", "b.mp4")
        names = "\0".join(str(folder / name) for name in ("a.mp4", "b.mp4"))
        words = [sys.executable, "-m", "mmmsba_plugin", *command, "-"]
        subprocess.run(words, input=names, text=True, check=True, capture_output=True)
        assert reports(out) == ["a.json", "b.json"]
