"""Encoders and containers, and what they cannot write."""

import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.codecs import (
    CONTAINERS,
    is_steady,
    priming_samples,
    stored_rate_hz,
    video_options,
)
from mmmsba_plugin.media.encode import write_clip

from .. import clips


def test_an_unknown_suffix_lists_those_that_are_known(tmp_path):
    with pytest.raises(ConfigError, match=r"'a\.flv'; end it in one of \.mp4, \.mov"):
        write_clip(tmp_path / "a.flv", [clips.numbered(1)], fps_hz=25)


def test_a_rate_that_a_codec_lacks_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write 128x96 px at 15 .* such as 25"):
        write_clip(tmp_path / "a.mpg", [clips.numbered(1)], fps_hz=15)


@pytest.mark.parametrize("codec", ["libx264", "nonsense"])
def test_a_codec_that_does_not_fit_is_refused(tmp_path, codec):
    with pytest.raises(ConfigError, match=f"{codec}.*; leave the codec out to have the usual"):
        write_clip(tmp_path / "a.webm", [clips.numbered(1)], fps_hz=25, video_codec=codec)


@pytest.mark.parametrize(
    ("codec", "asked_hz", "rate_hz"),
    [("aac", 16_000, 16_000), ("libopus", 22_050, 24_000), ("aac", 200_000, 96_000)],
)
def test_audio_is_stored_at_the_next_better_rate_or_the_best(codec, asked_hz, rate_hz):
    assert stored_rate_hz(codec, asked_hz) == rate_hz


def test_an_encoder_s_priming_is_asked_of_itself():
    # One packet of AAC, as FFmpeg's encoder has it.
    assert priming_samples("aac", 16_000) == (1024, 1024)
    assert priming_samples("pcm_s16le", 16_000)[0] == 0


@pytest.mark.parametrize(("suffix", "codec", "steady"), [
    (".mp4", "libx264", False), (".mp4", "mpeg4", True), (".avi", "libx264", True),
])  # fmt: skip
def test_some_containers_and_codecs_hold_a_constant_rate_alone(suffix, codec, steady):
    assert is_steady(CONTAINERS[suffix], codec) is steady


def test_a_rate_factor_becomes_a_quantiser_for_old_codecs():
    options = [video_options(CONTAINERS[".avi"], "mpeg4", crf) for crf in (23, 0)]
    assert [int(o["global_quality"]) // 118 for o in options] == [5, 1]
    assert video_options(CONTAINERS[".mp4"], "libx264", 23)["crf"] == "23"
