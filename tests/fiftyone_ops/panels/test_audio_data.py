"""Tests of waveforms and spectrograms: what is at a time is drawn there."""

import numpy as np
import pytest

from fiftyone_ops.panels.audio_data import audio_tile, envelope
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.spectrogram_image import NUM_COLUMNS

from ... import clips
from ..asking import TIMELINE, ask


def test_a_click_is_drawn_where_it_is_heard(tmp_path):
    path = str(clips.clip(tmp_path / "a.mp4", click_at_s=1.1))
    first, second = (audio_tile(path, 1.0, number) for number in (0, 1))
    assert (second.start_s, second.end_s) == (1.0, 2.0)
    assert max(first.high) <= 2 < max(second.high)
    assert np.argmax(second.high) == pytest.approx(0.1 * NUM_COLUMNS, abs=2)
    assert len(second.low) == len(second.high) == NUM_COLUMNS


def test_tiles_of_all_lengths_agree(tmp_path):
    path = str(clips.clip(tmp_path / "a.mp4", click_at_s=1.1))
    long, short = audio_tile(path, 2.0, 0), audio_tile(path, 0.25, 4)
    assert max(long.high) == max(short.high)
    assert np.argmax(long.high) * 2.0 / NUM_COLUMNS == pytest.approx(1.1, abs=0.01)
    assert 1.0 + np.argmax(short.high) * 0.25 / NUM_COLUMNS == pytest.approx(1.1, abs=0.003)


def test_the_envelope_holds_the_extremes_of_each_column():
    samples = np.zeros(NUM_COLUMNS * 10, dtype=np.float32)
    samples[[15, 25]] = -0.5, 2.0
    low, high = envelope(samples)
    assert (low[1], high[1]) == (-64, 0)
    assert (low[2], high[2]) == (0, 127)
    assert not low[3:].any()


def test_a_tile_is_decoded_once_until_the_file_changes(tmp_path):
    path = clips.clip(tmp_path / "a.mp4", click_at_s=0.5)
    before = audio_tile(str(path), 2.0, 0)
    assert audio_tile(str(path), 2.0, 0) is before
    clips.clip(path, click_at_s=1.5)
    assert np.argmax(audio_tile(str(path), 2.0, 0).high) > NUM_COLUMNS / 2 > np.argmax(before.high)


def test_a_clip_without_audio_has_empty_tiles(tmp_path):
    path = clips.bare_video(tmp_path / "a.m2v", num_frames=25)
    tile = audio_tile(str(path), 1.0, 0)
    assert (tile.low, tile.high, tile.spectrogram) == ((), (), None)


def test_tiles_that_would_cost_too_much_are_refused(tmp_path):
    path = str(clips.clip(tmp_path / "a.mp4"))
    for tile_s, number in ((1e-3, 0), (1e6, 0), (1.0, -1)):
        with pytest.raises(ConfigError, match=r"tiles last 0\.25 to 1024 s and count from 0"):
            audio_tile(path, tile_s, number)


def test_the_panel_gets_a_tile_or_says_why_there_is_none(evaluated):
    ids = {sample.filename: sample.id for sample in evaluated}
    params = {"tile_s": 1.0, "number": 1}
    response, _ = ask(TIMELINE, "audio", evaluated, sample_id=ids["forged-1.mp4"], **params)
    assert response["spectrogram"].startswith("data:image/jpeg;base64,")
    response, _ = ask(TIMELINE, "audio", evaluated, sample_id=ids["missing.mp4"], **params)
    assert "there is no file at" in response["problem"]
