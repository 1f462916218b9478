"""Tests of the stills that are shown in place of files without frames."""

import pytest

from fiftyone_ops.dataset.stand_in import write_stand_in
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import probe

from ...clips import clicks


def test_a_still_lasts_as_long_as_the_audio_and_browsers_play_it(tmp_path):
    write_clip(tmp_path / "audio.m4a.mp4", [], fps_hz=25, audio=clicks(0.5, duration_s=3.0))
    write_stand_in(tmp_path / "audio.m4a.mp4", tmp_path / "still.mp4")
    media = probe(tmp_path / "still.mp4")
    assert (media.audio is not None, media.duration_s) == (True, pytest.approx(3, abs=0.1))
    assert glance(tmp_path / "still.mp4").why_not_played == ""


def test_of_what_cannot_be_read_it_is_silent(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    write_stand_in(tmp_path / "broken.mp4", tmp_path / "still.mp4")
    assert probe(tmp_path / "still.mp4").audio is None
