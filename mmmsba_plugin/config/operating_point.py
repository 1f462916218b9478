"""Operating points: from which score on a clip, and a segment of it, counts as fake."""

import math
from typing import Self

from pydantic import Field

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.config.localization import Calibration, LocalizationConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import Score, ScoreThreshold

#: From the lowest score of real clips to the highest, in steps of a percent.
NUM_QUANTILES = 101

_NO_RATES = (
    "there is none for any, as the detector was held against fewer than ten real clips; leave the "
    "rate out, and calibrate it or train with more of them"
)


class OperatingPointConfig(Config):
    """Thresholds and calibration of a detector, and how its scores become segments."""

    localization: LocalizationConfig = Field(
        default=LocalizationConfig(), description="Settings of localization."
    )
    score_threshold: ScoreThreshold = Field(
        default=ScoreThreshold(value=0.5),
        description="Score from which a clip counts as fake, before calibration.",
    )
    score_thresholds: tuple[ScoreThreshold, ...] = Field(
        default=(), description="Others to choose from, for stated false-positive rates."
    )
    real_scores: tuple[Score, ...] = Field(
        default=(),
        max_length=NUM_QUANTILES,
        description="Scores of real validation clips at each percent of them, rising, before "
        "calibration; none where there were fewer than ten clips.",
    )
    calibration: Calibration = Field(default=Calibration(), description="Calibration of scores.")

    @property
    def false_positive_rates(self) -> tuple[float, ...]:
        """The rates that there is a threshold for, in rising order."""
        rates = {t.false_positive_rate for t in (self.score_threshold, *self.score_thresholds)}
        return tuple(sorted(rate for rate in rates if rate is not None))

    def at_threshold(self, threshold: ScoreThreshold) -> Self:
        """Return this configuration with another threshold, of clips and of segments."""
        localization = self.localization.at(threshold.value)
        return self.model_copy(update={"score_threshold": threshold, "localization": localization})

    def at_false_positive_rate(self, rate: float) -> Self:
        """Return this configuration with the threshold for a rate, of clips and of segments.

        Raises:
            ConfigError: There is none for that rate; the message lists those there are.
        """
        for threshold in (self.score_threshold, *self.score_thresholds):
            at = threshold.false_positive_rate
            if at is not None and math.isclose(at, rate, rel_tol=1e-6):
                return self.at_threshold(threshold)
        there = ", ".join(f"{at:g}" for at in self.false_positive_rates)
        raise ConfigError(
            f"there is no threshold for a false-positive rate of {rate:g}: "
            + (f"choose from {there}" if there else _NO_RATES)
        )
