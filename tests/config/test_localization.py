"""Settings of localization and calibration that cannot be are refused."""

import pytest

from mmmsba_plugin.config import Calibration, LocalizationConfig
from mmmsba_plugin.errors import ConfigError


def test_settings_at_odds_with_each_other_are_refused():
    with pytest.raises(ConfigError, match=r"offset 0\.6 must not be above onset 0\.5"):
        LocalizationConfig.read({"onset": 0.5, "offset": 0.6})


@pytest.mark.parametrize(("onset", "offset"), [(0.7, 0.35), (0.2, 0.2)])
def test_the_offset_is_never_above_another_onset(onset, offset):
    config = LocalizationConfig(onset=0.5, offset=0.35, min_segment_s=0.3).at(onset)
    assert (config.onset, config.offset, config.min_segment_s) == (onset, offset, 0.3)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"method": "isotonic"}, "an isotonic curve, and no other, has scores"),
        ({"scores": [0.1], "probabilities": [0.2]}, "an isotonic curve, and no other"),
        (
            {"method": "isotonic", "scores": [0.2, 0.1], "probabilities": [0.2, 0.3]},
            "scores must rise, with one probability each, which never falls",
        ),
        (
            {"method": "isotonic", "scores": [0.1, 0.2], "probabilities": [0.3, 0.2]},
            "which never falls",
        ),
        (
            {"method": "isotonic", "scores": [0.1, 0.2], "probabilities": [0.3]},
            "with one probability each",
        ),
        ({"method": "temperature", "temperature": 0}, "greater than or equal to 0.01"),
    ],
)
def test_a_curve_that_does_not_rise_is_refused(settings, text):
    with pytest.raises(ConfigError, match=text):
        Calibration.read(settings)
