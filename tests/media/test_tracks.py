"""Files with several streams of a kind, and channels and stamps that mislead."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import probe
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
    assert media.others == (f"audio stream {1 - default} (pcm_s16le)",)


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
