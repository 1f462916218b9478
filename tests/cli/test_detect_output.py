"""``mmmsba detect``: its text, its page, and reports that cannot be written."""

import errno
import os
import shutil
import stat
import sys
import tempfile
from html.parser import HTMLParser

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets.lavdf import read_lavdf

from .detect_files import files, read, reports

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
    yield Writer(name="unreliable", suffix=".x", summary="Fails now and then.", write=write)
"""


@pytest.fixture
def unreliable(tmp_path):
    """A plug-in with that writer."""
    path = tmp_path / "unreliable.py"
    path.write_text(WRITER_FILE)
    plugins.load_file(path)


def tags_of(page: str) -> list[tuple[str, dict[str, str]]]:
    """Return the tags of a page, as a browser would find them, with their attributes."""
    tags = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, {name: value or "" for name, value in attrs}))

    Parser().feed(page)
    return tags


class TestText:
    def test_markup_in_a_name_stays_text(self, detect, clip, tmp_path):
        hostile = clip.rename(tmp_path / "[red]<img src=x onerror=alert(1)>\x1b[2J.mp4")
        result = detect(hostile, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert "[red]<img src=x onerror=alert(1)>\\x1b[2J.mp4: " in result.stdout
        page = next((tmp_path / "out").glob("*.html")).read_text()
        assert not [tag for tag, names in tags_of(page) if "onerror" in names]

    def test_modalities_that_were_not_evaluated_are_printed(self, detect, clip, tmp_path):
        output = detect(clip, "-o", tmp_path / "out").stdout
        assert "face not evaluated: no face" in output
        assert "lips not evaluated: no face" in output
        assert "audio not evaluated" not in output

    def test_the_report_is_printed_in_short(self, detect, talking_head_dataset, tmp_path):
        fake = next(record.media for record in read_lavdf(talking_head_dataset) if record.fake)
        lines = detect(fake, "-o", tmp_path, "--format", "json").stdout.splitlines()
        report = read(tmp_path / f"{fake.stem}.json")
        verdict = "flagged as fake" if report.fake else "not flagged as fake"
        assert lines[0].startswith(
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
        self, detect, clip, tmp_path, unreliable
    ):
        large = shutil.copy(clip, tmp_path / "large.mp4")
        out = tmp_path / "out"
        result = detect(clip, large, "-o", out, "--format", "json,unreliable")
        assert result.exit_code == _exit_codes.STOPPED
        assert "large.x: No space left on device; choose another place" in result.stderr
        assert files(out) == ["clip.json", "clip.x", "large.json"]

    def test_a_writer_that_fails_on_one_clip_costs_that_report_alone(
        self, detect, clip, tmp_path, unreliable, caplog
    ):
        cursed = shutil.copy(clip, tmp_path / "cursed.mp4")
        out = tmp_path / "out"
        result = detect(cursed, clip, "-o", out, "--format", "unreliable,json")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "note: not written as unreliable: ZeroDivisionError: a bug" in result.stdout
        assert reports(out) == ["clip.json", "clip.x", "cursed.json"]
        assert any(isinstance(r.exc_info[1], ZeroDivisionError) for r in caplog.records)
