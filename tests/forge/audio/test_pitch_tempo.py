"""Pitch shift and change of tempo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.audio.loudness import (
    compute_rms,
)
from mmmsba_plugin.forge.audio.pitch_tempo import (
    ChangeTempo,
    PitchConfig,
    ShiftPitch,
    TempoConfig,
)

from .speech import FADE, RATE_HZ, forge, job_at, strongest_hz, talk, tone


@given(semitones=st.floats(1, 4), seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_pitch_moves_by_as_many_semitones(semitones, seed):
    job = job_at(1.0, 1.0, audio=tone(300))
    forger = ShiftPitch(PitchConfig(semitones=(semitones, semitones)))
    ratio = strongest_hz(forge(forger, job, seed)[FADE:-FADE]) / 300
    assert abs(12 * np.log2(ratio)) == pytest.approx(semitones, abs=0.1)


def test_pitch_goes_up_and_down():
    job = job_at(1.0, 0.5, audio=tone(300))
    is_higher = {strongest_hz(forge(ShiftPitch(), job, seed)) > 300 for seed in range(10)}
    assert is_higher == {True, False}


@pytest.mark.parametrize("factor", [1.2, 1.5])
def test_tempo_moves_beats_closer_or_apart(factor):
    rng = np.random.default_rng(0)
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    beats = 0.2 * rng.standard_normal(times_s.size) * (np.mod(times_s, 0.2) < 0.08)
    job = job_at(1.0, 1.2, audio=(beats + 1e-4).astype(np.float32))
    periods_s = set()
    for seed in range(8):
        fake = forge(ChangeTempo(TempoConfig(factor=(factor, factor))), job, seed)
        swell = np.convolve(fake.astype(np.float64) ** 2, np.hanning(800), mode="same")
        swell -= swell.mean()
        self_similarity = np.correlate(swell[::40], swell[::40], mode="full")[swell[::40].size :]
        # 2.5 ms a step; the first beat apart lies between 0.1 and 0.35 s.
        periods_s.add(0.0025 * (40 + int(np.argmax(self_similarity[39:140]))))
    closer, wider = min(periods_s), max(periods_s)
    assert closer == pytest.approx(0.2 / factor, rel=0.06)
    assert wider == pytest.approx(0.2 * factor, rel=0.06)


def test_what_is_hurried_ends_in_the_audio_of_the_room():
    audio = talk() + np.random.default_rng(0).normal(0, 1e-3, talk().size).astype(np.float32)
    job = job_at(1.2, 1.0, audio=audio)
    rests = []
    for seed in range(8):
        fake = forge(ChangeTempo(TempoConfig(factor=(1.6, 1.6))), job, seed)
        rests.append(compute_rms(fake[-4000:-FADE]))
    # Drawn out, speech goes on to the end; hurried, there is a rest as loud as the room.
    assert min(rests) == pytest.approx(1.1e-3, rel=0.3)
    assert max(rests) > 0.02
