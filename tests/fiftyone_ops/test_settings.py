"""Tests of settings: their bounds, and what they ask for."""

import pytest

from fiftyone_ops import settings
from fiftyone_ops.settings import (
    DetectSettings,
    EvaluateSettings,
    ExportSettings,
    ImportSettings,
    ReviewReportSettings,
)
from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ConfigError

CLASSES = [
    value
    for value in vars(settings).values()
    if isinstance(value, type) and issubclass(value, Config) and value is not Config
]


@pytest.mark.parametrize("config_class", CLASSES)
def test_every_setting_has_a_sentence_for_the_form(config_class):
    for name, field in config_class.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize(
    ("config_class", "values", "message"),
    [
        (DetectSettings, {"threshold": 0.5, "false_positive_rate": 0.1}, "not both"),
        (DetectSettings, {"label_field": "1st"}, "label_field"),
        (DetectSettings, {"false_positive_rate": 1}, "false_positive_rate"),
        (DetectSettings, {"existing": "maybe"}, "existing"),
        (EvaluateSettings, {"tiou": 1.5}, "tiou"),
        (ImportSettings, {}, "say which dataset"),
        (ExportSettings, {}, "say where to"),
        (ReviewReportSettings, {}, "say where to"),
    ],
)
def test_a_setting_out_of_bounds_is_refused(config_class, values, message):
    with pytest.raises(ConfigError, match=message):
        config_class.read(values)
