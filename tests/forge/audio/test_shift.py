"""Shifts of the audio against the lips."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.shift import ShiftAudio
from mmmsba_plugin.forger import AudioJob

from ..clips import RATE_HZ


def test_a_shift_that_does_not_fit_is_turned_down():

    audio = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    job = AudioJob(audio, 1000, RATE_HZ - 1000, RATE_HZ)
    with pytest.raises(ForgeError, match=r"too short to be moved by .*; give a longer clip"):
        ShiftAudio().forge_audio(job, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(8))
def test_a_shift_is_the_clip_s_own_audio_three_to_twelve_frames_off(seed):

    audio = np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ).astype(np.float32)
    start, end = 2 * RATE_HZ, 3 * RATE_HZ
    shift = ShiftAudio().forge_audio(
        AudioJob(audio, start, end, RATE_HZ), np.random.default_rng(seed)
    )
    middle = slice(RATE_HZ // 4, 3 * RATE_HZ // 4)
    match = np.correlate(audio, shift[middle], mode="valid")
    moved_s = abs(int(np.argmax(match)) - (start + middle.start)) / RATE_HZ
    assert 0.12 - 1e-4 <= moved_s <= 0.48 + 1e-4
    assert np.mean(shift != audio[start:end]) > 0.999
