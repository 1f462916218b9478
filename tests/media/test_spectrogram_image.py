"""Tests of spectrograms: what is at a frequency is drawn there."""

import numpy as np
import pytest

from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.spectrogram_image import (
    NUM_COLUMNS,
    RATE_HZ,
    read_audio_around,
    spectrogram,
    spectrogram_image,
)

from .. import clips


@pytest.mark.parametrize("frequency_hz", [500, 2_000, 7_000])
@pytest.mark.parametrize("duration_s", [0.25, 4.0, 64.0])
def test_a_tone_is_a_line_at_its_frequency(frequency_hz, duration_s):
    times_s = np.arange(int(duration_s * RATE_HZ) + 512) / RATE_HZ
    tone = (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)
    levels_db = spectrogram(tone)
    assert levels_db.shape == (64, NUM_COLUMNS)
    row = 63 - frequency_hz * 64 // 8_000
    assert set(levels_db.argmax(axis=0)) <= {row - 1, row, row + 1}
    # Half of full scale.
    assert levels_db.max(axis=0) == pytest.approx(-6, abs=1.5)


def test_a_click_lights_up_the_column_of_its_moment(tmp_path):
    media = probe(clips.clip(tmp_path / "a.mp4", click_at_s=1.1))
    block, margin = read_audio_around(media, 1.0, 2.0)
    assert block.samples.size == RATE_HZ + 2 * margin
    image = spectrogram_image(block.samples)
    assert image.shape == (64, NUM_COLUMNS, 3)
    brightness = image.sum(axis=(0, 2))
    assert brightness.argmax() == pytest.approx(0.1 * NUM_COLUMNS, abs=5)
