"""Audio mixed with itself."""

from dataclasses import replace

import numpy as np

from mmmsba_plugin.forge.audio.self_mix import SelfMix, SelfMixConfig
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract, samples


class TestSelfMixContract(ForgerContract):
    entry = lookup("forgers", "self-mix")


def test_a_click_is_followed_or_preceded_by_another():
    audio = np.zeros(64_000, dtype=np.float32)
    audio[24_000] = 0.5
    job = replace(samples.audio_job(), audio=audio)
    gaps_s = []
    for seed in range(30):
        new = SelfMix().forge_audio(job, np.random.default_rng(seed))
        first, second = np.flatnonzero(np.abs(new) > 0.05)
        gaps_s.append((second - first) / samples.SAMPLE_RATE_HZ)
    assert 0.02 <= min(gaps_s) < 0.03
    assert 0.04 < max(gaps_s) <= 0.05


def test_the_rms_stays():
    job = samples.audio_job()
    config = SelfMixConfig(fade_s=0)
    new = SelfMix(config).forge_audio(job, np.random.default_rng(0))
    assert np.isclose(np.std(new), np.std(job.span), rtol=0.05)
