"""Thresholds for stated rates, of checkpoints and of adapted detectors alike."""

import pytest

from mmmsba_plugin.config import OperatingPointConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import ScoreThreshold

CONFIG = OperatingPointConfig(
    score_threshold=ScoreThreshold(value=0.5, false_positive_rate=0.1),
    score_thresholds=(ScoreThreshold(value=0.9, false_positive_rate=0.01),),
)


def test_rates_are_listed_in_rising_order():
    assert CONFIG.false_positive_rates == (0.01, 0.1)


def test_a_rate_that_was_computed_finds_its_threshold():
    at_rate = CONFIG.at_false_positive_rate(0.1 * 0.1)
    assert at_rate.score_threshold.value == at_rate.localization.onset == 0.9


def test_a_rate_without_a_threshold_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"rate of 0\.2: choose from 0\.01, 0\.1"):
        CONFIG.at_false_positive_rate(0.2)
