"""What is seen and heard is placed where it belongs, and what is broken is told."""

import csv
import hashlib
import os
import wave
import weakref
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ConfigError, MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media import packets
from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader, fit_px, frame_at
from mmmsba_plugin.structures import Frame

from .. import clips

SUFFIXES = ("mp4", "mov", "mkv", "webm", "avi", "mpg")

#: Containers that keep any time stamp; the others have frames at a constant rate.
STAMPED = ("mp4", "mov", "mkv", "webm")

#: Matroska rounds time stamps to a millisecond; the others are finer.
STAMP_TOLERANCE_S = 0.001

#: A click is found to a sample, and a codec's filters move it by a few.
CLICK_TOLERANCE_S = 0.002


def seen(media):
    """Return the time of each frame and the number that it shows."""
    return [(p.pts_s, clips.number_of(p.rgb)) for p in FrameReader(media)]


# --- true times -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_container_keeps_frames_and_audio_in_place(tmp_path, suffix):
    media = probe(clips.clip(tmp_path / f"a.{suffix}", click_at_s=1.2))
    frames = seen(media)
    assert [number for _, number in frames] == list(range(50))
    for pts_s, number in frames:
        assert pts_s == pytest.approx(number / 25, abs=STAMP_TOLERANCE_S)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.2, abs=CLICK_TOLERANCE_S)
    # A codec's last packet may reach beyond the end by its length, 72 ms at 16 kHz.
    assert media.duration_s == pytest.approx(2.0, abs=0.072)
    assert FrameReader(media).damage.warnings() == ()


@pytest.mark.parametrize(
    ("suffix", "audio_codec"),
    [("mov", "pcm_s16le"), ("avi", "pcm_s16le"), ("mkv", "libopus"), ("mkv", "flac")],
)
def test_a_click_is_heard_when_it_was_made_by_other_codecs_too(tmp_path, suffix, audio_codec):
    media = probe(clips.clip(tmp_path / f"a.{suffix}", audio_codec=audio_codec))
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_resampling_does_not_move_a_click(tmp_path, rate_hz):
    path = tmp_path / "a.mp4"
    audio = clips.clicks(0.5, duration_s=1.0, sample_rate_hz=rate_hz)
    write_clip(path, [], fps_hz=25, audio=audio, sample_rate_hz=rate_hz)
    assert clips.click_s(read_audio(probe(path))) == pytest.approx(0.5, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize("suffix", STAMPED)
def test_a_variable_frame_rate_is_kept(tmp_path, suffix):
    times_s = [0.0, 0.04, 0.08, 0.24, 0.28, 0.6, 0.64, 0.9, 1.0]
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.frames_at(times_s), fps_hz=25)
    media = probe(path)
    assert [pts_s for pts_s, _ in seen(media)] == pytest.approx(times_s, abs=STAMP_TOLERANCE_S)
    # The header of an mp4 with such frames states 0.76 s; its packets say otherwise.
    assert media.duration_s == pytest.approx(1.04, abs=STAMP_TOLERANCE_S)


