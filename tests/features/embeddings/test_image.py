"""Image embeddings by the encoder that ships with the package."""

import cv2
import numpy as np
import pytest

from mmmsba_plugin.features.embeddings import image


def noise(num, size_px=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (num, size_px, size_px, 3), np.uint8)


@pytest.mark.parametrize("size_px", [33, 96, 160])
def test_an_embedding_has_the_same_length_at_any_size(size_px):
    embeddings = image.image_embeddings(noise(2, size_px))
    assert embeddings.shape == (2, image.NUM_VALUES)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()


def test_an_embedding_does_not_depend_on_the_images_beside_it():
    images = noise(3)
    alone = np.concatenate([image.image_embeddings(rgb[None]) for rgb in images])
    assert image.image_embeddings(images) == pytest.approx(alone, abs=1e-3)


def test_an_embedding_moves_when_detail_is_lost():
    sharp = noise(1)
    blurred = cv2.GaussianBlur(sharp[0], (0, 0), 2.0)[None]
    flipped = sharp[:, :, ::-1].copy()
    base, soft, mirrored = map(image.image_embeddings, (sharp, blurred, flipped))
    assert np.abs(soft - base).mean() > 3 * np.abs(mirrored - base).mean()


def test_padding_is_that_of_tensorflow_which_puts_more_behind():
    import torch

    encoder = image.load_encoder()
    pixels = torch.zeros(1, 3, 8, 8)
    pixels[0, :, 7, 7] = 1.0
    # Of a side of 8, a kernel of 3 with stride 2 pads nothing in front and one behind: the last
    # place sees the last pixel in the middle of its kernel.
    weight, bias = encoder.stem.weight, encoder.stem.bias
    expected = (weight[:, :, 1, 1].sum(dim=1) + bias).clamp(0, 6)
    assert encoder(pixels)[0][0, :, 3, 3] == pytest.approx(expected.numpy(), abs=1e-5)
