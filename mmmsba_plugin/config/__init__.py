"""Settings, one frozen model a topic.

A misspelt key is an error. The sentence beside a field is also its help text.
"""

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.config.features import FeaturesConfig, FrontEndChoice, MediaConfig, TracksConfig
from mmmsba_plugin.config.localization import Calibration, CalibrationMethod, LocalizationConfig
from mmmsba_plugin.config.model import (
    PRESET_DEFAULTS,
    PRESET_MODALITIES,
    PRESETS,
    Attention,
    EnsembleConfig,
    ModelConfig,
    Preset,
    dims_read,
)
from mmmsba_plugin.config.operating_point import OperatingPointConfig
from mmmsba_plugin.config.runtime import Runtime, RuntimeConfig
from mmmsba_plugin.config.training import FitConfig, LossConfig, Origin, TrainConfig, TuneConfig

__all__ = [
    "PRESETS",
    "PRESET_DEFAULTS",
    "PRESET_MODALITIES",
    "Attention",
    "Calibration",
    "CalibrationMethod",
    "Config",
    "EnsembleConfig",
    "FeaturesConfig",
    "FitConfig",
    "FrontEndChoice",
    "LocalizationConfig",
    "LossConfig",
    "MediaConfig",
    "ModelConfig",
    "OperatingPointConfig",
    "Origin",
    "Preset",
    "Runtime",
    "RuntimeConfig",
    "TracksConfig",
    "TrainConfig",
    "TuneConfig",
    "dims_read",
]