@pytest.mark.parametrize("suffix", ["avi", "mpg"])
def test_a_container_of_constant_rate_repeats_frames_instead(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.frames_at([0.0, 0.04, 0.2, 0.24]), fps_hz=25)
    assert [number for _, number in seen(probe(path))] == [0, 1, 1, 1, 1, 2, 3]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_audio_that_starts_late_stays_late(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    audio = clips.clicks(1.0, duration_s=1.5)
    write_clip(path, clips.numbered_frames(50), fps_hz=25, audio=audio, audio_start_s=0.44)
    media = probe(path)
    assert seen(media)[0] == (0.0, 0)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.44, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize("suffix", [*STAMPED, "mpg"])
def test_frames_that_start_late_stay_late(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    frames = clips.numbered_frames(20, start_s=0.72)
    write_clip(path, frames, fps_hz=25, audio=clips.clicks(1.0, duration_s=2.0))
    media = probe(path)
    assert media.audio.start_s == 0.0
    assert media.video.start_s == pytest.approx(0.72, abs=STAMP_TOLERANCE_S)
    assert seen(media)[0] == (pytest.approx(0.72, abs=STAMP_TOLERANCE_S), 0)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


def test_zero_is_where_the_first_stream_begins_and_not_the_containers_zero(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mpg"))
    assert media.zero_s >= 0.5  # a program stream of this muxer starts half a second in
    assert media.video.start_s == media.audio.start_s == 0.0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_frame_at_a_moment_is_the_one_the_reader_yields(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.numbered_frames(120), fps_hz=25)
    media = probe(path)
    for frame in list(FrameReader(media))[::17]:
        found = frame_at(media, frame.pts_s + 0.01)
        assert found.pts_s == frame.pts_s
        assert clips.number_of(found.rgb) == clips.number_of(frame.rgb)


def test_the_first_and_last_frame_stand_for_moments_outside(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4"))
    assert clips.number_of(frame_at(media, -1.0).rgb) == 0
    assert clips.number_of(frame_at(media, 99.0).rgb) == 49


# --- upright, and no larger than asked ------------------------------------------------------


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


# --- audio ----------------------------------------------------------------------------------


def test_blocks_of_audio_follow_each_other_without_a_gap(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4"))
    blocks = list(AudioReader(media, block_s=0.25))
    assert {b.samples.size for b in blocks[:-1]} == {4_000}
    assert {b.samples.dtype for b in blocks} == {np.dtype(np.float32)}
    for before, after in pairwise(blocks):
        end_s = before.start_s + before.samples.size / 16_000
        assert after.start_s == pytest.approx(end_s, abs=1e-9)


def test_a_gap_in_the_audio_starts_a_new_block_at_its_true_time(tmp_path):
    whole = clips.clip(tmp_path / "a.mp4", click_at_s=1.5)
    # Ten AAC packets are 0.64 s; the first packet is priming.
    lost = clips.without_packets(
        whole, tmp_path / "b.mp4", kind="audio", lost=range(6, 16), muxer="mp4"
    )
    media = probe(lost)
    starts_s = [block.start_s for block in AudioReader(media, block_s=10.0)]
    assert starts_s == pytest.approx([0.0, 15 * 1024 / 16_000], abs=STAMP_TOLERANCE_S)
    audio = read_audio(media)
    assert clips.click_s(audio) == pytest.approx(1.5, abs=CLICK_TOLERANCE_S)
    assert not audio.samples[6_500:14_000].any()


def test_one_lost_packet_of_audio_does_not_shift_the_rest(tmp_path):
    path = tmp_path / "a.mp4"
    # At 48 kHz a packet lasts 21 ms: less than what stamps may stray, so its loss must be
    # noticed by itself.
    audio = clips.clicks(1.5, duration_s=2.0, sample_rate_hz=48_000)
    write_clip(path, [], fps_hz=25, audio=audio, sample_rate_hz=48_000)
    broken = clips.with_broken_packet(path, tmp_path / "b.mp4", kind="audio", index=20)
    reader = AudioReader(probe(broken), block_s=10.0)
    blocks = list(reader)
    assert reader.damage.errors == 1
    assert reader.damage.warnings() == (
        "1 of the packets of the audio could not be decoded; scores near them are unsure",
    )
    assert len(blocks) == 2
    assert clips.click_s(blocks[1]) == pytest.approx(1.5, abs=CLICK_TOLERANCE_S)


def test_a_voice_on_both_channels_keeps_its_level(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full((16_000, 2), 16_384, dtype="<i2").tobytes())
    media = probe(path)
    assert media.audio.channels == 2
    assert read_audio(media).samples[8_000] == pytest.approx(0.5, abs=1e-4)  # 16-bit steps


# --- damage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "share"), [("mp4", 0.8), ("mkv", 0.6)])
def test_a_file_that_was_cut_off_gives_what_it_has_and_says_so(tmp_path, suffix, share):
    whole = clips.clip(tmp_path / f"a.{suffix}", duration_s=4.0, click_at_s=1.0)
    media = probe(clips.truncated(whole, tmp_path / f"b.{suffix}", share=share))
    reader = FrameReader(media)
    frames = [(p.pts_s, clips.number_of(p.rgb)) for p in reader]
    for pts_s, number in frames:
        assert pts_s == pytest.approx(number / 25, abs=STAMP_TOLERANCE_S)
    assert 20 < len(frames) < 90
    assert reader.damage.truncated
    assert reader.damage.warnings()[-1].startswith("the file ends at 0:0")
    assert reader.damage.warnings()[-1].endswith(
        f"though it says it lasts until 0:{media.duration_s:05.2f}; it was cut off, so copy it "
        "again in full"
    )
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


def test_a_stream_that_ends_early_in_a_whole_file_is_not_called_cut_off(tmp_path):
    path = tmp_path / "a.mkv"
    audio = clips.clicks(0.5, duration_s=4.0)
    write_clip(path, clips.numbered_frames(25), fps_hz=25, audio=audio)
    reader = FrameReader(probe(path))
    assert len(list(reader)) == 25
    assert not reader.damage.truncated


def test_flipped_bytes_are_counted_and_the_rest_is_read(tmp_path):
    whole = clips.clip(tmp_path / "a.mp4", duration_s=4.0)
    media = probe(clips.flipped(whole, tmp_path / "b.mp4", num_bytes=20))
    reader = FrameReader(media)
    num_frames = len(list(reader))
    assert 60 < num_frames <= 100
    assert reader.damage.errors + reader.damage.corrupt > 0
    assert any("could not be decoded" in w or "are damaged" in w for w in reader.damage.warnings())


def test_frames_whose_stamps_jump_back_are_left_out_and_counted(tmp_path):
    one = clips.clip(tmp_path / "a.mpg").read_bytes()
    twice = tmp_path / "b.mpg"
    twice.write_bytes(one + one)
    reader = FrameReader(probe(twice))
    times_s = [frame.pts_s for frame in reader]
    assert all(before < after for before, after in pairwise(times_s))
    assert reader.damage.misplaced == 50
    assert reader.damage.warnings() == (
        "50 of the frames have a wrong time stamp and were left out; scores near them are unsure",
    )


def test_frames_without_stamps_are_placed_one_period_apart(tmp_path):
    media = probe(clips.bare_video(tmp_path / "a.m2v", num_frames=10))
    times_s = [pts_s for pts_s, _ in seen(media)]
    assert times_s == pytest.approx([number / 25 for number in range(10)])


# --- what there is --------------------------------------------------------------------------


def test_a_clip_without_audio_is_read_as_silence(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(25), fps_hz=25)
    media = probe(path)
    assert media.audio is None
    assert list(AudioReader(media)) == []
    assert read_audio(media).samples.shape == (16_000,)
    assert not read_audio(media).samples.any()


def test_a_clip_without_frames_yields_none(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [], fps_hz=25, audio=clips.clicks(0.5, duration_s=1.0))
    media = probe(path)
    assert media.video is None
    assert list(FrameReader(media)) == []
    with pytest.raises(MediaUnreadableError, match="has no frames; give a file with video"):
        frame_at(media, 0.5)


def test_a_cover_frame_is_not_a_video(tmp_path):
    media = probe(clips.with_cover(clips.clicks(0.5, duration_s=1.0), tmp_path / "a.mp3"))
    assert media.video is None
    assert media.audio.codec == "mp3"
    assert clips.click_s(read_audio(media)) == pytest.approx(0.5, abs=CLICK_TOLERANCE_S)


def test_a_single_frame_is_a_clip(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [clips.numbered(7)], fps_hz=25)
    assert seen(probe(path)) == [(0.0, 7)]


@pytest.mark.parametrize(("suffix", "muxer"), [("webm", "webm"), ("mkv", "matroska")])
def test_a_recording_that_never_learned_its_length_gets_one(tmp_path, suffix, muxer):
    whole = clips.clip(tmp_path / f"a.{suffix}")
    media = probe(clips.streamed(whole, tmp_path / f"b.{suffix}", muxer=muxer))
    assert media.duration_s == pytest.approx(2.0, abs=0.072)


def test_a_probe_names_the_file_by_its_hash(tmp_path):
    path = clips.clip(tmp_path / "a.mp4")
    media = probe(path)
    assert media.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert media.size_bytes == path.stat().st_size
    assert probe(path, with_hash=False).sha256 is None
    assert (media.video.codec, media.audio.codec) == ("h264", "aac")
    assert (media.video.fps_hz, media.audio.sample_rate_hz) == (25.0, 16_000)


def test_a_colon_in_a_name_is_not_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips.clip(tmp_path / "a.mp4").rename("clip:1.mp4")
    assert len(seen(probe("clip:1.mp4"))) == 50


def test_a_name_that_is_no_unicode_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    clips.clip(tmp_path / "a.mp4").rename(path)
    assert len(seen(probe(path))) == 50


# --- what cannot be read --------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MediaNotFoundError, match=r"there is no file at .*gone\.mp4; check the"):
        probe(tmp_path / "gone.mp4")


def test_for_a_folder_the_files_in_it_are_asked_for(tmp_path):
    (tmp_path / "one.mp4").write_bytes(b"")
    with pytest.raises(MediaUnreadableError, match=r"is a folder; .* such as .*one\.mp4"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is empty \(0 bytes\); copy or download it again"),
        ("<html>gefälscht</html>".encode(), "it holds text, not video; .* download it again"),
        (b"#EXTM3U\n/etc/other.mp4\n", "it holds text, not video"),
        (bytes(range(256)) * 20, "in no known video or audio format, .* or convert it to mp4"),
    ],
)
def test_a_file_that_is_no_video_is_told_what_it_is(tmp_path, content, words):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadableError, match=words):
        probe(path)


def test_a_recording_without_its_index_is_told_so(tmp_path):
    whole = clips.streamed(clips.clip(tmp_path / "a.mkv"), tmp_path / "b.mkv", muxer="matroska")
    late = clips.with_late_index(whole, tmp_path / "c.mp4")
    with pytest.raises(MediaUnreadableError, match=r"its index \(the moov box\) is missing"):
        probe(clips.truncated(late, tmp_path / "d.mp4", share=0.5))


# --- memory and order -----------------------------------------------------------------------


def test_the_first_frame_of_a_long_clip_costs_no_more_than_itself(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(500), fps_hz=25)
    media = probe(path)
    decoded = []
    decode = packets.decode_packet
    monkeypatch.setattr(packets, "decode_packet", lambda *args: decoded.append(1) or decode(*args))
    next(iter(FrameReader(media)))
    # A decoder holds back a few frames to put them in order.
    assert len(decoded) < 10


def test_neither_reading_nor_writing_holds_more_than_a_few_frames(tmp_path):
    alive, most = set(), 0

    def watched():
        nonlocal most
        for number in range(200):
            rgb = clips.numbered(number)
            alive.add(number)
            weakref.finalize(rgb, alive.discard, number)
            most = max(most, len(alive))
            yield Frame(number / 25, rgb)
            del rgb

    write_clip(tmp_path / "a.mp4", watched(), fps_hz=25)
    assert most <= 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_input_gives_the_same_bytes(tmp_path, suffix):
    one, two = (clips.clip(tmp_path / name / f"a.{suffix}") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_reader_can_be_read_again(tmp_path):
    reader = FrameReader(probe(clips.clip(tmp_path / "a.mp4")))
    assert [p.pts_s for p in reader] == [p.pts_s for p in reader]


# --- what cannot be written -----------------------------------------------------------------


def test_an_unknown_suffix_lists_those_that_are_known(tmp_path):
    with pytest.raises(ConfigError, match=r"'a\.flv'; end it in one of \.mp4, \.mov"):
        write_clip(tmp_path / "a.flv", [clips.numbered(1)], fps_hz=25)


def test_nothing_is_not_written(tmp_path):
    with pytest.raises(ConfigError, match="give frames, audio or both"):
        write_clip(tmp_path / "a.mp4", [], fps_hz=25)


def test_a_rate_that_a_codec_lacks_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write 128x96 px at 15 .* such as 25"):
        write_clip(tmp_path / "a.mpg", [clips.numbered(1)], fps_hz=15)


@pytest.mark.parametrize("fps_hz", [0, -25])
def test_a_rate_that_is_none_is_refused(tmp_path, fps_hz):
    with pytest.raises(ConfigError, match="must be a positive number of frames a second, got"):
        write_clip(tmp_path / "a.mp4", [clips.numbered(1)], fps_hz=fps_hz)


@pytest.mark.parametrize("codec", ["libx264", "nonsense"])
def test_a_codec_that_does_not_fit_is_refused(tmp_path, codec):
    with pytest.raises(ConfigError, match=f"{codec}.*; leave the codec out to have the usual"):
        write_clip(tmp_path / "a.webm", [clips.numbered(1)], fps_hz=25, video_codec=codec)


def test_a_failed_writing_leaves_nothing_behind(tmp_path):
    frames = [clips.numbered(1), clips.numbered(2, width=64)]
    with pytest.raises(ConfigError, match="64x96 px, but the clip began with 128x96"):
        write_clip(tmp_path / "a.mp4", frames, fps_hz=25)
    assert list(tmp_path.iterdir()) == []


def test_an_odd_last_row_and_column_are_cut_off(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [clips.numbered(5, width=129, height=97)], fps_hz=Fraction(30_000, 1001))
    assert (probe(path).video.width_px, probe(path).video.height_px) == (128, 96)


# --- real footage ---------------------------------------------------------------------------


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
    heard_s = sum(block.samples.size for block in audio) / 16_000
    # The last packet of audio may be missing or reach beyond the frame.
    assert heard_s == pytest.approx(end_s, abs=0.05)
    assert frames.damage.warnings() == audio.damage.warnings() == ()


@pytest.mark.needs_shared
def test_real_audio_that_starts_late_stays_late(shared: Path):
    media = probe(shared / "footage/odd/pyfeat_face_noface.mp4")
    assert media.video.start_s == 0.0
    assert media.audio.start_s == pytest.approx(2.366)
    first = next(iter(AudioReader(media)))
    assert first.start_s == pytest.approx(2.366)
    assert not read_audio(media).samples[: int(2.366 * 16_000)].any()
