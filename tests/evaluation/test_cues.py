"""Cues are those of the file, whatever it shows."""

import numpy as np
import pytest

from mmmsba_plugin.evaluation.cues import cues_of
from mmmsba_plugin.media.encode import write_clip


def noisy_clip(path, rng, *, crf, seconds=1.0):
    frames = rng.integers(60, 200, (round(25 * seconds), 48, 64, 3), dtype=np.uint8)
    audio = (0.1 * rng.standard_normal(round(16_000 * seconds))).astype(np.float32)
    write_clip(path, frames, fps_hz=25, audio=audio, crf=crf)
    return path


def test_cues_are_those_of_the_file(tmp_path):
    rng = np.random.default_rng(0)
    path = noisy_clip(tmp_path / "a.mp4", rng, crf=23, seconds=2)
    cues = cues_of(path)
    assert cues["size_bytes"] == path.stat().st_size
    assert (cues["width_px"], cues["height_px"], cues["fps_hz"]) == (64, 48, 25)
    assert cues["bytes_per_s"] == pytest.approx(cues["size_bytes"] / 2, rel=0.05)
    assert cues["share_of_I"] + cues["share_of_P"] + cues["share_of_B"] == pytest.approx(1)
    assert 1 / 50 <= cues["share_of_I"] < 0.2
    assert cues["loudness_db"] == pytest.approx(-20, abs=1)
    assert cues["leading_silence_s"] < 0.01
    mute = tmp_path / "mute.mp4"
    write_clip(mute, np.full((25, 48, 64, 3), 99, np.uint8), fps_hz=25)
    assert not {"loudness_db", "audio_mean"} & cues_of(mute).keys()


def test_a_clip_that_is_only_heard_has_no_cues_of_frames(tmp_path):
    path = tmp_path / "a.mp4"
    write_clip(path, [], fps_hz=25, audio=np.zeros(16_000, np.float32))
    cues = cues_of(path)
    assert "fps_hz" not in cues
    assert cues["loudness_db"] == cues["peak_db"] == -100
    assert cues["silent_s"] == 1
