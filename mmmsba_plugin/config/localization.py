"""Settings of localization and of calibration: what scores mean."""

import itertools
from typing import Literal, Self

from pydantic import Field, model_validator

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.schema import Modality, Probability, Score

CalibrationMethod = Literal["none", "temperature", "isotonic"]


class LocalizationConfig(Config):
    """Settings of localization: how scores along time become segments."""

    onset: Score = Field(default=0.5, description="Score at which a segment opens.")
    offset: Score = Field(default=0.35, description="Score below which it closes.")
    modality_thresholds: dict[Modality, Score] = Field(
        default_factory=dict,
        description="Score from which a modality that is evaluated alone counts as manipulated; "
        "the onset for one that is not named.",
    )
    min_segment_s: float = Field(
        default=0.1, ge=0, description="Shorter segments and proposals are dropped, in seconds."
    )
    suppression: Literal["soft", "hard"] = Field(
        default="soft",
        description="Suppression of proposals that overlap a better one: they fade or go.",
    )
    sigma: float = Field(default=0.5, gt=0, description="Width of Gaussian soft-NMS.")
    tiou: float = Field(default=0.5, ge=0, le=1, description="Overlap above which hard NMS drops.")
    min_score: Score = Field(default=1e-3, description="Proposals below are dropped.")
    max_proposals: int = Field(
        default=100, ge=1, description="Number of best proposals that are kept."
    )
    window_s: float = Field(
        default=60.0, gt=0, description="Longest window that is evaluated at once, in seconds."
    )
    warm_up_s: float = Field(
        default=5.0, ge=0, description="Edge of a window whose scores are thrown away."
    )

    @model_validator(mode="after")
    def _offset_below_onset(self) -> Self:
        if self.offset > self.onset:
            raise ValueError(f"offset {self.offset:g} must not be above onset {self.onset:g}")
        return self

    def at(self, onset: float) -> Self:
        """Return these settings with another onset; the offset is never above it."""
        return self.model_copy(update={"onset": onset, "offset": min(self.offset, onset)})


class Calibration(Config):
    """The curve that turns the network's scores into probabilities.

    :mod:`mmmsba_plugin.localization.calibrate` fits and applies it.
    """

    method: CalibrationMethod = Field(
        default="none", description="Calibration curve; with none, scores stay as they are."
    )
    temperature: float = Field(
        default=1.0, ge=0.01, le=100, description="Temperature: the divisor of log-odds."
    )
    shift: float = Field(
        default=0.0, ge=-1000, le=1000, description="Shift that is added to log-odds before that."
    )
    scores: tuple[Score, ...] = Field(
        default=(), description="Scores of the isotonic curve's knots, in rising order."
    )
    probabilities: tuple[Probability, ...] = Field(
        default=(), description="Probabilities at these knots; they never fall."
    )
    reason: str = Field(default="", description="Reason why there is none, if one was asked for.")

    @model_validator(mode="after")
    def _curve_rises(self) -> Self:
        pairs = list(zip(self.scores, self.probabilities, strict=False))
        rises = all(x < y and p <= q for (x, p), (y, q) in itertools.pairwise(pairs))
        if not rises or len(self.scores) != len(self.probabilities):
            raise ValueError("scores must rise, with one probability each, which never falls")
        if (self.method == "isotonic") != bool(pairs):
            raise ValueError("an isotonic curve, and no other, has scores and probabilities")
        return self
