"""Deleted words and inserted syllables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.audio.delete_insert import (
    DeleteConfig,
    DeleteWord,
    InsertConfig,
    InsertSyllable,
)
from mmmsba_plugin.forge.audio.loudness import (
    compute_rms,
    compute_speech_share,
)

from .speech import FADE, RATE_HZ, forge, job_at, noise, talk


@given(share=st.floats(0.05, 0.9), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_what_follows_a_deleted_word_moves_forward(share, seed):
    job = job_at(1.0, 0.8, audio=noise())
    fake = forge(DeleteWord(DeleteConfig(share=(share, share))), job, seed)
    cut = round(share * job.span.size)
    rest = job.span.size - cut
    inside = slice(FADE, rest - FADE)
    np.testing.assert_array_equal(fake[inside], job.span[cut:][inside])


def test_a_word_may_be_deleted_whole():
    audio = talk() + np.random.default_rng(0).normal(0, 1e-3, talk().size).astype(np.float32)
    job = job_at(1.2, 0.6, audio=audio)
    fake = forge(DeleteWord(DeleteConfig(share=(1, 1))), job)
    assert compute_speech_share(fake[FADE:-FADE], RATE_HZ, like=audio) == 0
    assert compute_rms(fake[FADE:-FADE]) == pytest.approx(1.1e-3, rel=0.3)


@given(length_s=st.floats(0.08, 0.6), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_what_follows_an_inserted_syllable_is_pushed_back(length_s, seed):
    job = job_at(1.0, 0.8, audio=noise())
    fake = forge(InsertSyllable(InsertConfig(length_s=(length_s, length_s))), job, seed)
    size = min(round(length_s * RATE_HZ), job.span.size // 2)
    pushed = fake[size:-FADE]
    np.testing.assert_array_equal(pushed, job.span[FADE:][: pushed.size])
    syllable = fake[FADE : size - FADE]
    correlation = np.correlate(job.audio, syllable, mode="valid") / np.sum(syllable**2)
    start = int(np.argmax(correlation)) - FADE
    assert start + size < job.start or start > job.end
