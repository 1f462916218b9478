"""Frames, read upright, no larger than asked, and at their true times."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader, fit_px, frame_at
from mmmsba_plugin.timebase import Grid

from .. import clips
from .streams import STAMP_TOLERANCE_S, SUFFIXES, frame_numbers


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_frame_at_a_moment_is_the_one_the_reader_yields(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.numbered_frames(120), fps_hz=25)
    media = probe(path)
    for frame in list(FrameReader(media))[::17]:
        shown_frame = frame_at(media, frame.pts_s + 0.01)
        assert shown_frame.pts_s == frame.pts_s
        assert clips.number_of(shown_frame.rgb) == clips.number_of(frame.rgb)


def test_the_first_and_last_frame_stand_for_moments_outside(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4"))
    assert clips.number_of(frame_at(media, -1.0).rgb) == 0
    assert clips.number_of(frame_at(media, 99.0).rgb) == 49


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_clip_recorded_lying_down_is_stood_up(tmp_path, quarter_turns):
    media = probe(clips.rotated_clip(tmp_path / "a.mp4", quarter_turns=quarter_turns))
    assert media.video.rotation_deg == 90 * quarter_turns
    assert (media.video.width_px, media.video.height_px) == (128, 96)
    frames = list(FrameReader(media))
    assert [clips.number_of(p.rgb) for p in frames] == list(range(10))
    assert frames[0].rgb.shape == (96, 128, 3)
    assert frames[0].rgb.flags.c_contiguous


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    media = probe(clips.stretched_clip(tmp_path / "a.mp4", pixel_aspect=Fraction(4, 3)))
    assert (media.video.width_px, media.video.height_px) == (128, 72)
    assert next(iter(FrameReader(media))).rgb.shape == (72, 128, 3)


def test_large_frames_are_scaled_down_while_decoding(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(3, width=512), fps_hz=25)
    frames = list(FrameReader(probe(path), max_short_side_px=100))
    assert {p.rgb.shape for p in frames} == {(100, 134, 3)}
    assert [clips.number_of(p.rgb) for p in frames] == [0, 1, 2]


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(64, 2000))
def test_scaling_never_enlarges_and_keeps_the_aspect(width, height, limit):
    new_width, new_height = fit_px(width, height, limit)
    if min(width, height) <= limit:
        assert (new_width, new_height) == (width, height)
        return
    assert new_width % 2 == new_height % 2 == 0
    # Rounding to an even number moves each side by one pixel at most.
    assert abs(min(new_width, new_height) - limit) <= 1
    scale = limit / min(width, height)
    assert abs(new_width - width * scale) <= 1
    assert abs(new_height - height * scale) <= 1


def test_frames_without_stamps_are_placed_one_period_apart(tmp_path):
    media = probe(clips.bare_video(tmp_path / "a.m2v", num_frames=10))
    times_s = [pts_s for pts_s, _ in frame_numbers(media)]
    assert times_s == pytest.approx([number / 25 for number in range(10)])


def test_a_clip_without_frames_yields_none(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [], fps_hz=25, audio=clips.clicks(0.5, duration_s=1.0))
    media = probe(path)
    assert media.video is None
    assert list(FrameReader(media)) == []
    with pytest.raises(MediaUnreadableError, match="has no frames; give a file with video"):
        frame_at(media, 0.5)


def test_a_single_frame_is_a_clip(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [clips.numbered(7)], fps_hz=25)
    assert frame_numbers(probe(path)) == [(0.0, 7)]


def test_a_reader_can_be_read_again(tmp_path):
    reader = FrameReader(probe(clips.clip(tmp_path / "a.mp4")))
    assert [p.pts_s for p in reader] == [p.pts_s for p in reader]


def test_frames_before_a_containers_zero_lie_before_the_first_that_has_a_stamp(tmp_path):
    """Matroska loses the stamps of H.264 below zero, and keeps those of audio."""
    clip = clips.clip(tmp_path / "a.mp4", duration_s=1.0)
    at_zero = probe(clips.copied(clip, tmp_path / "zero.mkv", muxer="matroska"))
    media = probe(clips.copied(clip, tmp_path / "below.mkv", muxer="matroska", late_s=-0.4))
    reader = FrameReader(media)
    frames = [(p.pts_s, clips.number_of(p.rgb)) for p in reader]
    assert [number for _, number in frames] == list(range(25))
    times_s = [pts_s for pts_s, _ in frame_numbers(at_zero)]
    assert [pts_s for pts_s, _ in frames] == pytest.approx(times_s, abs=STAMP_TOLERANCE_S)
    assert "10 of the frames have no time stamp" in reader.damage.warnings()[0]


@pytest.mark.parametrize(("fps_hz", "expected"), [(25, range(0, 50, 2)), (10, range(50))])
def test_of_frames_that_come_faster_than_wanted_those_between_are_left_out(
    tmp_path, fps_hz, expected
):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(50, fps_hz=fps_hz), fps_hz=fps_hz)
    frames = list(FrameReader(probe(path), max_fps_hz=12.5))
    assert [clips.number_of(frame.rgb) for frame in frames] == list(expected)
    assert [frame.pts_s for frame in frames] == pytest.approx([n / fps_hz for n in expected])


def test_each_cell_of_the_wanted_rate_has_a_frame_at_any_rate(tmp_path):
    path = tmp_path / "a.mp4"
    fps_hz = Fraction(30_000, 1001)
    write_clip(path, clips.numbered_frames(60, fps_hz=fps_hz), fps_hz=fps_hz)
    frames = list(FrameReader(probe(path), max_fps_hz=12.5))
    cells = Grid(stride_s=0.08).indices_at(np.array([frame.pts_s for frame in frames]))
    assert cells.tolist() == list(range(25))


def test_frames_without_stamps_are_left_out_by_the_same_rule(tmp_path):
    reader = FrameReader(
        probe(clips.bare_video(tmp_path / "a.m2v", num_frames=10)), max_fps_hz=12.5
    )
    assert [clips.number_of(frame.rgb) for frame in reader] == [0, 2, 4, 6, 8]
