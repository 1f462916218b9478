"""The forger ``speak``: which voice speaks, and how often."""

import numpy as np
import pytest

from mmmsba_plugin.forge.audio import tts_voices
from mmmsba_plugin.forge.audio.loudness import (
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.tts import SpeakAudio, SpeakConfig

from .speech import RATE_HZ, forge, job_at, strongest_hz


def test_where_nothing_is_installed_the_crude_voice_speaks(install):
    job = job_at(1.2, 0.5)
    fake = forge(SpeakAudio(), job)
    np.testing.assert_array_equal(fake, forge(SpeakAudio(SpeakConfig(voice="formant")), job))
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.3


def test_any_voice_means_those_that_are_installed(install, piper_model):
    logs = [install(name) for name in ("espeak-ng", "flite", "piper")]
    forger = SpeakAudio(SpeakConfig(piper_model=piper_model))
    for seed in range(12):
        forge(forger, job_at(1.2, 0.3), seed)
    assert all(log.exists() for log in logs)


def test_what_piper_said_once_is_kept(install, piper_model):
    log = install("piper")
    forger = SpeakAudio(SpeakConfig(voice="piper", piper_model=piper_model))
    for _ in range(3):
        forge(forger, job_at(1.2, 0.3), seed=5)
    assert len(log.read_text().splitlines()) == 1


def test_any_other_program_is_run_by_its_command(install):
    log = install("flite")
    forger = SpeakAudio(SpeakConfig(command=("flite", "--loud", "-o", "{out}")))
    assert strongest_hz(forge(forger, job_at(1.2, 0.5))) == pytest.approx(390, abs=5)
    (arguments, text) = eval(log.read_text().splitlines()[0])  # noqa: S307 - our own script's
    assert arguments[:2] == ["--loud", "-o"]
    assert text.decode().strip() in tts_voices.PASSAGES


def test_a_program_that_says_little_is_asked_again(install):
    log = install("flite", size=9_000)
    job = job_at(1.2, 1.0)
    assert forge(SpeakAudio(SpeakConfig(voice="flite")), job).size == job.span.size
    assert len(log.read_text().splitlines()) == 3
