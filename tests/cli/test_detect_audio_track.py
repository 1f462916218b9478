"""``mmmsba detect --audio-track``: which audio track of a clip is evaluated."""

import pytest

from mmmsba_plugin.cli import _exit_codes

from ..hostile_plugin import hostile_plugin
from .detect_files import read


@pytest.mark.parametrize("track", ["1", "all"])
def test_a_track_is_chosen_on_the_command_line(detect, clip, tmp_path, track):
    result = detect(clip, "--audio-track", track, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.OK
    report = read(tmp_path / "out" / "clip.json")
    assert report.media.audio.track == 1
    assert len(report.audio_tracks) == (track == "all")


def test_a_track_that_is_not_there_is_named_with_those_that_are(detect, clip, tmp_path):
    result = detect(clip, "--audio-track", 2, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.NOT_EVALUATED
    assert "cannot read audio track 2" in read(tmp_path / "out" / "clip.json").problem.message


@pytest.mark.parametrize("track", ["0", "-1", "first", "1.5", "", "9" * 30])
def test_what_is_no_track_is_refused(detect, clip, track):
    result = detect(clip, f"--audio-track={track}")
    assert result.exit_code == _exit_codes.USAGE
    assert "takes a number from 1, or all" in result.stderr


def test_a_detector_that_would_ignore_the_track_is_not_run(run, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a")
    result = run(
        *("--plugin", hostile_plugin(tmp_path), "detect", "--detector", "hostile"),
        *("--audio-track", 1, tmp_path / "a.mp4"),
    )
    assert result.exit_code == _exit_codes.USAGE
    assert "heeds audio_track" in result.stderr


def test_a_resumed_batch_leaves_out_reports_of_the_same_track_alone(detect, clip, tmp_path):
    for track, before in ((1, 0), (1, 1), ("all", 0), ("all", 1)):
        result = detect(clip, "--resume", "--audio-track", track, "-o", tmp_path / "out")
        assert result.stdout.startswith(f"{before} of 1 clips were evaluated before")
    assert detect(clip, "--resume", "-o", tmp_path / "out").stdout.startswith("0 of 1")
