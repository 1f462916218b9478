"""Audio, read in blocks at their true times."""

import wave
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from mmmsba_plugin.media.audio import AudioReader, read_audio, read_audio_between
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe

from .. import clips
from .streams import CLICK_TOLERANCE_S, STAMP_TOLERANCE_S


@pytest.mark.parametrize(
    ("suffix", "audio_codec"),
    [("mov", "pcm_s16le"), ("avi", "pcm_s16le"), ("mkv", "libopus"), ("mkv", "flac")],
)
def test_a_click_is_decoded_on_time_from_other_codecs_too(tmp_path, suffix, audio_codec):
    media = probe(clips.clip(tmp_path / f"a.{suffix}", audio_codec=audio_codec))
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_resampling_does_not_move_a_click(tmp_path, rate_hz):
    path = tmp_path / "a.mp4"
    audio = clips.clicks(0.5, duration_s=1.0, sample_rate_hz=rate_hz)
    write_clip(path, [], fps_hz=25, audio=audio, sample_rate_hz=rate_hz)
    assert clips.click_s(read_audio(probe(path))) == pytest.approx(0.5, abs=CLICK_TOLERANCE_S)


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


def test_a_clip_without_audio_is_read_as_silence(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(25), fps_hz=25)
    media = probe(path)
    assert media.audio is None
    assert list(AudioReader(media)) == []
    assert read_audio(media).samples.shape == (16_000,)
    assert not read_audio(media).samples.any()


@pytest.mark.needs_shared
def test_real_audio_that_starts_late_stays_late(shared: Path):
    media = probe(shared / "footage/odd/pyfeat_face_noface.mp4")
    assert media.video.start_s == 0.0
    assert media.audio.start_s == pytest.approx(2.366)
    first = next(iter(AudioReader(media)))
    assert first.start_s == pytest.approx(2.366)
    assert not read_audio(media).samples[: int(2.366 * 16_000)].any()


def many_channels_wav(path, num_channels):
    """Write a tone on the second of many channels, as packed samples."""
    tone = (8_000 * np.sin(np.arange(16_000) / 5)).astype("<i2")
    samples = np.zeros((16_000, num_channels), "<i2")
    samples[:, 1] = tone
    with wave.open(str(path), "wb") as out:
        out.setnchannels(num_channels)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(samples.tobytes())


@pytest.mark.parametrize("num_channels", [7, 8, 9, 16, 160])
def test_more_channels_than_any_layout_has_are_heard(tmp_path, num_channels):
    path = tmp_path / "many.wav"
    many_channels_wav(path, num_channels)
    block = read_audio(probe(path))
    assert block.samples.size == 16_000
    assert np.abs(block.samples[2_000:-2_000]).max() > 0.01


def test_eight_planes_are_heard(tmp_path):
    path = tmp_path / "planes.mkv"
    samples = np.zeros((16_000, 8), np.float32)
    samples[:, 1] = 0.3 * np.sin(np.arange(16_000) / 5)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=16_000, layout="7.1")
        for start in range(0, 16_000, 1_000):
            block = samples[start : start + 1_000].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, "flt", "7.1")
            frame.sample_rate, frame.pts = 16_000, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert np.abs(read_audio(probe(path)).samples).max() > 0.01


@pytest.mark.parametrize(
    ("suffix", "audio_codec"),
    [
        ("mp4", "aac"),
        ("mov", "pcm_s16le"),
        ("avi", "pcm_s16le"),
        ("mkv", "libopus"),
        ("mpg", "mp2"),
    ],
)
def test_audio_between_two_times_is_that_of_the_whole_file(tmp_path, suffix, audio_codec):
    path = clips.clip(
        tmp_path / f"a.{suffix}", duration_s=6.0, click_at_s=4.2, audio_codec=audio_codec
    )
    media = probe(path)
    whole, excerpt = read_audio(media), read_audio_between(media, 4.0, 4.5)
    assert (excerpt.start_s, excerpt.samples.size) == (4.0, 8_000)
    # Matroska rounds stamps to 1 ms, and whoever enters a file goes by the first.
    assert clips.click_s(excerpt) == pytest.approx(clips.click_s(whole), abs=CLICK_TOLERANCE_S)
    assert excerpt.samples.max() == pytest.approx(whole.samples[64_000:72_000].max(), abs=0.05)


def test_there_are_zeros_where_there_is_no_audio(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4"))
    after = read_audio_between(media, 100.0, 100.5)
    assert (after.samples.size, after.samples.any()) == (8_000, False)
