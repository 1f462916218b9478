"""Repeat: the clip's own speech of another moment."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.delete_insert import (
    InsertSyllable,
)
from mmmsba_plugin.forge.audio.repeat import RepeatAudio

from .speech import FADE, RATE_HZ, forge, job_at, talk


def test_a_repeat_is_another_moment_of_the_same_clip(build):
    # Ramps that never come twice: each sample says where it was taken from.
    rng = np.random.default_rng(0)
    audio = (0.3 * rng.uniform(-1, 1, 4 * RATE_HZ)).astype(np.float32)
    job = job_at(1.5, 0.5, audio=audio)
    fake = forge(RepeatAudio(), job)
    inner = fake[FADE:-FADE]
    correlation = np.correlate(audio, inner, mode="valid") / np.sum(inner**2)
    start = int(np.argmax(correlation)) - FADE
    clear = round(0.1 * RATE_HZ)
    assert correlation.max() > 0.9
    assert start + job.span.size + clear <= job.start or start >= job.end + clear


def test_a_clip_without_another_moment_says_so():
    with pytest.raises(ForgeError, match=r"has no other 32000 that are clear .* longer clip"):
        forge(RepeatAudio(), job_at(1.0, 2.0))


@pytest.mark.parametrize(
    ("forger", "message"),
    [
        (RepeatAudio(), "nothing is said at another moment .* more speech"),
        (InsertSyllable(), "no syllable is heard at another moment .* more speech"),
    ],
)
def test_a_clip_without_speech_elsewhere_has_no_other_moment(forger, message):
    audio = np.zeros(4 * RATE_HZ, dtype=np.float32)
    audio[RATE_HZ : 2 * RATE_HZ] = talk()[RATE_HZ : 2 * RATE_HZ]
    with pytest.raises(ForgeError, match=message):
        forge(forger, job_at(0.9, 1.2, audio=audio))
