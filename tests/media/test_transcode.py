"""Copies that every browser plays, and segments that are cut out."""

import numpy as np
import pytest

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.transcode import cut, write_proxy
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import s_to_samples

from .. import clips
from .streams import CLICK_TOLERANCE_S, STAMP_TOLERANCE_S, frame_numbers


def test_a_proxy_plays_in_a_browser_and_keeps_frames_and_audio_in_place(tmp_path):
    old = clips.clip(tmp_path / "old.avi", click_at_s=1.2)
    assert glance(old).why_not_played
    write_proxy(old, tmp_path / "new.mp4")
    media = probe(tmp_path / "new.mp4")
    assert glance(media.path).why_not_played == ""
    for (pts_s, number), (old_s, old_number) in zip(
        frame_numbers(media), frame_numbers(probe(old)), strict=True
    ):
        assert pts_s == pytest.approx(old_s, abs=STAMP_TOLERANCE_S)
        assert number == old_number
    assert clips.click_s(read_audio(media)) == pytest.approx(1.2, abs=CLICK_TOLERANCE_S)


def test_a_proxy_is_scaled_down_and_silent_where_there_is_no_audio(tmp_path):
    write_clip(tmp_path / "a.mp4", clips.numbered_frames(3, width=512), fps_hz=25)
    write_proxy(tmp_path / "a.mp4", tmp_path / "b.mp4", max_short_side_px=100)
    media = probe(tmp_path / "b.mp4")
    assert (media.video.width_px, media.video.height_px) == (134, 100)
    assert media.audio is None
    with pytest.raises(MediaNotFoundError, match="there is no file at"):
        write_proxy(tmp_path / "none.mp4", tmp_path / "c.mp4")


def test_a_segment_becomes_a_clip_that_starts_with_it(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4", click_at_s=1.2))
    cut(media, Segment(0.8, 1.6), tmp_path / "b.mp4")
    part_of_clip = probe(tmp_path / "b.mp4")
    frames = frame_numbers(part_of_clip)
    assert [number for _, number in frames] == list(range(20, 40))
    assert [pts_s for pts_s, _ in frames] == pytest.approx(
        [i / 25 for i in range(20)], abs=STAMP_TOLERANCE_S
    )
    assert clips.click_s(read_audio(part_of_clip)) == pytest.approx(0.4, abs=CLICK_TOLERANCE_S)


def test_lossless_segments_have_the_same_frames_and_samples_where_they_overlap(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4", click_at_s=1.2))
    cut(media, Segment(0.0, 1.6), tmp_path / "long.mkv", lossless=True)
    cut(media, Segment(0.8, 1.6), tmp_path / "short.mkv", lossless=True)
    long, short = probe(tmp_path / "long.mkv"), probe(tmp_path / "short.mkv")
    frames = [frame.rgb for frame in FrameReader(long) if frame.pts_s >= 0.8]
    np.testing.assert_array_equal([frame.rgb for frame in FrameReader(short)], frames)
    since = s_to_samples(0.8, 16_000)
    np.testing.assert_array_equal(read_audio(short).samples, read_audio(long).samples[since:])


def test_a_segment_behind_the_end_of_the_audio_is_refused(tmp_path):
    write_clip(tmp_path / "a.mp4", [], fps_hz=25, audio=clips.clicks(0.5, duration_s=1.0))
    media = probe(tmp_path / "a.mp4")
    cut(media, Segment(0.2, 0.8), tmp_path / "b.mp4")
    assert clips.click_s(read_audio(probe(tmp_path / "b.mp4"))) == pytest.approx(
        0.3, abs=CLICK_TOLERANCE_S
    )
    with pytest.raises(MediaUnreadableError, match="nothing is seen or heard in"):
        cut(media, Segment(3.0, 4.0), tmp_path / "c.mp4")
