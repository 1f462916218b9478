"""Settings of training and of fine-tuning."""

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.config.features import FeaturesConfig
from mmmsba_plugin.config.localization import CalibrationMethod, LocalizationConfig
from mmmsba_plugin.config.model import (
    PRESET_DEFAULTS,
    PRESET_MODALITIES,
    PRESETS,
    EnsembleConfig,
    ModelConfig,
    Preset,
)

#: A metric of validation clips, by which training is stopped or an epoch chosen.
ValidationMetric = Literal["loss", "accuracy", "snippet_auc"]


class LossConfig(Config):
    """Focal loss on every snippet, distance-IoU on fake ones (paper equation 8)."""

    focal_alpha: float = Field(default=0.25, ge=0, le=1, description="Weight of the fake class.")
    focal_gamma: float = Field(
        default=2.0,
        ge=0,
        description="Focusing exponent: how strongly easy snippets fade; with asymmetric, real "
        "ones alone.",
    )
    regression_weight: float = Field(default=1.0, ge=0, description="Lambda of equation 8.")
    classification: Literal["focal", "cross-entropy", "asymmetric"] = Field(
        default="focal",
        description="Loss of scores; cross-entropy is that of the authors' code, asymmetric that "
        "of the preset wafl.",
    )
    regression: Literal["diou", "giou"] = Field(
        default="diou",
        description="Loss of boundaries: distance-IoU or generalised IoU. The paper names both.",
    )
    normaliser: Literal["fake", "fake-average", "snippets"] = Field(
        default="fake",
        description="Divisor of the loss of a batch: its fake snippets, as in equation 8; their "
        "moving average over batches; or all snippets.",
    )


class TrainConfig(Config):
    """Settings of training: paper section 4.2 where it states them, our choice elsewhere."""

    batch_size: int = Field(default=32, ge=1, description="Clips a step.")
    learning_rate: float = Field(
        default=1e-3, gt=0, description="Learning rate of Adam at the start."
    )
    decay: float = Field(
        default=0.95, gt=0, le=1, description="Factor of the learning rate, an epoch."
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="Decoupled weight decay of Adam, as in AdamW."
    )
    max_epochs: int = Field(
        default=100, ge=1, description="Largest number of passes over the data."
    )
    patience: int = Field(default=10, ge=1, description="Epochs without gain before it stops.")
    modality_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Probability that a modality of a clip is hidden."
    )
    labels_of: Literal["clip", "present"] = Field(
        default="clip",
        description="Ground truth of a clip with a missing or hidden modality: that of the whole "
        "clip, or of the modalities that are present, where a dataset tells them apart.",
    )
    min_overlap: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of a snippet that must be fake for it to be labelled so; any at 0.",
    )
    stop_by: ValidationMetric = Field(
        default="loss", description="Validation metric whose lack of gain stops training."
    )
    keep_by: ValidationMetric = Field(
        default="loss", description="Validation metric of which the best epoch is kept."
    )
    max_snippets: int | None = Field(
        default=None,
        ge=1,
        description="Longest piece of a clip that a step learns from, cut anew each time; none "
        "for whole clips.",
    )
    freeze_encoders: bool = Field(
        default=False, description="Leave the encoders as they are; for tuning."
    )
    folds: int | None = Field(
        default=None,
        ge=2,
        description="Shares that identities are dealt into; each network is trained without one. "
        "As many as there are networks if not given.",
    )
    seed: int = Field(default=0, ge=0, description="Random seed of training.")
    loss: LossConfig = Field(default=LossConfig(), description="The loss.")


def _filled(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return settings with defaults where they say nothing; front-ends are taken as given.

    None says something: all frames, for one.
    """
    filled = {**defaults, **settings}
    for name, default in defaults.items():
        value = filled[name]
        if isinstance(default, dict) and isinstance(value, dict) and name != "front_ends":
            filled[name] = _filled(value, default)
    return filled


class FitConfig(Config):
    """Everything that decides one training run, except its data."""

    preset: Preset = Field(default="paper", description="Preset of the network, by name.")
    network: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the network that differ from the preset, such as attention.",
    )
    features: FeaturesConfig = Field(
        default=FeaturesConfig(),
        validate_default=True,
        description="Settings of features; enc-dec keeps face and audio alone.",
    )
    train: TrainConfig = Field(default=TrainConfig(), description="Settings of training.")
    localization: LocalizationConfig = Field(
        default=LocalizationConfig(), description="Settings of localization."
    )
    calibration: CalibrationMethod = Field(
        default="temperature", description="Calibration of its scores."
    )
    false_positive_rate: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Share of real validation clips that the default threshold may flag as fake.",
    )
    score_threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Score of a snippet, before calibration, from which its clip counts as fake; "
        "chosen by the false-positive rate if not given. 0.5 is the paper's rule taken literally.",
    )
    trained_on: str = Field(
        default="", description="Training data in words; the names of the datasets if not given."
    )
    caution: str = Field(
        default="", description="A sentence that each report carries; none by default."
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_preset_has_it(cls, settings: object) -> object:
        preset = settings.get("preset") if isinstance(settings, dict) else None
        # What is no name of a preset, or no settings at all, is refused field by field.
        if not isinstance(settings, dict) or not isinstance(preset, str):
            return settings
        return _filled(settings, PRESET_DEFAULTS.get(preset, {}))

    @model_validator(mode="after")
    def _describes_a_network(self) -> Self:
        self.members({"face": 1})
        return self

    @field_validator("features")
    @classmethod
    def _only_what_the_preset_reads(
        cls, features: FeaturesConfig, info: ValidationInfo
    ) -> FeaturesConfig:
        reads = PRESET_MODALITIES.get(info.data.get("preset", ""))
        if reads is None:
            return features
        if not (modalities := [name for name in features.front_ends if name in reads]):
            raise ValueError(
                f"the preset {info.data['preset']!r} reads {' and '.join(sorted(reads))}; leave "
                "one of them in, or take another preset"
            )
        return features.only(modalities)

    @property
    def num_members(self) -> int:
        """Number of networks in the ensemble."""
        return len(self.members({"face": 1}))

    def members(self, dims: dict[str, int]) -> tuple[ModelConfig, ...]:
        """Return the configuration of each network of the ensemble.

        Args:
            dims: Features a snippet, for each modality.

        Raises:
            ConfigError: A change to the preset is unknown or out of bounds.
        """
        settings = {**PRESETS[self.preset], **self.network, "dims": dims}
        return EnsembleConfig.read(settings).configs()


class TuneConfig(Config):
    """Settings of fine-tuning; all else stays as it was in training."""

    learning_rate: float = Field(
        default=1e-4,
        gt=0,
        description="Learning rate of Adam at the start: a tenth of that for training.",
    )
    max_epochs: int = Field(default=20, ge=1, description="Largest number of passes over the data.")
    patience: int = Field(default=5, ge=1, description="Epochs without gain before it stops.")
    freeze_encoders: bool = Field(
        default=False, description="Leave the encoders as they are, and train the rest."
    )
    seed: int = Field(default=0, ge=0, description="Random seed of training.")
    calibration: CalibrationMethod = Field(
        default="temperature", description="Calibration of scores."
    )


class Origin(Config):
    """The checkpoint that weights were tuned from."""

    checkpoint: str = Field(description="Name of the checkpoint in reports.")
    weights_sha256: str = Field(description="Hash of its weights.")
    trained_on: str = Field(default="", description="Training data of the checkpoint, in words.")
