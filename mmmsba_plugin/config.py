"""Settings, one frozen model a chapter.

A misspelt key is an error. The sentence beside a field is also its help text.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import Modality

Attention = Literal["mmms-ba", "mmus-sa", "ms-sa", "none"]


class Chapter(BaseModel):
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
            allowed = ", ".join(cls.model_fields) or "none"
            raise ConfigError(f"{cls.__name__}: {wrong}. Allowed keys: {allowed}") from error


class MediaConfig(Chapter):
    """How files are read."""

    max_short_side_px: int = Field(
        default=540, ge=64, description="Pictures are scaled down to this while decoding, in px."
    )
    sample_rate_hz: int = Field(default=16_000, ge=8_000, description="Sound is resampled to it.")


class TracksConfig(Chapter):
    """How people are found and followed."""

    detect_every: int = Field(
        default=25, ge=1, description="Pictures between two looks at the whole picture."
    )
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Below it the mesh has lost the face."
    )
    min_face_px: float = Field(
        default=24, ge=8, description="A face less high than this is not judged, in px."
    )


class FrontEndChoice(Chapter):
    """Which front-end serves a modality, and its settings."""

    name: str = Field(description="Name of a registered front-end.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Its own settings.")


class FeaturesConfig(Chapter):
    """How a clip becomes rows of vectors."""

    stride_s: float = Field(default=0.08, gt=0, le=10, description="Length of a cell, in seconds.")
    front_ends: dict[Modality, FrontEndChoice] = Field(
        default={
            "face": FrontEndChoice(name="face-texture"),
            "audio": FrontEndChoice(name="log-mel"),
            "lips": FrontEndChoice(name="lips-texture"),
        },
        description="The front-end of each modality.",
    )
    media: MediaConfig = Field(default=MediaConfig(), description="How files are read.")
    tracks: TracksConfig = Field(default=TracksConfig(), description="How people are followed.")


class ModelConfig(Chapter):
    """The network.

    The defaults are the ``paper`` preset; :data:`PRESETS` has the others.
    """

    dims: dict[Modality, int] = Field(description="Features a snippet, for each modality.")
    attention: Attention = Field(default="mmms-ba", description="How modalities are joined.")
    gru_units: int = Field(default=300, ge=1, description="Units of each Bi-GRU, a direction.")
    dense_units: int = Field(default=100, ge=1, description="Units of each modality's dense layer.")
    activation: Literal["relu", "tanh"] = Field(default="relu", description="Of the dense layers.")
    dropout_input: float = Field(default=0.3, ge=0, lt=1, description="On what a Bi-GRU reads.")
    dropout_gru: float = Field(default=0.3, ge=0, lt=1, description="On what a Bi-GRU returns.")
    dropout_dense: float = Field(default=0.3, ge=0, lt=1, description="On the dense layers.")
    mask_attention: bool = Field(
        default=True, description="Whether padding is left out of attention; off only for parity."
    )
    regression: bool = Field(default=True, description="Whether there is a boundary head.")


#: What each named preset changes from the defaults of :class:`ModelConfig`.
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
        "regression": False,
    },
}


class LossConfig(Chapter):
    """Focal loss on every snippet, distance-IoU on forged ones (paper equation 8)."""

    focal_alpha: float = Field(default=0.25, ge=0, le=1, description="Weight of the fake class.")
    focal_gamma: float = Field(default=2.0, ge=0, description="How strongly easy ones fade.")
    regression_weight: float = Field(default=1.0, ge=0, description="Lambda of equation 8.")


class TrainConfig(Chapter):
    """How a network learns. Paper section 4.2 where it says; our choice where it does not."""

    batch_size: int = Field(default=32, ge=1, description="Clips a step.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Of Adam, at the start.")
    decay: float = Field(default=0.95, gt=0, le=1, description="Of the learning rate, an epoch.")
    max_epochs: int = Field(default=100, ge=1, description="Most passes over the data.")
    patience: int = Field(default=10, ge=1, description="Epochs without gain before it stops.")
    modality_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="How often a modality of a clip is hidden."
    )
    seed: int = Field(default=0, ge=0, description="Of every random choice.")
    loss: LossConfig = Field(default=LossConfig(), description="The loss.")


class LocalizationConfig(Chapter):
    """How scores along time become segments."""

    onset: float = Field(default=0.5, ge=0, le=1, description="Score at which a segment opens.")
    offset: float = Field(default=0.35, ge=0, le=1, description="Score below which it closes.")
    min_segment_s: float = Field(default=0.1, ge=0, description="Shorter ones are dropped.")
    sigma: float = Field(default=0.5, gt=0, description="Width of Gaussian soft-NMS.")
    min_score: float = Field(default=1e-3, ge=0, le=1, description="Proposals below are dropped.")
    max_proposals: int = Field(default=100, ge=1, description="Best ones kept.")
    window_s: float = Field(default=60.0, gt=0, description="Longest piece judged at once.")
    warm_up_s: float = Field(
        default=5.0, ge=0, description="Edge of a window whose scores are thrown away."
    )
