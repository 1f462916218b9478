"""Outputs are smoothed along time, over what is present."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from mmmsba_plugin.model.smoothing import smooth


@pytest.mark.parametrize("sigma", [0.5, 2.0, 8.0])
def test_it_is_a_gaussian_that_leaves_out_what_is_absent(sigma):
    values = torch.randn(2, 40, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    present = torch.ones(2, 40, dtype=torch.bool)
    present[1, 10:16] = False

    def filtered(array):
        return gaussian_filter1d(array, sigma, axis=1, mode="constant", truncate=4)

    weights = present[..., None].double().numpy()
    sums, totals = filtered(values.numpy() * weights), filtered(weights)
    smoothed = smooth(values, present, sigma=sigma)
    expected = sums[present] / totals[present]
    assert smoothed[present].numpy() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert torch.equal(smoothed[~present], values[~present])


def test_what_does_not_change_stays():
    values = torch.full((1, 9, 2), 3.0)
    present = torch.arange(9)[None] % 4 > 0
    assert np.allclose(smooth(values, present, sigma=3.0), 3.0)


def test_a_sequence_shorter_than_the_gaussian_has_its_mean():
    values = torch.tensor([[[0.0], [1.0]]])
    present = torch.ones(1, 2, dtype=torch.bool)
    assert smooth(values, present, sigma=100.0).flatten().tolist() == pytest.approx(
        [0.5, 0.5], abs=1e-4
    )
