"""``mmmsba detect``: what a batch leaves, whatever is in it."""

import errno
import json
import os
import shutil
import stat
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.schema import Report

from ..clips import clip as numbered_clip

#: A writer that fails as the clip's name says: on one clip for good, on another for the disk.
WRITER_FILE = f"""
from mmmsba_plugin.hookspecs import Writer, hookimpl

def write(report, stream):
    stream.write("half")
    if "cursed" in report.media.path:
        raise ZeroDivisionError("a bug")
    if "large" in report.media.path:
        raise OSError({errno.ENOSPC}, "No space left on device")

@hookimpl
def forensics_writers():
    yield Writer("touchy", ".x", "Fails now and then.", write)
"""


#: A detector that cannot be asked for another line.
STUBBORN_FILE = """
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl

@hookimpl
def forensics_detectors():
    yield DetectorEntry("stubborn", "Knows no lines.", ("audio",), load=lambda path: object())
"""


@pytest.fixture
def detect(checkpoint):
    """Run the command with the tiny checkpoint."""
    runner = CliRunner()

    def run(*arguments):
        command = ["detect", "--checkpoint", checkpoint, *arguments]
        return runner.invoke(app, [str(a) for a in command])

    return run


@pytest.fixture
def clip(tmp_path):
    """A clip of half a second, to be evaluated by its audio."""
    return numbered_clip(tmp_path / "clip.mp4", duration_s=0.48, click_at_s=0.24)


@pytest.fixture
def touchy(tmp_path):
    path = tmp_path / "touchy.py"
    path.write_text(WRITER_FILE)
    plugins.load_file(path)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read(path: Path) -> Report:
    return Report.model_validate_json(path.read_bytes())


