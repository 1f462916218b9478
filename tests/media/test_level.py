"""Signal is told from silence by its swing, relative to what a coding can hold."""

import av
import numpy as np
import pytest

from mmmsba_plugin.features.opt_outs import SILENCE, AudioOptOuts
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.level import from_full_scale, noise_level, swings
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import audio_start_s

#: Codecs of audio, with the container that holds them, and their sample rate.
CODINGS = [
    ("pcm_u8", "wav", 8_000),
    ("pcm_s8", "aiff", 22_050),
    ("pcm_mulaw", "wav", 8_000),
    ("pcm_alaw", "wav", 8_000),
    ("pcm_s16le", "wav", 16_000),
    ("pcm_s24le", "mkv", 48_000),
    ("pcm_f32le", "mkv", 44_100),
    ("aac", "mp4", 44_100),
    ("libmp3lame", "mp3", 44_100),
    ("libopus", "mkv", 48_000),
]


def write(path, samples, *, codec, sample_rate_hz):
    """Write samples at full scale 1 in a coding."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=sample_rate_hz, layout="mono")
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], "flt", "mono")
        frame.sample_rate = sample_rate_hz
        context = stream.codec_context
        resampler = av.AudioResampler(
            context.format.name, "mono", sample_rate_hz, context.frame_size or None
        )
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(resampled))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(params=CODINGS, ids=lambda coding: coding[0])
def coded(request, tmp_path):
    """Write 2 s of a signal in a coding, by a function of the times in seconds."""
    codec, suffix, rate_hz = request.param
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")

    def write_signal(signal):
        samples = signal(np.arange(2 * rate_hz) / rate_hz)
        path = tmp_path / f"a.{suffix}"
        write(path, samples, codec=codec, sample_rate_hz=rate_hz)
        return probe(path)

    return write_signal


def silent_s(media):
    """Return for how long a clip is silent, in seconds."""
    collector = AudioOptOuts(media.audio.codec)
    for block in AudioReader(media):
        collector.add(block)
    return sum(o.end_s - o.start_s for o in collector.opt_outs() if o.reason == SILENCE)


def test_nothing_is_silence_in_any_coding(coded):
    media = coded(np.zeros_like)
    assert silent_s(media) >= 2.0
    assert audio_start_s(media) == np.inf


@pytest.mark.parametrize("offset", [0.02, -0.4])
def test_a_constant_is_silence_in_any_coding(coded, offset):
    media = coded(lambda times_s: np.full_like(times_s, offset))
    if media.audio.codec.startswith("pcm"):
        assert silent_s(media) >= 2.0
        assert audio_start_s(media) == np.inf
    # A lossy coder takes a moment to settle, and makes a tone of a constant that is loud.
    elif offset == 0.02:
        assert silent_s(media) >= 1.7


def test_a_quiet_tone_is_none_in_any_coding(coded):
    media = coded(lambda times_s: 0.03 * np.sin(2 * np.pi * 440 * times_s))
    assert silent_s(media) == 0
    assert audio_start_s(media) < 0.05


def test_a_tone_on_a_constant_is_none_in_any_coding(coded):
    media = coded(lambda times_s: 0.3 + 0.1 * np.sin(2 * np.pi * 440 * times_s) * (times_s < 0.5))
    if media.audio.codec.startswith("pcm"):
        assert silent_s(media) == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "step"),
    [("pcm_u8", 2**-7), ("pcm_mulaw", 2**-12), ("pcm_alaw", 2**-12)],
)
@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_the_noise_of_a_coding_is_silence(tmp_path, codec, step, offset):
    if codec != "pcm_u8" and offset:
        pytest.skip("away from zero, its steps are coarser than its noise")
    dither = np.random.default_rng(1).integers(-1, 2, 16_000) * step
    path = write(
        tmp_path / "a.wav",
        dither + offset,
        codec=codec,
        sample_rate_hz=8_000,
    )
    assert silent_s(probe(path)) >= 2.0


def test_a_constant_has_no_swing():
    starts, levels = swings(np.r_[np.full(10, 0.5), -0.25, np.full(9, 0.5)], 10)
    assert starts.tolist() == [0, 10]
    assert levels.tolist() == [0.0, 0.375]


def test_a_rest_of_less_than_half_a_window_belongs_to_the_last():
    assert swings(np.zeros(24), 10)[0].tolist() == [0, 10]
    assert swings(np.zeros(25), 10)[0].tolist() == [0, 10, 20]
    assert swings(np.zeros(4), 10)[0].tolist() == [0]


@pytest.mark.parametrize(
    ("dtype", "highest"), [("u1", 255), ("i2", 2**15 - 1), ("i4", 2**31 - 1), ("f4", 1.0)]
)
def test_samples_of_any_format_are_shares_of_full_scale(dtype, highest):
    assert from_full_scale(np.array([highest], dtype))[0] == pytest.approx(1.0, abs=0.01)


def test_codecs_of_16_bits_and_more_have_no_noise_of_note():
    assert noise_level("aac") == noise_level("pcm_s16le") == noise_level("of tomorrow") == 0
