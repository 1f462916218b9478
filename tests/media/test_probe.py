"""Streams of a file, and where its zero lies."""

import csv
import hashlib
from pathlib import Path

import pytest

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.probe import probe, stated_duration_s
from mmmsba_plugin.media.video import FrameReader

from .. import clips
from .streams import CLICK_TOLERANCE_S, frame_numbers


def test_zero_is_where_the_first_stream_begins_and_not_the_containers_zero(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mpg"))
    assert media.zero_s >= 0.5  # a program stream of this muxer starts half a second in
    assert media.video.start_s == media.audio.start_s == 0.0


def test_a_cover_frame_is_not_a_video(tmp_path):
    media = probe(clips.with_cover(clips.clicks(0.5, duration_s=1.0), tmp_path / "a.mp3"))
    assert media.video is None
    assert media.audio.codec == "mp3"
    assert clips.click_s(read_audio(media)) == pytest.approx(0.5, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize(("suffix", "muxer"), [("webm", "webm"), ("mkv", "matroska")])
def test_a_recording_that_never_learned_its_length_gets_one(tmp_path, suffix, muxer):
    whole = clips.clip(tmp_path / f"a.{suffix}")
    media = probe(clips.streamed(whole, tmp_path / f"b.{suffix}", muxer=muxer))
    assert media.duration_s == pytest.approx(2.0, abs=0.072)


def test_a_header_states_how_long_the_file_lasts_or_nothing(tmp_path):
    assert stated_duration_s(clips.clip(tmp_path / "a.mp4")) == pytest.approx(2.0, abs=0.1)
    bare = clips.bare_video(tmp_path / "a.m2v", num_frames=25)
    assert stated_duration_s(bare) is None


def test_a_probe_names_the_file_by_its_hash(tmp_path):
    path = clips.clip(tmp_path / "a.mp4")
    media = probe(path)
    assert media.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert media.size_bytes == path.stat().st_size
    assert probe(path, with_hash=False).sha256 is None
    assert (media.video.codec, media.audio.codec) == ("h264", "aac")
    assert (media.video.fps_hz, media.audio.sample_rate_hz) == (25.0, 16_000)


@pytest.mark.needs_shared
def test_real_clips_last_as_long_as_their_catalogue_says(shared: Path):
    with (shared / "footage/catalog.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        media = probe(shared / "footage" / row["file"], with_hash=False)
        # The catalogue gives the length of the frame, rounded to a millisecond.
        assert media.video.duration_s == pytest.approx(float(row["duration_s"]), abs=0.002)
        assert media.duration_s >= media.video.duration_s - 1e-6


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "num_frames", "end_s"),
    [
        ("formats/grid_bbaf2n.mpg", 75, 3.0),
        ("formats/lrs2_00001.mp4", 120, 4.8),
        ("formats/vrt_1.mp4", 135, 6.133),
        ("formats/syncnet_offset_5.avi", 317, 12.96),
    ],
)
def test_real_originals_are_read_whole(shared: Path, name, num_frames, end_s):
    media = probe(shared / "footage" / name)
    frames, audio = FrameReader(media), AudioReader(media)
    assert sum(1 for _ in frames) == num_frames
    assert media.duration_s == pytest.approx(end_s, abs=0.001)
    audio_s = sum(block.samples.size for block in audio) / 16_000
    # The last packet of audio may be missing or reach beyond the frame.
    assert audio_s == pytest.approx(end_s, abs=0.05)
    assert frames.damage.warnings() == audio.damage.warnings() == ()


def test_a_stream_without_a_decoder_is_as_none(tmp_path):
    whole = clips.clip(tmp_path / "a.mkv")
    silent = clips.with_unknown_codec(whole, tmp_path / "b.mkv", codec_id=b"A_AAC")
    assert probe(silent).audio is None
    assert len(frame_numbers(probe(silent))) == 50
    neither = clips.with_unknown_codec(silent, tmp_path / "c.mkv", codec_id=b"V_MPEG4/ISO/AVC")
    with pytest.raises(MediaUnreadableError, match=r"nothing in .* can be decoded, .* convert it"):
        probe(neither)
