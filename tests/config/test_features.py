"""Settings of features: which modalities there are."""

import pytest

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import ConfigError


def test_some_modalities_can_be_left_out_in_the_order_of_the_settings():
    config = FeaturesConfig(stride_s=0.04).only(["lips", "face"])
    assert list(config.front_ends) == ["face", "lips"]
    assert config.stride_s == 0.04


def test_a_modality_without_a_front_end_is_answered_with_those_there_are():
    with pytest.raises(ConfigError, match="serves text; choose from face, audio"):
        FeaturesConfig().only(["face", "text"])


@pytest.mark.parametrize(
    "settings",
    [
        {"stride_s": 1e-9},
        {"media": {"max_short_side_px": 10**9}},
        {"media": {"sample_rate_hz": 10**12}},
    ],
    ids=str,
)
def test_settings_that_would_cost_memory_without_bound_are_refused(settings):
    with pytest.raises(ConfigError, match=r"Input should be (less|greater) than or equal to"):
        FeaturesConfig.read(settings)
