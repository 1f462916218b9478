"""The encoder of one modality."""

import pytest
import torch

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.model.encoder import Encoder


def encoder(**settings):
    torch.manual_seed(0)
    return Encoder(6, ModelConfig(dims={"lips": 6}, gru_units=4, dense_units=5, **settings)).eval()


@pytest.mark.parametrize("input_units", [None, 3])
def test_the_bi_gru_reads_as_many_units_as_the_layer_in_front_of_it_has(input_units):
    network = encoder(input_units=input_units)
    assert network.gru.input_size == (input_units or 6)
    assert network.dim == 6
    assert network(torch.randn(2, 7, 6)).shape == (2, 7, 5)


@pytest.mark.parametrize("input_units", [None, 3])
def test_padding_changes_nothing_with_a_layer_in_front_or_without(input_units):
    network = encoder(input_units=input_units)
    rows = torch.randn(1, 5, 6)
    padded = torch.cat([rows, torch.full((1, 3, 6), 9.0)], dim=1)
    mask = torch.arange(8)[None] < 5
    assert torch.allclose(network(padded, mask=mask)[:, :5], network(rows), atol=1e-6)


def test_rows_that_are_absent_count_as_the_mean_of_the_training_data():
    network = encoder(input_units=3)
    network.set_statistics([1.0] * 6, [2.0] * 6)
    rows = torch.randn(1, 4, 6)
    present = torch.tensor([[True, True, False, True]])
    at_mean = rows.clone()
    at_mean[:, 2] = 1.0
    assert torch.allclose(network(rows, present=present), network(at_mean), atol=1e-6)


def test_without_a_bi_gru_the_dense_layer_reads_each_snippet_by_itself():
    network = encoder(recurrent=False)
    rows = torch.randn(1, 7, 6)
    expected = torch.relu(rows @ network.dense.weight.T + network.dense.bias)
    assert torch.allclose(network(rows), expected, atol=1e-6)
    assert torch.allclose(network(rows)[:, 3:4], network(rows[:, 3:4]), atol=1e-6)


def test_without_a_bi_gru_a_layer_in_front_still_shortens_long_vectors():
    network = encoder(recurrent=False, input_units=3)
    assert network.dense.in_features == 3
    assert network(torch.randn(2, 7, 6)).shape == (2, 7, 5)


def test_without_a_dense_layer_the_stream_is_what_the_bi_gru_returns():
    network = encoder(dense=False)
    rows = torch.randn(2, 7, 6)
    assert torch.equal(network(rows), network.gru(rows)[0])
    assert network(rows).shape == (2, 7, 8)
