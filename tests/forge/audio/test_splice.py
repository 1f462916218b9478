"""Splices of another clip's speech."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.loudness import (
    compute_speech_rms,
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.splice import SpliceAudio, SpliceConfig
from mmmsba_plugin.forger import AudioJob

from ..clips import RATE_HZ, talk


@given(
    seed=st.integers(0, 2**32),
    start_s=st.floats(0, 2.5),
    length_s=st.floats(0.2, 1.5),
    fade_s=st.floats(0, 0.1),
)
@settings(max_examples=40, deadline=None)
def test_a_splice_changes_every_sample_of_its_segment(seed, start_s, length_s, fade_s):
    rng = np.random.default_rng(seed)
    audio, donor = (rng.normal(0, 0.1, 4 * RATE_HZ).astype(np.float32) for _ in range(2))
    start, end = round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ)
    job = AudioJob(audio, start, end, RATE_HZ, donor)
    fake = SpliceAudio(SpliceConfig(fade_s=fade_s)).forge_audio(job, rng)
    assert fake.size == end - start
    assert fake.dtype == np.float32
    # Two noises agree on a sample about once in a million; a fade may round to the old one
    # where it has hardly begun.
    assert np.mean(fake != job.span) > 0.999
    assert np.abs(fake).max() <= 1


@pytest.mark.parametrize("donor_level", [0.01, 0.05, 0.3])
def test_a_splice_is_as_loud_as_the_speech_it_replaces(donor_level):
    rng = np.random.default_rng(0)
    audio, donor = talk(rng, 4, level=0.05), talk(rng, 4, level=donor_level)
    job = AudioJob(audio, RATE_HZ, 2 * RATE_HZ, RATE_HZ, donor)
    fake = SpliceAudio().forge_audio(job, rng)
    was, now = (compute_speech_rms(s, RATE_HZ, like=audio) for s in (job.span, fake))
    # Half a dB: what fading and drawing another span of noise changes.
    assert abs(20 * np.log10(now / was)) < 0.5


def test_a_splice_into_a_pause_is_as_loud_as_the_clip_s_speech():
    rng = np.random.default_rng(0)
    audio = talk(rng, 4, level=0.05)
    audio[RATE_HZ : 2 * RATE_HZ] = 0
    job = AudioJob(audio, RATE_HZ, 2 * RATE_HZ, RATE_HZ, talk(rng, 4))
    fake = SpliceAudio().forge_audio(job, rng)
    now, usual = (compute_speech_rms(s, RATE_HZ, like=audio) for s in (fake, audio))
    assert now == pytest.approx(usual, rel=0.1)


def test_a_splice_never_clicks_at_its_ends():
    # A steady tone in the clip, another in the donor: without fades the joint would jump by
    # up to their sum. With them no step is larger than the faster tone's own.
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    audio = (0.3 * np.sin(2 * np.pi * 200 * times_s)).astype(np.float32)
    donor = (0.3 * np.cos(2 * np.pi * 310 * times_s)).astype(np.float32)
    whole = audio.copy()
    whole[20_000:30_000] = SpliceAudio().forge_audio(
        AudioJob(audio, 20_000, 30_000, RATE_HZ, donor), np.random.default_rng(2)
    )
    steps = np.abs(np.diff(whole))
    own_step = np.abs(np.diff(donor)).max()
    for joint in (20_000, 30_000):
        assert steps[joint - 200 : joint + 200].max() < 1.3 * own_step


def test_a_splice_takes_speech_rather_than_silence():
    rng = np.random.default_rng(0)
    donor = np.zeros(10 * RATE_HZ, dtype=np.float32)
    donor[6 * RATE_HZ : 9 * RATE_HZ] = 0.1 * rng.standard_normal(3 * RATE_HZ)
    job = AudioJob(talk(rng, 4), 0, RATE_HZ // 2, RATE_HZ, donor)
    fake = SpliceAudio().forge_audio(job, rng)
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.9


def test_a_splice_never_clips():
    rng = np.random.default_rng(0)
    audio = np.sign(talk(rng, 3)) * np.float32(0.98)
    donor = 0.01 * talk(rng, 3)
    donor[:: RATE_HZ // 4] = 0.5
    fake = SpliceAudio().forge_audio(AudioJob(audio, 0, RATE_HZ, RATE_HZ, donor), rng)
    assert np.abs(fake).max() <= 0.99


@pytest.mark.parametrize(("donor", "got"), [(None, "got none"), (np.zeros(9, np.float32), "got 9")])
def test_a_splice_says_which_donor_it_needs(donor, got):
    job = AudioJob(np.zeros(RATE_HZ, np.float32), 0, 3200, RATE_HZ, donor)
    with pytest.raises(ForgeError, match=f"3200 samples needs a donor at least as long, {got}"):
        SpliceAudio().forge_audio(job, np.random.default_rng(0))
