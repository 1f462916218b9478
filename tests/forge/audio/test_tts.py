"""The forger ``speak``: which voice speaks, and how often."""

import numpy as np
import pytest

from mmmsba_plugin.forge.audio import tts_voices
from mmmsba_plugin.forge.audio.loudness import (
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.tts import SpeakAudio, SpeakConfig, SpeakNeuralConfig

from .speech import RATE_HZ, forge, job_at, strongest_hz


def test_where_nothing_is_installed_the_crude_voice_speaks(install):
    job = job_at(1.2, 0.5)
    fake = forge(SpeakAudio(), job)
    np.testing.assert_array_equal(fake, forge(SpeakAudio(SpeakConfig(voice="formant")), job))
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.3


def test_any_voice_means_those_that_are_installed_and_no_network(install, piper_model):
    logs = [install(name) for name in ("espeak-ng", "flite")]
    neural = [install(name) for name in ("piper", "hibari")]
    forger = SpeakAudio(SpeakConfig(piper_model=piper_model))
    for seed in range(12):
        forge(forger, job_at(1.2, 0.3), seed)
    assert all(log.exists() for log in logs)
    assert not any(log.exists() for log in neural)


def test_a_neural_voice_is_several_speakers(install):
    log = install("hibari")
    forger = SpeakAudio(SpeakNeuralConfig())
    tones_hz = {round(strongest_hz(forge(forger, job_at(1.2, 0.5), seed))) for seed in range(8)}
    assert min(tones_hz) < 370
    assert max(tones_hz) > 410
    assert all(330 < tone_hz < 460 for tone_hz in tones_hz)
    (arguments, _) = eval(log.read_text().splitlines()[0])  # noqa: S307 - our own script's
    assert arguments[:2] == ["--voice", "heart"]


def test_the_real_neural_voice_speaks():
    pytest.importorskip("hibari", reason="the extra 'speech' is not installed")
    job = job_at(1.2, 0.8)
    fake = forge(SpeakAudio(SpeakNeuralConfig()), job)
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.5


def test_speech_of_piper_is_cached(install, piper_model):
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
