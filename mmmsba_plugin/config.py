"""Settings, one frozen model a chapter.

A misspelt key is an error. The sentence beside a field is also its help text.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import Modality

Attention = Literal["mmms-ba", "mmus-sa", "ms-sa", "none"]
CalibrationMethod = Literal["none", "temperature", "isotonic"]
Preset = Literal["paper", "reference", "enc-dec", "mmmsba"]


class Config(BaseModel):
    """Base of every chapter of settings: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Return the chapter that ``settings`` describes.

        Raises:
            ConfigError: A key is unknown or a value is out of bounds; the message lists the
                keys that are allowed.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
            )
            owner = cls._config_at(error.errors()[0]["loc"])
            allowed = ", ".join(owner.model_fields) or "none"
            where = "" if owner is cls else f" of {owner.__name__}"
            raise ConfigError(f"{cls.__name__}: {wrong}. Allowed keys{where}: {allowed}") from error

    @classmethod
    def _config_at(cls, location: tuple[int | str, ...]) -> "type[Config]":
        """Return the chapter, this one or one inside it, that the last key belongs to."""
        config_class: type[Config] = cls
        for key in location[:-1]:
            if field := config_class.model_fields.get(str(key)):
                config_class = next(_configs_in(field.annotation), config_class)
        return config_class


def _configs_in(annotation: object) -> Iterator[type[Config]]:
    """Yield the chapters that a field's type names, as ``dict[str, FrontEndChoice]`` does."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield annotation
    for inner in get_args(annotation):
        yield from _configs_in(inner)


class MediaConfig(Config):
    """Settings of decoding."""

    max_short_side_px: int = Field(
        default=540, ge=64, description="Frames are scaled down to this while decoding, in px."
    )
    sample_rate_hz: int = Field(default=16_000, ge=8_000, description="Audio is resampled to it.")


class TracksConfig(Config):
    """Settings of face detection and tracking."""

    detect_every: int = Field(
        default=25, ge=1, description="Frames between two looks at the whole frame."
    )
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Below it the mesh has lost the face."
    )
    min_face_px: float = Field(
        default=24, ge=8, description="Height that a face must have to be evaluated, in px."
    )


class FrontEndChoice(Config):
    """Front-end of a modality, with its settings."""

    name: str = Field(description="Name of a registered front-end.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Its own settings.")


class FeaturesConfig(Config):
    """Settings of feature extraction."""

    stride_s: float = Field(default=0.08, gt=0, le=10, description="Length of a cell, in seconds.")
    front_ends: dict[Modality, FrontEndChoice] = Field(
        default={
            "face": FrontEndChoice(name="face-texture"),
            "audio": FrontEndChoice(name="log-mel"),
            "lips": FrontEndChoice(name="lips-texture"),
        },
        description="The front-end of each modality.",
    )
    media: MediaConfig = Field(default=MediaConfig(), description="Settings of decoding.")
    tracks: TracksConfig = Field(default=TracksConfig(), description="Settings of face tracking.")
    trim_silence: bool = Field(
        default=False,
        description="Use a clip only from where its audio begins, so that "
        "leading silence cannot give it away.",
    )

    def only(self, modalities: Sequence[str]) -> Self:
        """Return these settings with some of the modalities.

        Raises:
            ConfigError: One of them has no front-end.
        """
        if unknown := sorted(set(modalities) - set(self.front_ends)):
            raise ConfigError(
                f"no front-end serves {', '.join(unknown)}; choose from "
                f"{', '.join(self.front_ends)}"
            )
        chosen = {m: choice for m, choice in self.front_ends.items() if m in modalities}
        return self.model_copy(update={"front_ends": chosen})


class ModelConfig(Config):
    """The network.

    The defaults are the ``paper`` preset; :data:`PRESETS` has the others.
    """

    dims: dict[Modality, Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="Features a snippet, for each modality."
    )
    attention: Attention = Field(default="mmms-ba", description="Attention between modalities.")
    input_units: int | None = Field(
        default=None,
        ge=1,
        description="Units of a dense layer, with hyperbolic tangent, in front of each Bi-GRU; "
        "none for no such layer. Long vectors from few clips want one.",
    )
    gru_units: int = Field(default=300, ge=1, description="Units of each Bi-GRU, a direction.")
    dense_units: int = Field(default=100, ge=1, description="Units of each dense layer.")
    joint_layers: int = Field(
        default=0,
        ge=0,
        description="Dense layers over all modalities together; with any, no modality has one of "
        "its own, and what is joined are the states of the Bi-GRUs.",
    )
    activation: Literal["relu", "tanh"] = Field(
        default="relu", description="Activation of the dense layers."
    )
    dropout_input: float = Field(
        default=0.3, ge=0, lt=1, description="Dropout on the input of a Bi-GRU."
    )
    dropout_gru: float = Field(
        default=0.3, ge=0, lt=1, description="Dropout on the output of a Bi-GRU."
    )
    dropout_dense: float = Field(
        default=0.3, ge=0, lt=1, description="Dropout on the dense layers."
    )
    mask_attention: bool = Field(
        default=True, description="Leave padding out of attention; off only for parity."
    )
    heads: tuple[str, ...] = Field(
        default=("classify", "regress"),
        description="Heads by name; classify gives the scores, regress the boundaries of segments.",
    )

    @model_validator(mode="after")
    def _heads_are_distinct(self) -> Self:
        if "classify" not in self.heads or len(set(self.heads)) < len(self.heads):
            raise ValueError("heads must name classify, which gives the scores, and each once")
        return self

    @property
    def stream_units(self) -> int:
        """Width of each modality's stream."""
        return 2 * self.gru_units if self.joint_layers else self.dense_units


