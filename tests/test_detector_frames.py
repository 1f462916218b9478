"""Frames and audio that were decoded elsewhere score as the file does that holds them."""

from fractions import Fraction

import av
import numpy as np
import pytest

from mmmsba_plugin.errors import MediaTypeError
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def decoded(talking_clip):
    """Frames and 16-bit audio of a clip."""
    media = probe(talking_clip)
    frames = np.stack([frame.rgb for frame in FrameReader(media)])[:50]
    samples = np.concatenate([block.samples for block in AudioReader(media)])[: 2 * RATE_HZ]
    return frames, np.round(samples * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)


@pytest.fixture(scope="module")
def lossless(decoded, tmp_path_factory):
    """A file that holds these very frames and samples."""
    frames, samples = decoded
    path = tmp_path_factory.mktemp("lossless") / "a.mkv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "bgr0"
        audio = out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate = RATE_HZ
        out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path


def test_decoded_frames_score_as_the_file_that_holds_them(detector, decoded, lossless):
    frames, samples = decoded
    of_file = detector.detect(lossless)
    of_arrays = detector.detect_frames(frames, 25, samples, RATE_HZ)
    assert of_arrays.score == pytest.approx(of_file.score, abs=1e-5)
    assert of_arrays.curves.score == pytest.approx(of_file.curves.score, abs=1e-4)
    generated = detector.detect_frames(iter(frames), np.arange(50) / 25, samples, np.int64(RATE_HZ))
    assert generated.score == pytest.approx(of_arrays.score, abs=1e-5)


def test_frames_without_a_time_are_refused(detector, decoded):
    with pytest.raises(MediaTypeError, match="more frames than times"):
        detector.detect_frames(decoded[0], [0.0, 0.04])
