"""Weights of the bundled encoders, and audio that is mirrored beyond its ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.features.embeddings import image
from mmmsba_plugin.features.embeddings.bundled import batches, cut_mirrored, read_weights


@given(st.integers(1, 20), st.integers(-60, 60), st.integers(0, 60))
def test_a_cut_is_that_of_audio_padded_as_in_a_mirror(num_samples, start, length):
    samples = np.arange(num_samples, dtype=np.float32)
    padded = np.pad(samples, 120, mode="symmetric")
    expected = padded[120 + start : 120 + start + length]
    assert np.array_equal(cut_mirrored(samples, start, start + length), expected)


def test_weights_are_read_in_single_precision():
    import torch

    weights = read_weights(image.FILE, sha256=image.SHA256)
    assert {value.dtype for value in weights.values()} == {torch.float32}


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ModelFileError, match=r"nothing\.safetensors"):
        read_weights("nothing.safetensors", sha256="0")


def test_encoders_learn_nothing_more():
    assert not any(parameter.requires_grad for parameter in image.load_encoder().parameters())


@pytest.mark.parametrize("num", [1, 49, 50, 51, 150, 151, 320])
def test_batches_cover_all_items_and_have_few_sizes(num):
    bounds = list(batches(num, 150, 50))
    assert [first for first, _ in bounds] == list(range(0, num, 150))
    assert all(stop == first for (_, stop), (first, _) in pairwise(bounds))
    assert {stop - first for first, stop in bounds} <= {50, 100, 150}
    assert num <= bounds[-1][1] < num + 50
