"""Files with several streams of a kind, and channels and stamps that mislead."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from mmmsba_plugin.errors import AudioTrackError
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import audio_tracks, probe
from mmmsba_plugin.media.video import FrameReader, frame_at

from .. import clips
from .streams import CLICK_TOLERANCE_S, frame_numbers

RATE_HZ = 16_000
SILENCE = np.zeros(2 * RATE_HZ, np.float32)
CLICK = clips.clicks(1.0, duration_s=2.0)


def write_audio(path, *tracks, layout="mono", default=0):
    """Write audio tracks, each of shape ``(channel, sample)``, of which one is the default."""
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("pcm_s16le", rate=RATE_HZ, layout=layout) for _ in tracks]
        for index, stream in enumerate(streams):
            stream.disposition = Disposition.default if index == default else Disposition(0)
        for stream, samples in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(np.atleast_2d(samples), "fltp", layout)
            frame.sample_rate = RATE_HZ
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


def write_videos(path, *lengths):
    """Write video streams of numbered frames, so many in each."""
    with av.open(str(path), "w") as out:
        streams = []
        for _ in lengths:
            stream = out.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            stream.disposition = Disposition(0)
            streams.append(stream)
        for stream, length in zip(streams, lengths, strict=True):
            for number in range(length):
                frame = av.VideoFrame.from_ndarray(clips.numbered(number), "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("default", [0, 1])
def test_the_default_audio_track_is_read_and_the_other_is_named(tmp_path, default):
    tracks = [SILENCE, SILENCE]
    tracks[default] = CLICK
    media = probe(write_audio(tmp_path / "a.mkv", *tracks, default=default))
    assert media.audio.index == default
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)
    assert media.others == (f"audio track {2 - default} (pcm_s16le, silent)",)


def test_a_still_before_the_film_is_not_taken_for_it(tmp_path):
    media = probe(write_videos(tmp_path / "a.mkv", 1, 50))
    assert media.video.index == 1
    assert len(list(FrameReader(media))) == 50
    assert frame_at(media, 1.0).pts_s == pytest.approx(1.0)
    assert len(media.others) == 1


def test_a_still_alone_is_read_as_it_is(tmp_path):
    assert len(list(FrameReader(probe(write_videos(tmp_path / "a.mkv", 1))))) == 1


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("stereo", [CLICK, -CLICK]),
        ("5.1", [CLICK, -CLICK, *[SILENCE] * 4]),
        ("stereo", [0.98 * CLICK, -CLICK]),
    ],
)
def test_channels_that_cancel_each_other_are_heard(tmp_path, layout, channels):
    path = write_audio(tmp_path / "a.mkv", np.stack(channels), layout=layout)
    audio = read_audio(probe(path))
    assert clips.click_s(audio) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)
    assert np.abs(audio.samples).max() == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(("layout", "num_channels"), [("stereo", 2), ("5.1", 6)])
@pytest.mark.parametrize("loud", [0, 1])
def test_a_channel_that_is_alone_is_mixed_as_ever(tmp_path, layout, num_channels, loud):
    channels = np.zeros((num_channels, CLICK.size), np.float32)
    channels[loud] = CLICK
    audio = read_audio(probe(write_audio(tmp_path / "a.mkv", channels, layout=layout)))
    assert 0.1 < np.abs(audio.samples).max() < 0.6


def test_frames_of_avi_that_are_stored_in_another_order_are_all_read_in_theirs(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.max_b_frames = 2
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(clips.numbered(number), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    media = probe(path)
    reader = FrameReader(media)
    assert len(list(reader)) == 50
    assert reader.damage.warnings() == ()
    assert frame_numbers(media) == [(pytest.approx(number / 25), number) for number in range(50)]
    assert clips.number_of(frame_at(media, 1.2).rgb) == 30
    assert glance(path).num_frames == 50


TONE = (0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)
DIRECT = np.full_like(SILENCE, 0.25)


@pytest.mark.parametrize("default", [None, 0, 1])
@pytest.mark.parametrize("silence", [SILENCE, DIRECT, 2e-5 * TONE], ids=["zero", "dc", "dither"])
@pytest.mark.parametrize("loud", [0, 1])
def test_a_silent_track_gives_way_to_one_with_content(tmp_path, default, silence, loud):
    tracks = [silence, silence]
    tracks[loud] = TONE
    media = probe(write_audio(tmp_path / "a.mkv", *tracks, default=default))
    assert media.audio.track == loud + 1
    assert media.others == (f"audio track {2 - loud} (pcm_s16le, silent)",)


@pytest.mark.parametrize(("default", "track"), [(None, 1), (0, 1), (1, 2)])
def test_of_tracks_with_content_the_default_one_is_read_else_the_first(tmp_path, default, track):
    media = probe(write_audio(tmp_path / "a.mkv", TONE, 0.5 * TONE, default=default))
    assert media.audio.track == track


@pytest.mark.parametrize("default", [None, 1])
def test_of_silent_tracks_the_default_one_is_read_else_the_first(tmp_path, default):
    media = probe(write_audio(tmp_path / "a.mkv", SILENCE, SILENCE, default=default))
    assert media.audio.track == (default or 0) + 1


def test_a_track_that_begins_with_silence_is_not_silent(tmp_path):
    late = np.concatenate([np.zeros(45 * RATE_HZ, np.float32), TONE])
    other = np.resize(TONE, late.size)
    assert probe(write_audio(tmp_path / "a.mkv", late, other)).audio.track == 1


@pytest.mark.parametrize("number", [1, 2])
def test_a_track_is_read_by_its_number_though_it_be_silent(tmp_path, number):
    path = write_audio(tmp_path / "a.mkv", SILENCE, TONE)
    media = probe(path, audio_track=number)
    assert (media.audio.track, media.audio.index) == (number, number - 1)
    assert bool(read_audio(media).samples.any()) == (number == 2)
    assert media.others == (f"audio track {3 - number} (pcm_s16le)",)
    assert audio_tracks(path) == (1, 2)


def test_a_track_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path):
    path = write_audio(tmp_path / "a.mkv", TONE, TONE)
    with pytest.raises(AudioTrackError, match=r"choose from 1 \(pcm_s16le\), 2 \(pcm_s16le\)"):
        probe(path, audio_track=3)
    with pytest.raises(AudioTrackError, match="the file has no audio"):
        probe(write_videos(tmp_path / "b.mkv", 5), audio_track=1)


def test_a_few_stills_before_the_film_are_not_taken_for_it(tmp_path):
    media = probe(write_videos(tmp_path / "a.mkv", 3, 50))
    assert media.video.index == 1


def write_still_and_audio(path):
    """Write one frame, not marked as a cover, beside audio."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 128, 96, "yuv420p"
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        out.mux(video.encode(av.VideoFrame.from_ndarray(clips.numbered(1), "rgb24")))
        out.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(TONE[None], "flt", "mono")
        frame.sample_rate = RATE_HZ
        out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_a_still_beside_audio_is_not_taken_for_a_film(tmp_path, suffix):
    media = probe(write_still_and_audio(tmp_path / f"a.{suffix}"))
    assert media.video is None
    assert media.audio is not None
    assert media.others == ("video stream 0 (h264, a still)",)


def test_a_constant_on_channels_does_not_hide_that_they_cancel(tmp_path):
    channels = np.stack([0.3 + TONE, 0.3 - TONE])
    audio = read_audio(probe(write_audio(tmp_path / "a.mkv", channels, layout="stereo")))
    assert np.ptp(audio.samples[RATE_HZ // 2 : RATE_HZ]) == pytest.approx(0.2, abs=0.05)