class TestBatch:
    def test_each_clip_gets_its_reports_and_a_bad_one_stops_nothing(self, detect, clip, tmp_path):
        text = tmp_path / "text.mp4"
        text.write_text("no film")
        out = tmp_path / "out"
        result = detect(text, tmp_path / "gone.mp4", clip, "-o", out)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert files(out) == sorted(f"{n}.{s}" for n in ("clip", "gone", "text") for s in SUFFIXES)
        assert [read(out / f"{n}.json").status for n in ("text", "gone", "clip")] == [
            *("error", "error", "ok")
        ]
        assert f"{text}: error: cannot read {text}: it holds text" in result.stdout

    def test_all_judged_is_success(self, detect, clip, tmp_path):
        assert detect(clip, "-o", tmp_path / "out").exit_code == _exit_codes.OK

    def test_the_same_clip_twice_is_judged_once(self, detect, clip, tmp_path):
        result = detect(clip, clip, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert result.stdout.count("score") == 1
        assert files(tmp_path / "out") == ["clip.html", "clip.json"]

    def test_two_clips_of_one_name_each_keep_their_report(self, detect, clip, tmp_path):
        other = tmp_path / "other" / "clip.mp4"
        third = tmp_path / "third" / "clip.mp4"
        for copy in (other, third):
            copy.parent.mkdir()
            shutil.copy(clip, copy)
        detect(clip, other, third, "-o", tmp_path / "out", "--format", "json")
        media_paths = {
            name: read(tmp_path / "out" / name).media.path for name in files(tmp_path / "out")
        }
        assert media_paths == {
            "clip.json": str(clip),
            "clip.mp4.json": str(other),
            "clip.mp4-2.json": str(third),
        }

    def test_beside_a_clip_nothing_of_its_owners_is_replaced(self, detect, clip, tmp_path):
        (tmp_path / "clip.json").write_text("annotations")
        (tmp_path / "clip.vtt").write_text("subtitles")
        for output in ((), ("-o", tmp_path)):
            assert detect(clip, "--format", "json,vtt", *output).exit_code == _exit_codes.OK
        assert (tmp_path / "clip.json").read_text() == "annotations"
        assert (tmp_path / "clip.vtt").read_text() == "subtitles"
        assert read(tmp_path / "clip.mmmsba.json").status == "ok"

    def test_a_folder_is_told_apart_from_its_clips(self, detect, clip, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        result = detect(".")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert ".: error: . is a folder; give the files in it, such as clip.mp4" in result.stdout
        assert f"{tmp_path.name}.mmmsba.json" in files(tmp_path)

    def test_a_name_as_long_as_names_can_be_leaves_room_for_its_report(
        self, detect, clip, tmp_path
    ):
        long = [clip.rename(tmp_path / f"{'ü' * 125}.mp4")]
        long.append(shutil.copy(long[0], tmp_path / f"{'ü' * 124}.mp4"))
        assert detect(*long, "-o", tmp_path / "out", "--format", "json").exit_code == _exit_codes.OK
        assert files(tmp_path / "out") == [f"{'ü' * 100}-2.json", f"{'ü' * 100}.json"]

    def test_a_misspelt_folder_is_not_made(self, detect, tmp_path):
        result = detect(tmp_path / "typo" / "clip.mp4")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "check the path and its spelling" in result.stdout
        assert files(tmp_path) == []

    @pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 alone")
    def test_a_name_that_is_no_unicode_is_told_and_written(self, detect, clip, tmp_path):
        strange = clip.rename(tmp_path / os.fsdecode(b"\xff.mp4"))
        result = detect(strange, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert "\\udcff.mp4: " in result.stdout
        assert os.fsdecode(b"\xff.json") in files(tmp_path / "out")


class TestWords:
    def test_markup_in_a_name_stays_words(self, detect, clip, tmp_path):
        hostile = clip.rename(tmp_path / "[red]<img src=x onerror=alert(1)>\x1b[2J.mp4")
        result = detect(hostile, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert "[red]<img src=x onerror=alert(1)>\\x1b[2J.mp4: " in result.stdout
        page = next((tmp_path / "out").glob("*.html")).read_text()
        assert not [tag for tag, names in tags_of(page) if "onerror" in names]

    def test_it_says_which_modalities_the_verdict_does_not_rest_on(self, detect, clip, tmp_path):
        output = detect(clip, "-o", tmp_path / "out").stdout
        assert "face not evaluated: no face" in output
        assert "lips not evaluated: no face" in output
        assert "audio not evaluated" not in output

    def test_it_says_the_report_in_short(self, detect, talking_head_dataset, tmp_path):
        fake = next(record.media for record in read_lavdf(talking_head_dataset) if record.fake)
        lines = detect(fake, "-o", tmp_path, "--format", "json").stdout.splitlines()
        report = read(tmp_path / f"{fake.stem}.json")
        verdict = "flagged as fake" if report.fake else "not flagged as fake"
        assert lines[0] == (
            f"{fake}: {verdict}, score {report.score:.3f}, threshold {report.threshold.value:.3f}"
        )
        assert len(lines) == 1 + len(report.segments) + len(report.warnings) + 1
        assert lines[-1] == f"  wrote {tmp_path / fake.stem}.json"

    def test_the_command_line_is_in_the_report(self, detect, clip, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/mmmsba", "detect", "two words.mp4"])
        detect(clip, "-o", tmp_path / "out")
        provenance = read(tmp_path / "out" / "clip.json").provenance
        assert provenance.command == "mmmsba detect 'two words.mp4'"

    def test_the_page_opens_offline(self, detect, talking_clip, tmp_path):
        detect(talking_clip, "-o", tmp_path, "--format", "html")
        page = (tmp_path / "talking.html").read_text()
        assert talking_clip.name in page
        resources = [
            value
            for _, names in tags_of(page)
            for name, value in names.items()
            if name in {"src", "href", "poster", "data", "action", "xlink:href"}
        ]
        assert [r for r in resources if not r.startswith(("data:", "#"))] == []
        assert "@import" not in page
        assert "url(http" not in page


class TestChoices:
    @pytest.mark.usefixtures("unbundled")
    def test_without_a_checkpoint_it_says_how_to_come_by_one(self, clip):
        result = CliRunner().invoke(app, ["detect", str(clip)])
        assert result.exit_code == _exit_codes.STOPPED
        assert result.stderr.startswith("error: no checkpoint was given")
        assert "`mmmsba train --data FOLDER -o my-checkpoint`" in result.stderr
        assert files(clip.parent) == ["clip.mp4"]

    def test_an_unknown_format_is_answered_with_those_there_are(self, detect, clip, tmp_path):
        result = detect(clip, "-o", tmp_path / "out", "--format", "json,josn")
        assert result.exit_code == _exit_codes.STOPPED
        assert "csv, curves, html, json, vtt" in result.stderr
        assert "did you mean 'json'?" in result.stderr

    def test_every_format_can_be_asked_for_at_once(self, detect, clip, tmp_path):
        detect(clip, "-o", tmp_path / "out", "--format", "json, csv,vtt,curves,html")
        suffixes = ("csv", "curves.csv", "html", "json", "vtt")
        assert files(tmp_path / "out") == [f"clip.{suffix}" for suffix in suffixes]

    def test_no_format_detects_and_writes_nothing(self, detect, clip):
        result = detect(clip, "--format", "")
        assert result.exit_code == _exit_codes.OK
        assert "score" in result.stdout
        assert files(clip.parent) == ["clip.mp4"]


class TestLine:
    @pytest.fixture
    def lined(self, checkpoint, tmp_path):
        """A checkpoint with two lines: one that every clip reaches, and one that none does."""
        folder = shutil.copytree(checkpoint, tmp_path / "lined")
        config = json.loads((folder / "config.json").read_text())
        config["score_thresholds"] = [
            {"value": 1.0, "false_positive_rate": 0.01},
            {"value": 0.0, "false_positive_rate": 0.05},
        ]
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def run(self, *arguments):
        return CliRunner().invoke(app, ["detect", *(str(a) for a in arguments)])

    @pytest.mark.parametrize(("rate", "fake"), [(0.01, False), (0.05, True)])
    def test_the_line_decides_the_verdict_and_the_places(self, lined, clip, tmp_path, rate, fake):
        result = self.run(clip, "--checkpoint", lined, "--fpr", rate, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK, result.stderr
        report = read(tmp_path / "out/clip.json")
        assert report.threshold.false_positive_rate == rate
        assert report.fake == bool(report.segments) == fake

    def test_a_rate_without_a_line_stops_the_run_before_any_report(self, lined, clip, tmp_path):
        result = self.run(clip, "--checkpoint", lined, "--fpr", 0.2, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.STOPPED
        assert (
            "no threshold for a false-positive rate of 0.2: choose from 0.01, 0.05" in result.stderr
        )
        assert not (tmp_path / "out").exists()

    def test_a_clip_that_was_judged_at_another_line_is_judged_again(self, lined, clip, tmp_path):
        command = (clip, "--checkpoint", lined, "-o", tmp_path / "out", "--resume")
        for rate, before in (("0.01", 0), ("0.01", 1), ("0.05", 0), ("0.05", 1)):
            result = self.run(*command, "--fpr", rate)
            assert result.stdout.startswith(f"{before} of 1 clips were evaluated before")

    def test_a_detector_that_knows_no_lines_says_so(self, clip, tmp_path):
        path = tmp_path / "stubborn.py"
        path.write_text(STUBBORN_FILE)
        plugins.load_file(path)
        result = self.run(clip, "--detector", "stubborn", "--fpr", 0.05)
        assert result.exit_code == _exit_codes.USAGE
        assert "this detector has no thresholds to choose from; leave out" in result.stderr


class TestOutput:
    def test_a_file_where_the_folder_should_be_stops_the_run_at_once(self, detect, clip, tmp_path):
        result = detect(clip, "-o", clip)
        assert result.exit_code == _exit_codes.STOPPED
        assert result.stderr == (
            f"error: cannot write to {clip}: File exists; choose another place (-o on the "
            "command line), or put that right and run the same again\n"
        )
        assert "score" not in result.stdout

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
    )
    def test_a_folder_that_may_not_be_written_to_stops_the_run_at_once(self, detect, clip):
        clip.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            result = detect(clip)
        finally:
            clip.parent.chmod(stat.S_IRWXU)
        assert result.exit_code == _exit_codes.STOPPED
        assert "Permission denied; choose another place (-o on the command line)" in result.stderr

    def test_a_read_only_disk_stops_the_run_at_once(self, detect, clip, monkeypatch):
        def refuse(**_):
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
        result = detect(clip)
        assert result.exit_code == _exit_codes.STOPPED
        assert f"cannot write to {clip.parent}: Read-only file system; choose" in result.stderr
        assert "score" not in result.stdout

    def test_a_full_disk_stops_the_run_and_leaves_no_half_report(
        self, detect, clip, tmp_path, touchy
    ):
        large = shutil.copy(clip, tmp_path / "large.mp4")
        out = tmp_path / "out"
        result = detect(clip, large, "-o", out, "--format", "json,touchy")
        assert result.exit_code == _exit_codes.STOPPED
        assert "large.x: No space left on device; choose another place" in result.stderr
        assert files(out) == ["clip.json", "clip.x", "large.json"]

    def test_a_writer_that_fails_on_one_clip_costs_that_report_alone(
        self, detect, clip, tmp_path, touchy, caplog
    ):
        cursed = shutil.copy(clip, tmp_path / "cursed.mp4")
        out = tmp_path / "out"
        result = detect(cursed, clip, "-o", out, "--format", "touchy,json")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "note: not written as touchy: ZeroDivisionError: a bug" in result.stdout
        assert files(out) == ["clip.json", "clip.x", "cursed.json"]
        assert any(isinstance(r.exc_info[1], ZeroDivisionError) for r in caplog.records)


class TestResume:
    @pytest.fixture
    def out(self, tmp_path):
        return tmp_path / "out"

    @pytest.fixture
    def evaluated_clips(self, monkeypatch):
        """Names of the clips that are evaluated, in order."""
        names = []
        detect = MmmsbaDetector.detect

        def spy(self, media, **options):
            names.append(Path(media).name)
            return detect(self, media, **options)

        monkeypatch.setattr(MmmsbaDetector, "detect", spy)
        return names

    def test_a_clip_that_was_judged_is_left_out(self, detect, clip, tmp_path, out, evaluated_clips):
        other = shutil.copy(clip, tmp_path / "other.mp4")
        detect(clip, "-o", out)
        before = (out / "clip.json").stat().st_mtime_ns
        result = detect(clip, other, "-o", out, "--resume")
        assert evaluated_clips == ["clip.mp4", "other.mp4"]
        assert result.exit_code == _exit_codes.OK
        assert result.stdout.startswith("1 of 2 clips were evaluated before\n")
        assert (out / "clip.json").stat().st_mtime_ns == before

    def test_without_it_all_are_judged_again(self, detect, clip, out, evaluated_clips):
        detect(clip, "-o", out)
        detect(clip, "-o", out)
        assert evaluated_clips == ["clip.mp4", "clip.mp4"]

    def test_a_report_that_is_missing_or_damaged_is_made_anew(
        self, detect, clip, out, evaluated_clips
    ):
        detect(clip, "-o", out)
        (out / "clip.html").unlink()
        detect(clip, "-o", out, "--resume")
        assert files(out) == ["clip.html", "clip.json"]
        (out / "clip.json").write_text("{")
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 3

    def test_other_bytes_under_the_same_name_are_judged(self, detect, clip, out, evaluated_clips):
        detect(clip, "-o", out)
        numbered_clip(clip, duration_s=0.6, click_at_s=0.1)
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 2

    def test_another_network_detects_again(self, detect, clip, out, evaluated_clips):
        detect(clip, "-o", out)
        report = json.loads((out / "clip.json").read_text())
        report["provenance"]["checkpoint_sha256"] = "0" * 64
        (out / "clip.json").write_text(json.dumps(report))
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 2

    def test_what_failed_is_tried_again_and_what_was_no_verdict_is_not(
        self, detect, tmp_path, out, evaluated_clips
    ):
        missing = tmp_path / "gone.mp4"
        nothing = numbered_clip(tmp_path / "still.mp4", duration_s=2.0, click_at_s=9.0)
        first = detect(missing, nothing, "-o", out)
        assert read(out / "still.json").status == "abstained"
        second = detect(missing, nothing, "-o", out, "--resume")
        assert evaluated_clips == ["gone.mp4", "still.mp4", "gone.mp4"]
        assert first.exit_code == second.exit_code == _exit_codes.NOT_EVALUATED

    def test_it_needs_the_reports_that_it_reads(self, detect, clip):
        result = detect(clip, "--resume", "--format", "html")
        assert result.exit_code == _exit_codes.USAGE
        assert "add json to --format" in result.stderr


SUFFIXES = ("json", "html")


def tags_of(page: str) -> list[tuple[str, dict[str, str]]]:
    """Return the tags of a page, as a browser would find them, with their attributes."""
    tags = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, {name: value or "" for name, value in attrs}))

    Parser().feed(page)
    return tags
