"""Frame index of a file, read from its packets."""

import numpy as np
import pytest

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media.container import open_media
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.frame_index import glance, stated_zero_s
from mmmsba_plugin.media.probe import probe

from .. import clips
from .streams import SUFFIXES, frame_numbers


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_index_agrees_with_a_probe_and_with_the_frames_that_are_read(tmp_path, suffix):
    path = clips.clip(tmp_path / f"a.{suffix}")
    index, media = glance(path), probe(path)
    assert (index.width_px, index.height_px) == (media.video.width_px, media.video.height_px)
    assert (index.video_codec, index.audio_codec) == (media.video.codec, media.audio.codec)
    assert (index.container, index.size_bytes) == (media.container, media.size_bytes)
    assert index.num_frames == 50
    assert index.fps_hz == pytest.approx(25, rel=1e-3)
    times_s = [pts_s for pts_s, _ in frame_numbers(media)]
    np.testing.assert_allclose(index.from_zero(media.zero_s).starts_s, times_s, atol=1e-3)


def test_times_count_from_the_zero_that_the_file_states(tmp_path):
    frames = clips.numbered_frames(20, start_s=0.72)
    path = tmp_path / "a.mkv"
    write_clip(path, frames, fps_hz=25, audio=clips.clicks(1.0, duration_s=2.0))
    index = glance(path)
    assert index.from_zero().starts_s[0] == pytest.approx(0.72, abs=1e-3)
    assert index.duration_s == pytest.approx(0.8, abs=1e-3)
    with open_media(path) as container:
        assert stated_zero_s(container) == index.zero_s


@pytest.mark.parametrize(
    ("suffix", "settings", "reason"),
    [
        ("mp4", {}, ""),
        ("webm", {}, ""),
        ("mp4", {"video_codec": "mpeg4"}, "frames coded as mpeg4"),
        ("mkv", {"audio_codec": "mp2"}, "audio coded as mp2"),
        ("avi", {"video_codec": "libx264"}, "no browser opens avi files"),
    ],
)
def test_a_file_that_no_browser_plays_has_a_reason(tmp_path, suffix, settings, reason):
    index = glance(clips.clip(tmp_path / f"a.{suffix}", **settings))
    assert reason in index.why_not_played
    assert bool(index.why_not_played) == bool(reason)


def test_a_file_without_frames_has_no_index(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [], fps_hz=25, audio=clips.clicks(0.5, duration_s=1.0))
    with pytest.raises(MediaUnreadableError, match="that can be decoded; give a video"):
        glance(path)
    with pytest.raises(MediaNotFoundError, match="there is no file at"):
        glance(tmp_path / "none.mp4")


def test_frames_without_a_decoder_have_no_index(tmp_path):
    whole = clips.clip(tmp_path / "a.mkv")
    path = clips.with_unknown_codec(whole, tmp_path / "b.mkv", codec_id=b"V_MPEG4/ISO/AVC")
    with pytest.raises(MediaUnreadableError, match=r"b\.mkv holds no frames .* or convert it"):
        glance(path)


def test_audio_without_a_decoder_leaves_the_index_of_the_frames(tmp_path):
    whole = clips.clip(tmp_path / "a.mkv")
    index = glance(clips.with_unknown_codec(whole, tmp_path / "b.mkv", codec_id=b"A_AAC"))
    assert (index.num_frames, index.audio_codec, index.sample_rate_hz) == (50, None, None)


def test_frames_of_a_changing_rate_keep_their_times(tmp_path):
    path, times_s = tmp_path / "vfr.mp4", [0.0, 0.1, 0.2, 0.3, 0.7, 0.8, 1.4, 1.5]
    write_clip(path, clips.frames_at(times_s), fps_hz=10)
    clock = glance(path).from_zero(0.0)
    assert not clock.is_steady
    np.testing.assert_allclose(clock.starts_s, times_s, atol=1e-3)
    assert clock.frame_numbers(0.65, 0.75) == (4, 5)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_zero_is_that_of_a_probe_where_audio_starts_late(tmp_path, suffix):
    path = clips.clip(tmp_path / f"a.{suffix}", audio_start_s=0.5)
    # What an encoder of audio puts in front is told apart only by decoding.
    assert glance(path).zero_s == pytest.approx(probe(path).zero_s, abs=0.03)
