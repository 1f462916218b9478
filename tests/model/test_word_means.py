"""Words are scored as wholes, by the numbers of their equations written out in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import erf

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features.words import NUM_TIMES, word_rows
from mmmsba_plugin.media.transcript import Word
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.word_means import WordMeans, word_indices
from mmmsba_plugin.timebase import Grid

from .systems import NumpyWeights, with_random_weights

WIDTH = 6
#: A pause, two words that touch, a pause, a word.
WORDS = (Word("", 0.2, 0.4), Word("", 0.4, 0.7), Word("", 0.9, 1.0))
INDICES = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4]


def text():
    return torch.from_numpy(word_rows(WORDS, Grid(stride_s=0.1), 10, num_hashes=0))[None]


def test_words_and_the_pauses_between_them_are_numbered():
    assert word_indices(text()).tolist() == [INDICES]


def test_where_nothing_is_told_each_snippet_stands_for_itself():
    half = text()
    half[:, 5:] = 0.0
    assert word_indices(half).tolist() == [[0, 0, 1, 1, 2, 3, 4, 5, 6, 7]]
    assert word_indices(torch.zeros(1, 3, NUM_TIMES)).tolist() == [[0, 1, 2]]


def test_it_gives_the_numbers_of_its_equations():
    network = with_random_weights(WordMeans(WIDTH))
    rows = torch.randn(1, 10, WIDTH, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(1, 10, dtype=torch.bool)
    mask[0, 5] = False
    output = network(rows, text(), mask)[0].detach().numpy()
    layers, values = NumpyWeights(network), rows[0].double().numpy()
    hidden = layers.linear("hidden", layers.norm("norm", values))
    hidden = 0.5 * hidden * (1 + erf(hidden / np.sqrt(2)))
    realigned = values + layers.linear("realign", hidden)
    for index, number in enumerate(INDICES):
        own = [i for i, other in enumerate(INDICES) if other == number and i != 5]
        np.testing.assert_allclose(output[index], realigned[own].mean(axis=0), atol=1e-5)


def test_all_snippets_of_a_word_have_one_score():
    dims = {"audio": 3, "text": NUM_TIMES}
    config = ModelConfig(dims=dims, attention="none", recurrent=False, pool_words=True)
    network = with_random_weights(MmmsBa(config))
    inputs = {"audio": torch.randn(1, 10, 3), "text": text()}
    scores = network(inputs).scores[0]
    for first, second, before, after in zip(
        INDICES[:-1], INDICES[1:], scores[:-1], scores[1:], strict=True
    ):
        assert torch.isclose(before, after, atol=1e-6) == (first == second)


def test_a_network_that_scores_words_needs_to_be_told_where_they_begin():
    with pytest.raises(ConfigError, match="pool_words needs the modality text"):
        MmmsBa(ModelConfig(dims={"audio": 3}, pool_words=True))
