"""Short-time Fourier transforms and spectral envelopes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.audio.stft import (
    compute_stft,
    invert_stft,
    window_size,
)

from .speech import formant_of, noise, vowel


@given(size=st.integers(1024, 9000), window=st.sampled_from([512, 1024]))
@settings(max_examples=15, deadline=None)
def test_spectra_are_undone(size, window):
    audio = noise(1.0)[:size]
    np.testing.assert_allclose(invert_stft(compute_stft(audio, window), size), audio, atol=1e-5)


@given(window_s=st.floats(0.01, 0.1), rate_hz=st.sampled_from([8_000, 16_000, 44_100]))
def test_a_window_is_a_power_of_two_near_what_was_asked(window_s, rate_hz):
    size = window_size(window_s, rate_hz)
    assert size & (size - 1) == 0
    assert 2**-0.51 < size / (window_s * rate_hz) < 2**0.51


def test_a_spectral_envelope_peaks_where_the_resonance_is():
    assert formant_of(vowel(1200)) == pytest.approx(1200, abs=70)
