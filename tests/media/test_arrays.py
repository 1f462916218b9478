"""Frames and audio that were decoded elsewhere are read like those of a file."""

import numpy as np
import pytest

from mmmsba_plugin.errors import MediaTypeError
from mmmsba_plugin.media.arrays import DecodedSource
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.video import FrameReader

RGB = np.random.default_rng(0).integers(0, 255, (6, 48, 64, 3), np.uint8)
AUDIO = np.random.default_rng(1).normal(scale=0.1, size=40_000).astype(np.float32)


def frames_of(source):
    return list(FrameReader(source.media, decoder=source.decoders["video"]))


def audio_of(source, rate_hz=16_000):
    reader = AudioReader(source.media, sample_rate_hz=rate_hz, decoder=source.decoders["audio"])
    return np.concatenate([block.samples for block in reader])


def test_frames_come_at_their_rate_as_they_were_arguments():
    frames = frames_of(DecodedSource(RGB, 29.97))
    assert [frame.pts_s for frame in frames] == pytest.approx(np.arange(6) / 29.97)
    assert all((frame.rgb == rgb).all() for frame, rgb in zip(frames, RGB, strict=True))


def test_frames_come_at_the_times_that_are_arguments():
    times_s = [0.0, 0.04, 0.1, 0.35, 0.36, 1.0]
    frames = frames_of(DecodedSource(iter(RGB), times_s))
    assert [frame.pts_s for frame in frames] == pytest.approx(times_s)


@pytest.mark.parametrize(
    "audio",
    [AUDIO, AUDIO.astype(np.float64), np.stack([AUDIO, AUDIO]), np.split(AUDIO, 4)],
    ids=["mono", "double", "stereo", "blocks"],
)
def test_audio_of_every_shape_is_the_same_audio(audio):
    assert audio_of(DecodedSource(audio=audio, sample_rate_hz=16_000)) == pytest.approx(
        AUDIO, abs=1e-6
    )


def test_integers_are_audio_of_their_own_full_scale():
    source = DecodedSource(audio=(AUDIO * 2**15).astype(np.int16), sample_rate_hz=16_000)
    assert audio_of(source) == pytest.approx(AUDIO, abs=1e-4)


def test_audio_of_another_rate_is_resampled():
    assert len(audio_of(DecodedSource(audio=AUDIO, sample_rate_hz=8_000))) == pytest.approx(
        2 * AUDIO.size, rel=0.01
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither a frame nor audio"),
        ({"frames": [], "fps_hz": 25}, "neither a frame nor audio"),
        ({"frames": RGB[..., 0], "fps_hz": 25}, r"got \(48, 64\) of uint8"),
        ({"frames": RGB.astype(np.float32), "fps_hz": 25}, r"got \(48, 64, 3\) of float32"),
        ({"frames": RGB}, "fps_hz must be a positive number a second, got None"),
        ({"frames": RGB, "fps_hz": -1}, "fps_hz must be a positive number a second, got -1"),
        ({"audio": AUDIO}, "sample_rate_hz must be a positive number a second, got None"),
        ({"audio": np.zeros((2, 3, 4)), "sample_rate_hz": 16_000}, r"got \(2, 3, 4\)"),
        ({"audio": [np.array(["a"])], "sample_rate_hz": 16_000}, "float or int16, got"),
        ({"audio": np.full(9, np.nan), "sample_rate_hz": 16_000}, "NaN or infinity"),
    ],
)
def test_what_is_no_frames_and_no_audio_is_refused(arguments, message):
    with pytest.raises(MediaTypeError, match=message):
        DecodedSource(**arguments)


def test_a_later_frame_that_is_none_is_refused_when_it_comes():
    source = DecodedSource([RGB[0], RGB[1][..., 0]], 25)
    with pytest.raises(MediaTypeError, match="RGB of shape"):
        frames_of(source)
