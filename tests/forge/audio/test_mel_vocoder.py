"""Resynthesis from mel spectrograms, and codecs."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import get_window

from mmmsba_plugin.forge.audio.mel_vocoder import (
    Recode,
    RecodeConfig,
    Resynth,
    ResynthConfig,
    pass_through_mel,
)

from .speech import RATE_HZ, apart_db, forge, job_at, tone


def test_resynthesis_keeps_the_bands_and_loses_the_wave():
    job = job_at(1.2, 1.0)
    fake = forge(Resynth(ResynthConfig(num_mels=(80, 80), num_rounds=(32, 32))), job)
    assert apart_db(job.span, fake) < 5
    # The wave itself is another one: its phases were guessed.
    assert abs(np.corrcoef(fake, job.span)[0, 1]) < 0.9


def test_more_bands_and_rounds_come_closer():
    job = job_at(1.2, 1.0)
    coarse, fine = (
        Resynth(ResynthConfig(num_mels=(mels, mels), num_rounds=(rounds, rounds)))
        for mels, rounds in ((30, 4), (100, 32))
    )
    assert apart_db(job.span, forge(fine, job)) < apart_db(job.span, forge(coarse, job))


@given(num_mels=st.integers(10, 120), level=st.floats(1e-3, 10))
@settings(max_examples=20, deadline=None)
def test_a_flat_spectrum_stays_flat_in_bands(num_mels, level):
    magnitudes = np.full((513, 3), level, dtype=np.float32)
    banded = pass_through_mel(magnitudes, num_mels, RATE_HZ)
    # Outside the middles of the first and the last band it falls off.
    middles_hz = librosa.mel_frequencies(num_mels + 2, fmin=0, fmax=RATE_HZ / 2)[1:-1]
    bins_hz = np.arange(513) * RATE_HZ / 1024
    inside = (bins_hz >= middles_hz[0]) & (bins_hz <= middles_hz[-1])
    np.testing.assert_allclose(banded[inside], level, rtol=1e-4)


def test_a_codec_s_treble_is_a_copy_of_its_middle():
    # Below the cut a tone, above it noise: what is regrown from a tone is tones again.
    rng = np.random.default_rng(0)
    audio = tone(1500, level=0.1) + 0.01 * rng.standard_normal(4 * RATE_HZ).astype(np.float32)
    config = RecodeConfig(
        low_band_share=(0.3, 0.3), phase_error_rad=(1e-6, 1e-6), level_error_db=(1e-6, 1e-6)
    )
    job = job_at(1.0, 1.0, audio=audio)
    fake = forge(Recode(config), job)

    def peaks(band):
        spectrum = np.abs(np.fft.rfft(band * get_window("hann", band.size)))
        treble = spectrum[spectrum.size // 2 :]
        return float(treble.max() / np.median(treble))

    assert peaks(fake) > 3 * peaks(job.span)
    # Below the cut nothing was done.
    low_now, low_was = (np.fft.rfft(s)[:2000] for s in (fake[800:-800], job.span[800:-800]))
    assert np.linalg.norm(low_now - low_was) < 0.05 * np.linalg.norm(low_was)


@pytest.mark.parametrize("share", [1e-6, 1.0])
def test_a_codec_may_keep_next_to_nothing_or_all(share):
    fake = forge(Recode(RecodeConfig(low_band_share=(share, share))), job_at(1.2, 0.4))
    assert np.isfinite(fake).all()
