"""Settings of networks: presets, heads, and what members change."""

from typing import get_args

import pytest

from mmmsba_plugin.config import PRESETS, EnsembleConfig, FitConfig, ModelConfig, Preset
from mmmsba_plugin.errors import ConfigError


def test_each_preset_can_be_chosen_by_its_name():
    assert get_args(Preset) == tuple(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_changes_only_settings_that_exist(preset):
    assert EnsembleConfig.read({"dims": {"face": 3}, **PRESETS[preset]}).dims == {"face": 3}


@pytest.mark.parametrize("heads", [[], ["regress"], ["classify", "classify"]])
def test_a_network_has_one_head_that_scores(heads):
    with pytest.raises(ConfigError, match="heads must name classify"):
        ModelConfig.read({"dims": {"audio": 1}, "heads": heads})


def test_a_configuration_says_what_each_member_changes():
    changes = [{"gru_units": 4}, {"attention": "none"}]
    first, second = FitConfig(network={"gru_units": 7, "members": changes}).members({"audio": 4})
    assert (first.gru_units, first.attention) == (4, "mmms-ba")
    assert (second.gru_units, second.attention) == (7, "none")
    with pytest.raises(ConfigError, match="gru_unit: Extra"):
        FitConfig.read({"network": {"members": [{"gru_unit": 4}]}})


@pytest.mark.parametrize("members", [0, 1000, "x", None, 2.5, []])
def test_a_number_of_members_that_cannot_be_is_refused_before_anything_is_read(members):
    with pytest.raises(ConfigError, match="members"):
        FitConfig.read({"network": {"members": members}})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"recurrent": False, "dense": False}, "needs a dense layer of its own"),
        ({"recurrent": False, "joint_layers": 1}, "needs a dense layer of its own"),
        ({"residual": False, "attention": "none"}, "the heads need the residual"),
    ],
)
def test_a_network_of_which_nothing_is_left_is_refused(settings, reason):
    with pytest.raises(ConfigError, match=reason):
        ModelConfig.read({"dims": {"audio": 1}, **settings})


def test_a_network_is_whole_unless_a_component_is_switched_off():
    config = ModelConfig.read({"dims": {"audio": 1}})
    assert config.gate
    assert config.residual
    assert config.recurrent
    assert config.has_dense
