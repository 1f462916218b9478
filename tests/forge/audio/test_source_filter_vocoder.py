"""Pitch tracking and the source-filter vocoder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from mmmsba_plugin.forge.audio.source_filter_vocoder import (
    Vocode,
    VocodeConfig,
    flatten_pitch,
    track_pitch,
)

from .speech import RATE_HZ, forge, job_at, noise, talk


@given(hz=st.floats(80, 380))
@settings(max_examples=30, deadline=None)
def test_a_melody_is_found(hz):
    pulses = np.diff(np.floor(np.arange(RATE_HZ) * hz / RATE_HZ), prepend=0.0)
    voice = lfilter([1.0], [1.0, -0.95], pulses - pulses.mean()).astype(np.float32)
    pitch_track = track_pitch(voice, RATE_HZ)
    assert np.median(pitch_track.pitch_hz[5:-5]) == pytest.approx(hz, rel=0.03)
    assert np.median(pitch_track.voicing[5:-5]) > 0.8


def test_noise_and_silence_have_no_melody():
    for audio in (noise(1.0), np.zeros(RATE_HZ, np.float32)):
        assert np.median(track_pitch(audio, RATE_HZ).voicing) < 0.45


def test_a_melody_is_drawn_to_its_middle():
    pitch_track = track_pitch(talk(), RATE_HZ)
    spread = lambda m: np.std(np.log(m.pitch_hz[m.voicing > 0.45]))  # noqa: E731
    assert spread(flatten_pitch(pitch_track, 0.5)) == pytest.approx(0.5 * spread(pitch_track))
    assert spread(flatten_pitch(pitch_track, 1.0)) == pytest.approx(0.0, abs=1e-9)


def test_a_vocoder_keeps_the_melody_and_loses_the_wave():
    job = job_at(1.2, 1.0)
    config = VocodeConfig(breath=(0.01, 0.01), flatness=(0.001, 0.001))
    fake = forge(Vocode(config), job)
    was, now = (track_pitch(s, RATE_HZ) for s in (job.span, fake))
    voiced = (was.voicing > 0.6) & (now.voicing > 0.6)
    assert voiced.mean() > 0.4
    error = np.abs(np.log2(now.pitch_hz[voiced] / was.pitch_hz[voiced]))
    assert np.median(error) < 0.03
    assert abs(np.corrcoef(fake, job.span)[0, 1]) < 0.8
