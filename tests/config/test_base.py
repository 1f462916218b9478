"""Settings: what is misspelt is named, with what would have been right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmmsba_plugin import config
from mmmsba_plugin.config import (
    Config,
    FeaturesConfig,
    LocalizationConfig,
    TrainConfig,
)
from mmmsba_plugin.errors import ConfigError

CONFIGS = [c for c in vars(config).values() if isinstance(c, type) and issubclass(c, Config)]


@pytest.mark.parametrize("config_class", CONFIGS)
def test_every_setting_has_a_sentence_that_says_what_it_is(config_class):
    assert all(
        (field.description or "").endswith(".") for field in config_class.model_fields.values()
    )


@given(st.text(max_size=20).filter(lambda key: key not in LocalizationConfig.model_fields))
def test_a_misspelt_key_is_named_with_all_that_are_allowed(key):
    with pytest.raises(ConfigError) as caught:
        LocalizationConfig.read({key: 1})
    message = str(caught.value)
    assert message.startswith(f"LocalizationConfig: {key or 'settings'}")
    assert message.endswith("Allowed keys: " + ", ".join(LocalizationConfig.model_fields))


@pytest.mark.parametrize(
    ("config_class", "settings", "text"),
    [
        (
            FeaturesConfig,
            {"media": {"sample_rate": 8000}},
            r"media\.sample_rate: .*keys of MediaConfig: .*max_fps_hz, sample_rate_hz$",
        ),
        (
            FeaturesConfig,
            {"front_ends": {"face": {"nam": "x", "name": "x"}}},
            r"front_ends\.face\.nam: .*keys of FrontEndChoice: name, settings$",
        ),
        (TrainConfig, {"loss": {"gamma": 2}}, r"loss\.gamma: .*keys of LossConfig: focal_alpha,"),
    ],
)
def test_a_key_misspelt_inside_a_section_is_answered_with_the_keys_of_that_place(
    config_class, settings, text
):
    with pytest.raises(ConfigError, match=text):
        config_class.read(settings)


def test_a_value_out_of_bounds_is_refused_with_its_bound():
    with pytest.raises(ConfigError, match="onset: Input should be less than or equal to 1"):
        LocalizationConfig.read({"onset": 1.5})


def test_settings_that_do_not_go_together_are_refused_in_our_words():
    with pytest.raises(ConfigError, match=r"settings: offset 0\.6 must not be above"):
        LocalizationConfig.read({"onset": 0.5, "offset": 0.6})


def test_a_section_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        LocalizationConfig().onset = 0.1


@pytest.mark.parametrize("config_class", [FeaturesConfig, LocalizationConfig, TrainConfig])
def test_settings_survive_json(config_class):
    settings = config_class()
    assert config_class.read(json.loads(settings.model_dump_json())) == settings
