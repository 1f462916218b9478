"""Settings of a training run, filled up by those of its preset."""

import pytest

from mmmsba_plugin.config import PRESET_DEFAULTS, FitConfig
from mmmsba_plugin.errors import ConfigError


@pytest.mark.parametrize("settings", [[], {"preset": ["mmmsba"]}, {"preset": "mmmsba", "train": 3}])
def test_settings_of_another_kind_are_refused_and_do_not_crash(settings):
    with pytest.raises(ConfigError, match=r"FitConfig: .*(valid dictionary|should be)"):
        FitConfig.read(settings)


def test_a_preset_fills_up_what_a_run_leaves_open():
    config = FitConfig.read({"preset": "mmmsba", "train": {"seed": 3}})
    defaults = PRESET_DEFAULTS["mmmsba"]
    assert config.train.seed == 3
    assert config.train.batch_size == defaults["train"]["batch_size"]
    assert config.false_positive_rate == defaults["false_positive_rate"]
    assert config.num_members == 8


def test_what_a_run_says_goes_before_its_preset():
    config = FitConfig.read({"preset": "mmmsba", "network": {"members": 1, "gru_units": 3}})
    (member,) = config.members({"audio": 2})
    assert (member.gru_units, member.dense_units, member.dims) == (3, 64, {"audio": 2})


def test_enc_dec_reads_face_and_audio_alone():
    assert set(FitConfig.read({"preset": "enc-dec"}).features.front_ends) == {"face", "audio"}
    lips = {"front_ends": {"lips": {"name": "lips-texture"}}}
    with pytest.raises(ConfigError, match="reads audio and face; leave one of them in"):
        FitConfig.read({"preset": "enc-dec", "features": lips})


def test_a_setting_of_the_network_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="gru_unit: Extra"):
        FitConfig.read({"network": {"gru_unit": 4}})