class EnsembleConfig(ModelConfig):
    """Networks that are averaged: what they share, and what each changes."""

    members: (
        Annotated[int, Field(ge=1, le=16)]
        | Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=16)]
    ) = Field(
        default=1,
        description="Networks whose predictions are averaged: their number, or for each what it "
        "changes of the other settings. Without a validation split, each is trained without a "
        "share of the identities, and stopped by them.",
    )

    def configs(self) -> tuple[ModelConfig, ...]:
        """Return the configuration of each member.

        Raises:
            ConfigError: A change to a member is unknown or out of bounds.
        """
        shared = self.model_dump(exclude={"members"})
        changes = [{}] * self.members if isinstance(self.members, int) else self.members
        return tuple(ModelConfig.read({**shared, **change}) for change in changes)


#: What each named preset changes from the defaults of :class:`EnsembleConfig`.
PRESETS: dict[str, dict[str, Any]] = {
    # Paper section 4.2: ReLU, dropout 0.3 on all layers.
    "paper": {},
    # The authors' and the parent's published code; for parity and CMU-MOSI.
    "reference": {
        "activation": "tanh",
        "dropout_input": 0.5,
        "dropout_gru": 0.7,
        "dropout_dense": 0.7,
        "mask_attention": False,
        "heads": ("classify",),
    },
    # The paper's own baseline for localization: encoders side by side, two dense layers, and a
    # class for each snippet. It states no sizes; here they are those of MMMS-BA.
    "enc-dec": {"attention": "none", "joint_layers": 2, "heads": ("classify",)},
    # Ours: the attention of the paper in networks that fit little footage and a wheel.
    "mmmsba": {
        "members": 4,
        "gru_units": 96,
        "dense_units": 64,
        "dropout_input": 0.2,
        "dropout_gru": 0.4,
        "dropout_dense": 0.4,
    },
}

#: What a preset changes from the defaults of :class:`FitConfig`, unless a run says otherwise.
PRESET_DEFAULTS: dict[str, dict[str, Any]] = {
    "mmmsba": {
        "false_positive_rate": 0.01,
        "features": {
            "front_ends": {
                "face": {"name": "face-texture"},
                "audio": {"name": "voice"},
                "lips": {"name": "lips-texture"},
            },
        },
        "train": {
            "batch_size": 24,
            "learning_rate": 2e-3,
            "decay": 0.9,
            "max_epochs": 20,
            "patience": 6,
            "modality_dropout": 0.3,
            "max_snippets": 64,
            "loss": {"focal_alpha": 0.5, "focal_gamma": 1.0},
        },
    },
}

#: The presets that are told less than there are front-ends for.
PRESET_MODALITIES: dict[str, frozenset[str]] = {"enc-dec": frozenset({"face", "audio"})}


class LossConfig(Config):
    """Focal loss on every snippet, distance-IoU on fake ones (paper equation 8)."""

    focal_alpha: float = Field(default=0.25, ge=0, le=1, description="Weight of the fake class.")
    focal_gamma: float = Field(
        default=2.0, ge=0, description="Focusing exponent: how strongly easy snippets fade."
    )
    regression_weight: float = Field(default=1.0, ge=0, description="Lambda of equation 8.")


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
        default=0.2, ge=0, lt=1, description="Probability that a modality of a clip is hidden."
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
    seed: int = Field(default=0, ge=0, description="Random seed of training.")
    loss: LossConfig = Field(default=LossConfig(), description="The loss.")


class LocalizationConfig(Config):
    """Settings of localization: how scores along time become segments."""

    onset: float = Field(default=0.5, ge=0, le=1, description="Score at which a segment opens.")
    offset: float = Field(default=0.35, ge=0, le=1, description="Score below which it closes.")
    modality_thresholds: dict[Modality, Annotated[float, Field(ge=0, le=1)]] = Field(
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
    min_score: float = Field(default=1e-3, ge=0, le=1, description="Proposals below are dropped.")
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
    scores: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        default=(), description="Scores of the isotonic curve's knots, in rising order."
    )
    probabilities: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
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


def _filled(value: object, default: object) -> object:
    """Return a setting, or its default; a chapter that is given in part is filled up.

    One that comes whole, as from a checkpoint, has said everything.
    """
    if isinstance(default, dict) and isinstance(value, dict):
        return {**default, **value}
    return default if value is None else value


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
        description="Share of real validation clips that its default line may call fake.",
    )
    trained_on: str = Field(
        default="", description="Training data in words; the names of the datasets if not given."
    )
    caution: str = Field(
        default="", description="A sentence that each of its reports carries; none if not said."
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_preset_has_it(cls, settings: object) -> object:
        preset = settings.get("preset") if isinstance(settings, dict) else None
        # What is no name of a preset, or no settings at all, is refused field by field.
        if not isinstance(settings, dict) or not isinstance(preset, str):
            return settings
        defaults = PRESET_DEFAULTS.get(preset, {})
        return {
            **settings,
            **{name: _filled(settings.get(name), defaults[name]) for name in defaults},
        }

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
