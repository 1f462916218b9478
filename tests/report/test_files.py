"""Names of reports: what an earlier run left of another clip is never replaced."""

import os
import runpy
from pathlib import Path

import pytest

from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.report.files import as_copy, claim_name, copies_of, report_names
from mmmsba_plugin.schema import Media, Problem, Report

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def clip(tmp_path):
    """Return a maker of clips called ``x.mp4``, each in a folder of its own."""

    def make(folder, content):
        path = tmp_path / folder / "x.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return make


def name_of(clip, out):
    return report_names([clip], out)[clip].name


def report(clip, out):
    """Leave a report of a clip, as a run would."""
    leave(report_of(clip), out / f"{name_of(clip, out)}.json")


def report_of(clip):
    media = Media(path=str(clip), size_bytes=clip.stat().st_size, sha256=sha256_of(clip))
    return REPORT.model_copy(update={"media": media})


def leave(content, path):
    path.write_text(content.model_dump_json(), encoding="utf-8")


def test_a_clip_of_the_same_name_in_another_folder_gets_another_name(clip, out):
    first, second, third = clip("a", b"one"), clip("b", b"two"), clip("c", b"one")
    report(first, out)
    assert name_of(second, out) == "x.mp4"
    report(second, out)
    assert name_of(third, out) == "x.mp4-2"
    # Each keeps its own, whatever the order.
    assert [name.name for name in report_names([second, first], out).values()] == ["x.mp4", "x"]


def test_names_from_two_working_folders_are_told_apart_by_bytes(clip, out, monkeypatch):
    first, second = clip("a", b"one"), clip("b", b"two")
    monkeypatch.chdir(first.parent)
    report(Path("x.mp4"), out)
    assert name_of(Path("x.mp4"), out) == "x"
    monkeypatch.chdir(second.parent)
    assert name_of(Path("x.mp4"), out) == "x.mp4"


def test_a_clip_that_changed_keeps_its_name(clip, out):
    report(clip("a", b"before"), out)
    assert name_of(clip("a", b"after"), out) == "x"


def test_a_clip_that_was_moved_keeps_its_name(clip, out):
    first = clip("a", b"one")
    report(first, out)
    first.unlink()
    assert name_of(clip("b", b"one"), out) == "x"
    assert name_of(clip("b", b"two"), out) == "x.mp4"


@pytest.mark.parametrize("path", ["/nowhere/x.mp4", "nowhere/x.mp4"])
def test_a_report_that_a_clip_is_missing_is_replaced_by_that_of_the_same_path(clip, out, path):
    problem = Problem(kind="MediaNotFoundError", message="no such file; is the path right?")
    missing = Report(
        status="error", media=Media(path=path), problem=problem, provenance=REPORT.provenance
    )
    leave(missing, out / "x.json")
    assert name_of(Path(path), out) == "x"
    assert name_of(clip("a", b"one"), out) == "x.mp4"


@pytest.mark.parametrize(("content", "name"), [("notes", "x.mp4"), ("{}", "x.mp4"), ("", "x")])
def test_what_is_no_report_is_left_alone_unless_it_is_empty(clip, out, content, name):
    (out / "x.json").write_text(content)
    assert name_of(clip("a", b"one"), out) == name


def test_where_no_folder_is_names_are_given_all_the_same(tmp_path, clip):
    (tmp_path / "file").write_text("")
    for folder in ("file", "missing"):
        assert name_of(clip("a", b"one"), tmp_path / folder) == "x"


def test_what_is_no_file_is_neither_read_nor_replaced(clip, out):
    os.mkfifo(out / "x.json")
    (out / "x.mp4.json").mkdir()
    assert name_of(clip("a", b"one"), out) == "x.mp4-2"


def test_of_two_runs_that_chose_one_name_the_second_takes_the_next(clip, out):
    first, second = clip("a", b"one"), clip("b", b"two")
    # Both are named before either has written.
    names = [report_names([path], out) for path in (first, second)]
    assert names[0][first] == names[1][second]
    texts = {path: report_of(path).model_dump_json() for path in (first, second)}
    assert claim_name(texts[first], first, names[0], out).name == "x"
    assert claim_name(texts[second], second, names[1], out).name == "x.mp4"
    assert Report.model_validate_json((out / "x.json").read_bytes()).media.path == str(first)
    assert claim_name(texts[first], first, names[0], out).name == "x"


def test_a_name_that_is_taken_at_the_last_moment_is_left(clip, out, monkeypatch):
    first, second = clip("a", b"one"), clip("b", b"two")
    names = report_names([second], out)
    link = Path.hardlink_to

    def late(self, target):
        monkeypatch.setattr(Path, "hardlink_to", link)
        leave(report_of(first), self)
        link(self, target)

    monkeypatch.setattr(Path, "hardlink_to", late)
    assert claim_name("{}", second, names, out).name == "x.mp4"
    assert Report.model_validate_json((out / "x.json").read_bytes()).media.path == str(first)


def test_clips_of_the_same_bytes_are_copies_of_the_first(clip):
    first, other, copy, far = (
        clip(folder, content)
        for folder, content in (("a", b"one"), ("b", b"two"), ("c", b"one"), ("d", b"longer"))
    )
    missing = Path("gone.mp4")
    clips = [first, other, copy, missing, far]
    assert copies_of(clips) == {first: [copy], other: [], missing: [], far: []}


def test_the_report_of_a_copy_names_its_original(clip):
    first, copy = clip("a", b"one"), clip("b", b"one")
    report = as_copy(report_of(first), copy)
    assert report.media.path == str(copy)
    assert report.warnings[0] == f"its bytes are those of {first}, and were evaluated there"
