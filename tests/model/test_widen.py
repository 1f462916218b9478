"""A widened network starts from what the old one knows."""

import pytest
import torch
from torch.testing import assert_close

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.widen import widen

DIMS = {"face": 6, "audio": 4, "lips": 3}
# The same products, summed beside zeros.
SAME = {"atol": 1e-6, "rtol": 0.0}


def make(modalities=tuple(DIMS), **settings):
    torch.manual_seed(0)
    dims = {name: DIMS[name] for name in modalities}
    return MmmsBa(ModelConfig(dims=dims, gru_units=8, dense_units=5, **settings)).eval()


def rows(*modalities):
    torch.manual_seed(1)
    return {name: torch.randn(2, 9, {**DIMS, "text": 7}[name]) for name in modalities}


@pytest.mark.parametrize("attention", ["mmms-ba", "ms-sa", "none"])
@pytest.mark.parametrize(
    "settings", [{}, {"joint_layers": 2}, {"input_units": 3}, {"dense": False}]
)
def test_three_modalities_and_text_score_as_the_three_did(attention, settings):
    network = make(attention=attention, **settings)
    inputs = rows("face", "audio", "lips", "text")
    wide = widen(network, {"text": 7})
    three = {name: inputs[name] for name in DIMS}
    for head, output in network(three).heads.items():
        assert_close(wide(inputs).heads[head], output, **SAME)
        assert_close(wide(three).heads[head], output, **SAME)


def test_modalities_of_one_softmax_score_the_same_where_text_is_missing():
    network = make(attention="mmus-sa")
    inputs = rows("face", "audio", "lips")
    assert_close(widen(network, {"text": 7})(inputs).scores, network(inputs).scores, **SAME)


@pytest.mark.parametrize("missing", DIMS)
def test_two_modalities_can_be_widened_by_any_third(missing):
    network = make(tuple(name for name in DIMS if name != missing))
    inputs = rows(*DIMS)
    two = {name: inputs[name] for name in network.modalities}
    wide = widen(network, {missing: DIMS[missing]})
    assert_close(wide(inputs).scores, network(two).scores, **SAME)


def test_what_is_new_can_be_learned():
    wide = widen(make(), {"text": 7}).train()
    wide(rows("face", "audio", "lips", "text")).heads["classify"].sum().backward()
    columns = wide.get_parameter("classify.weight").grad.split(5, dim=1)
    assert all(block.abs().sum() > 0 for block in columns)


def test_an_ensemble_is_widened_member_by_member():
    ensemble = Ensemble([make(), make()])
    wide = Ensemble([widen(member, {"text": 7}) for member in ensemble])
    assert wide.dims == {**DIMS, "text": 7}


def test_a_modality_that_is_there_already_is_refused():
    with pytest.raises(ConfigError, match="audio already"):
        widen(make(), {"audio": 4})
