"""The clips that a command line names: files, folders, patterns, and lists of names."""

import io
import os
import sys
from pathlib import Path

import pytest
from typer import BadParameter

from mmmsba_plugin.cli._clips import clips_of


@pytest.fixture
def tape(tmp_path, monkeypatch):
    """A folder of files, some of them videos, that is worked in."""
    for name in (
        *("b.mp4", "a.MKV", "notes.md", ".hidden.mp4", "deep/c.mov", "deep/er/d.webm"),
        *(".trash/e.mp4", "[red] one.mp4"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clips(*arguments):
    return [str(clip) for clip in clips_of([Path(argument) for argument in arguments])]


ALL = ["[red] one.mp4", "a.MKV", "b.mp4", "deep/c.mov", "deep/er/d.webm"]


def test_a_folder_stands_for_the_videos_in_it(tape):
    assert clips(".") == ALL
    assert clips(tape) == [f"{tape}/{name}" for name in ALL]


def test_a_folder_without_videos_stands_for_itself(tape):
    (tape / "empty").mkdir()
    assert clips("empty", "b.mp4") == ["empty", "b.mp4"]


def test_no_link_leads_round_in_circles(tape):
    (tape / "deep" / "up").symlink_to(tape)
    assert clips("deep") == ["deep/c.mov", "deep/er/d.webm"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.mp4", ["[red] one.mp4", "b.mp4"]),
        ("**/*.mov", ["deep/c.mov"]),
        ("de*", ["deep/c.mov", "deep/er/d.webm"]),
        ("*.avi", ["*.avi"]),
        ("[red] one.mp4", ["[red] one.mp4"]),
    ],
)
@pytest.mark.usefixtures("tape")
def test_a_pattern_stands_for_what_it_matches_and_a_name_for_itself(pattern, names):
    assert clips(pattern) == names


@pytest.mark.parametrize("content", [b"b.mp4\n\ngone.mp4\r\ndeep\n", b"b.mp4\0gone.mp4\0deep\0"])
def test_a_list_stands_for_what_it_names(tape, monkeypatch, content):
    videos = ["b.mp4", "gone.mp4", "deep/c.mov", "deep/er/d.webm"]
    (tape / "list.txt").write_bytes(content)
    (tape / "list").write_bytes(content)
    assert clips("list.txt") == clips("@list.txt") == clips("@list") == videos
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert clips("-") == videos


def test_a_name_in_a_list_need_not_be_unicode(tape):
    (tape / "list.txt").write_bytes(b"\xff.mp4\n")
    assert clips("list.txt") == [os.fsdecode(b"\xff.mp4")]


@pytest.mark.usefixtures("tape")
def test_a_list_that_is_not_there_is_a_wrong_command_line():
    with pytest.raises(BadParameter, match="cannot read the list gone"):
        clips("@gone")


def test_a_file_whose_name_begins_with_the_sign_of_a_list_is_a_file(tape):
    (tape / "@b.mp4").write_bytes(b"")
    assert clips("@b.mp4") == ["@b.mp4"]
