"""Speech-quality embeddings by the encoder that ships with the package."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.features.embeddings import quality

RATE_HZ = 16_000


def noise(num_samples, seed=0):
    return (0.1 * np.random.default_rng(seed).normal(size=num_samples)).astype(np.float32)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4 * quality.STEP))
def test_there_is_an_embedding_for_every_step_that_begins(num_samples):
    embeddings = quality.quality_embeddings(noise(num_samples, num_samples))
    assert embeddings.shape == (-(-num_samples // quality.STEP), quality.NUM_VALUES)
    assert np.isfinite(embeddings).all()


def test_embeddings_do_not_depend_on_the_level():
    audio = noise(RATE_HZ)
    loud, soft = quality.quality_embeddings(audio), quality.quality_embeddings(audio / 50)
    assert loud == pytest.approx(soft, abs=1e-2)


def test_embeddings_are_the_same_where_the_audio_is_cut_into_batches():
    # Longer than a batch, and a shift by one step: the joints lie elsewhere, nothing else moves.
    audio = noise(10 * RATE_HZ)
    audio[100 * quality.STEP] = 1.0
    whole, shifted = map(quality.quality_embeddings, (audio, audio[quality.STEP :]))
    inner = slice(20, -20)
    assert whole[1:][inner] == pytest.approx(shifted[inner], abs=1e-2)


def test_embeddings_move_where_the_audio_does():
    audio = np.tile(noise(quality.STEP), 100)
    audio[50 * quality.STEP : 52 * quality.STEP] *= np.hanning(2 * quality.STEP) * 3
    embeddings = quality.quality_embeddings(audio.astype(np.float32))
    moved = np.abs(embeddings - np.median(embeddings, axis=0)).max(axis=1)
    assert 48 <= moved[10:-10].argmax() + 10 <= 54
    assert moved[10:40].max() < 0.2 * moved[48:54].max()


def test_audio_of_any_length_is_convolved_in_few_sizes():
    # PyTorch keeps 4 MiB for each size that it met, so that memory grew with every clip.
    convolutions, _ = quality.load_encoder()
    sizes = set()
    handle = convolutions.register_forward_pre_hook(lambda _, inputs: sizes.add(inputs[0].shape))
    for num_steps in range(1, 320, 23):
        quality.quality_embeddings(noise(num_steps * quality.STEP))
    handle.remove()
    assert len(sizes) <= 3


def test_silence_has_finite_embeddings():
    assert np.isfinite(quality.quality_embeddings(np.zeros(RATE_HZ, np.float32))).all()
