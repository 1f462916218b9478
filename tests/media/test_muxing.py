"""Streams that are written: late starts and odd sizes."""

from fractions import Fraction

import pytest

from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe

from .. import clips
from .streams import CLICK_TOLERANCE_S, STAMP_TOLERANCE_S, STAMPED, SUFFIXES, frame_numbers


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_audio_that_starts_late_stays_late(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    audio = clips.clicks(1.0, duration_s=1.5)
    write_clip(path, clips.numbered_frames(50), fps_hz=25, audio=audio, audio_start_s=0.44)
    media = probe(path)
    assert frame_numbers(media)[0] == (0.0, 0)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.44, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize("suffix", [*STAMPED, "mpg"])
def test_frames_that_start_late_stay_late(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    frames = clips.numbered_frames(20, start_s=0.72)
    write_clip(path, frames, fps_hz=25, audio=clips.clicks(1.0, duration_s=2.0))
    media = probe(path)
    assert media.audio.start_s == 0.0
    assert media.video.start_s == pytest.approx(0.72, abs=STAMP_TOLERANCE_S)
    assert frame_numbers(media)[0] == (pytest.approx(0.72, abs=STAMP_TOLERANCE_S), 0)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


def test_an_odd_last_row_and_column_are_cut_off(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [clips.numbered(5, width=129, height=97)], fps_hz=Fraction(30_000, 1001))
    assert (probe(path).video.width_px, probe(path).video.height_px) == (128, 96)
