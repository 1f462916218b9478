"""Anti-spoofing embeddings by the encoder that ships with the package."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.features.embeddings import spoofing

RATE_HZ = 16_000


def voice(pitch_hz, duration_s, *, formant_hz=700.0, seed=0):
    """Return a buzz at a pitch with one formant, a little like a vowel."""
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    harmonics = np.arange(1, int(7000 / pitch_hz))
    gains = np.exp(-(((harmonics * pitch_hz - formant_hz) / 400) ** 2)) + 0.02
    buzz = (gains[:, None] * np.sin(2 * np.pi * pitch_hz * harmonics[:, None] * times_s)).sum(
        axis=0
    )
    hiss = np.random.default_rng(seed).normal(scale=0.01, size=buzz.size)
    return (0.1 * buzz / np.abs(buzz).max() + 0.1 * hiss).astype(np.float32)


def test_embeddings_are_those_of_the_encoder_over_the_whole_audio():
    import torch

    step, batch = spoofing.STEP, spoofing._BATCH
    audio = np.random.default_rng(0).normal(scale=0.05, size=(2 * batch + 3) * step)
    audio = (audio * 0.05 / np.sqrt(np.mean(audio**2))).astype(np.float32)
    around = 2 * step + 64
    padded = torch.from_numpy(np.pad(audio, (around, around), mode="symmetric"))
    whole = spoofing.load_encoder()(padded[None, None])[0].abs()
    expected = torch.cat([whole.amax(dim=1), whole.mean(dim=1)]).T.detach().numpy()[2:-2]
    assert spoofing.spoofing_embeddings(audio) == pytest.approx(expected, abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 3 * spoofing.STEP))
def test_there_is_an_embedding_for_every_step_that_begins(num_samples):
    audio = np.random.default_rng(num_samples).normal(size=num_samples).astype(np.float32)
    embeddings = spoofing.spoofing_embeddings(audio)
    assert embeddings.shape == (-(-num_samples // spoofing.STEP), spoofing.NUM_VALUES)
    assert np.isfinite(embeddings).all()
    assert (embeddings >= 0).all()


def test_embeddings_move_with_the_audio():
    audio = np.zeros(20 * spoofing.STEP, dtype=np.float32)
    audio[10 * spoofing.STEP : 11 * spoofing.STEP] = voice(140, 1.0)[: spoofing.STEP]
    embeddings = spoofing.spoofing_embeddings(audio)
    changed = np.abs(embeddings - np.median(embeddings, axis=0)).max(axis=1)
    assert changed.argmax() in (10, 11)
    assert (changed[:8] < 1e-4).all()
    assert (changed[13:] < 1e-4).all()
