"""``mmmsba detect --face-track``: which face of a clip is evaluated."""

import pytest

from mmmsba_plugin.cli import _exit_codes

from .detect_files import read


@pytest.mark.parametrize("track", ["main", "all"])
def test_a_face_is_chosen_on_the_command_line(detect, clip, tmp_path, track):
    result = detect(clip, "--face-track", track, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.OK
    report = read(tmp_path / "out" / "clip.json")
    assert report.provenance.config["face_track"] == track


def test_a_face_that_is_not_there_is_an_error(detect, clip, tmp_path):
    result = detect(clip, "--face-track", 2, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.NOT_EVALUATED
    assert "has no face track 2" in read(tmp_path / "out" / "clip.json").problem.message


@pytest.mark.parametrize("track", ["0", "-1", "largest", "1.5", "", "9" * 30])
def test_what_is_no_face_is_refused(detect, clip, track):
    result = detect(clip, f"--face-track={track}")
    assert result.exit_code == _exit_codes.USAGE
    assert "takes a number from 1, or main or all" in result.stderr


def test_a_resumed_batch_leaves_out_reports_of_the_same_face_alone(detect, clip, tmp_path):
    for track, before in (("main", 0), ("main", 1), ("all", 0)):
        result = detect(clip, "--resume", "--face-track", track, "-o", tmp_path / "out")
        assert result.stdout.startswith(f"{before} of 1 clips were evaluated before")
