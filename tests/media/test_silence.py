"""Silence before the first audible moment of a clip."""

import math

import numpy as np
import pytest

from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import SILENT_DB, audio_start_s, leading_silence_s

from .. import clips

RATE_HZ = 16_000


def clip_with(path, audio, **settings):
    write_clip(path, clips.numbered_frames(25), fps_hz=25, audio=audio, **settings)
    return probe(path)


def noise(seconds, level):
    return (level * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))).astype("f4")


@pytest.mark.parametrize("silent_s", [0.0, 0.05, 0.3, 0.95])
def test_silence_ends_where_the_audio_begins(tmp_path, silent_s):
    audio = np.concatenate([np.zeros(int(silent_s * RATE_HZ), np.float32), noise(0.5, 0.1)])
    media = clip_with(tmp_path / "a.mov", audio, audio_codec="pcm_s16le")
    assert audio_start_s(media) == pytest.approx(silent_s, abs=2e-3)
    assert leading_silence_s(media) == audio_start_s(media)


def test_a_level_decides_which_audio_is_audible(tmp_path):
    # 70 dB below full scale, then 20 dB below it.
    quiet, loud = noise(0.3, 10 ** (-70 / 20) / 3), noise(0.3, 0.1)
    media = clip_with(tmp_path / "a.mov", np.concatenate([quiet, loud]), audio_codec="pcm_s16le")
    assert audio_start_s(media, level_db=SILENT_DB) == pytest.approx(0.3, abs=2e-3)
    assert audio_start_s(media, level_db=-85) == pytest.approx(0.0, abs=2e-3)


def test_a_stream_that_starts_late_is_silent_until_then(tmp_path):
    media = clip_with(tmp_path / "a.mkv", noise(0.5, 0.1), audio_codec="flac", audio_start_s=0.4)
    assert leading_silence_s(media) == pytest.approx(0.4, abs=2e-3)


def test_a_clip_that_is_silent_throughout_is_silent_for_its_whole_length(tmp_path):
    media = clip_with(tmp_path / "a.mov", np.zeros(RATE_HZ, np.float32), audio_codec="pcm_s16le")
    assert audio_start_s(media) == math.inf
    assert leading_silence_s(media) == media.duration_s


def test_a_clip_without_audio_has_no_silence(tmp_path):
    media = clip_with(tmp_path / "a.mp4", None)
    assert leading_silence_s(media) is None
