"""Settings of the network, and the named presets of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.schema import Modality

Attention = Literal["mmms-ba", "mmus-sa", "ms-sa", "none"]
CrossModal = Literal["correlation", "discrepancy"]
Preset = Literal[
    "paper",
    "reference",
    "enc-dec",
    "fpn-transformer",
    "correlation",
    "dimodif",
    "wafl",
    "mmmsba",
    "fast",
]

#: Sizes that a network may have. Far above any of use: they keep a file that was damaged, or
#: made to do harm, from asking for more memory and time than there is.
MAX_MODALITIES, MAX_FEATURES, MAX_UNITS, MAX_LAYERS, MAX_MEMBERS = 16, 2**20, 2**14, 64, 16


class ModelConfig(Config):
    """The network.

    The defaults are the ``paper`` preset; :data:`PRESETS` has the others.
    """

    dims: dict[Modality, Annotated[int, Field(ge=1, le=MAX_FEATURES)]] = Field(
        min_length=1,
        max_length=MAX_MODALITIES,
        description="Features a snippet, for each modality.",
    )
    modalities: tuple[Modality, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_MODALITIES,
        description="Modalities that the network reads, of those that there are; all if not given.",
    )
    attention: Attention = Field(default="mmms-ba", description="Attention between modalities.")
    gate: bool = Field(
        default=True,
        description="Multiply what attention finds by the modality that asks; off for ablation.",
    )
    residual: bool = Field(
        default=True,
        description="Append the modalities themselves to the attended blocks; off for ablation.",
    )
    recurrent: bool = Field(
        default=True, description="Give each modality a Bi-GRU; off for ablation."
    )
    dense: bool = Field(
        default=True, description="Give each modality a dense layer; off for ablation."
    )
    input_units: int | None = Field(
        default=None,
        ge=1,
        le=MAX_UNITS,
        description="Units of a dense layer, with hyperbolic tangent, in front of each Bi-GRU; "
        "none for no such layer. Long vectors from few clips want one.",
    )
    gru_units: int = Field(
        default=300, ge=1, le=MAX_UNITS, description="Units of each Bi-GRU, a direction."
    )
    dense_units: int = Field(
        default=100, ge=1, le=MAX_UNITS, description="Units of each dense layer."
    )
    joint_layers: int = Field(
        default=0,
        ge=0,
        le=MAX_LAYERS,
        description="Dense layers over all modalities together; with any, no modality has one of "
        "its own, and what is joined are the states of the Bi-GRUs.",
    )
    fusion_units: int | None = Field(
        default=None,
        ge=1,
        le=MAX_UNITS,
        description="Units of a dense layer between the fused vector and the heads, as figure 2 of "
        "the paper draws it; none for no such layer, as its text and code have it.",
    )
    cross_modal: CrossModal | None = Field(
        default=None,
        description="Learned module of another system between modalities, in the place of "
        "attention: correlation or discrepancy of audio and what is seen; none as in the paper.",
    )
    pool_words: bool = Field(
        default=False,
        description="Average what the heads read over each word, of which the modality text tells "
        "where it begins, so that words are scored instead of snippets.",
    )
    pyramid_levels: int = Field(
        default=0,
        ge=0,
        le=MAX_LAYERS,
        description="Levels of a temporal feature pyramid between the fused vector and the heads, "
        "as wide as a dense layer; none at 0, as in the paper.",
    )
    pyramid_window: int = Field(
        default=9,
        ge=1,
        le=MAX_UNITS,
        description="Snippets on either side that a snippet attends to at each level of the "
        "pyramid, and where one side is aligned with the other.",
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
    learns_from: Literal["all", "segments"] = Field(
        default="all",
        description="Clips that the network learns from: all, or all but those that are fake from "
        "end to end, which tell people and cameras apart as well as fakes.",
    )
    smoothing: float = Field(
        default=0.0,
        ge=0,
        le=MAX_UNITS,
        description="Standard deviation, in snippets, of the Gaussian that smooths the network's "
        "logits along time in an ensemble; 0 for none.",
    )
    mask_attention: bool = Field(
        default=True, description="Leave padding out of attention; off only for parity."
    )
    heads: tuple[str, ...] = Field(
        default=("classify", "regress"),
        max_length=16,
        description="Heads by name; classify gives the scores, regress the boundaries of segments.",
    )

    @model_validator(mode="after")
    def _heads_are_distinct(self) -> Self:
        if "classify" not in self.heads or len(set(self.heads)) < len(self.heads):
            raise ValueError("heads must name classify, which gives the scores, and each once")
        return self

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if not self.recurrent and not self.has_dense:
            raise ValueError("without a Bi-GRU each modality needs a dense layer of its own")
        if not self.residual and self.attention == "none":
            raise ValueError("without attention the heads need the residual; nothing else is left")
        return self

    @model_validator(mode="after")
    def _attention_is_one_kind(self) -> Self:
        if self.cross_modal is not None and self.attention != "none":
            raise ValueError(
                "cross_modal stands in the place of attention; set attention to none beside it"
            )
        return self

    @model_validator(mode="after")
    def _similarity_reaches_its_head(self) -> Self:
        between = self.pyramid_levels or self.joint_units or self.pool_words
        if "correlate" in self.heads and (self.cross_modal != "correlation" or between):
            raise ValueError(
                "the head correlate reads what cross_modal correlation returns; choose that, and "
                "nothing between the two"
            )
        return self

    @property
    def dims_read(self) -> dict[Modality, int]:
        """Features a snippet, for each modality that the network reads."""
        chosen = self.dims if self.modalities is None else self.modalities
        return {name: dim for name, dim in self.dims.items() if name in chosen}

    @property
    def kind(self) -> tuple[str, ...]:
        """Kind of the network in an ensemble: the clips it learns from, and the modalities."""
        return (self.learns_from, *self.dims_read)

    @property
    def has_dense(self) -> bool:
        """Return whether each modality has a dense layer of its own."""
        return self.dense and not self.joint_layers

    @property
    def joint_units(self) -> tuple[int, ...]:
        """Units of each dense layer between the fused vector and the heads."""
        fusion = () if self.fusion_units is None else (self.fusion_units,)
        return (self.dense_units,) * self.joint_layers + fusion

    @property
    def stream_units(self) -> int:
        """Width of each modality's stream."""
        return self.dense_units if self.has_dense else 2 * self.gru_units


class EnsembleConfig(ModelConfig):
    """Networks that are averaged: what they share, and what each changes."""

    members: (
        Annotated[int, Field(ge=1, le=MAX_MEMBERS)]
        | Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MAX_MEMBERS)]
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


def dims_read(networks: Sequence[ModelConfig]) -> dict[Modality, int]:
    """Return the features a snippet of each modality that any network of an ensemble reads."""
    read = {name for network in networks for name in network.dims_read}
    return {name: dim for name, dim in networks[0].dims.items() if name in read}


#: Networks of our presets that learn segments alone.
_OF_SEGMENTS: dict[str, Any] = {
    "learns_from": "segments",
    "input_units": 32,
    "gru_units": 64,
    "dropout_input": 0.3,
}

#: Ours: the attention of the paper in networks that fit little footage and a wheel. One kind
#: learns segments alone; the other, narrower one clips that are fake from end to end as well.
_OURS: dict[str, Any] = {
    "members": (*(_OF_SEGMENTS,) * 4, *({},) * 4),
    "input_units": 16,
    "gru_units": 48,
    "dense_units": 64,
    "dropout_input": 0.5,
    "dropout_gru": 0.4,
    "dropout_dense": 0.4,
}

_TRAINING_OF_OURS: dict[str, Any] = {
    "batch_size": 24,
    "learning_rate": 2e-3,
    "decay": 0.9,
    "weight_decay": 0.03,
    "max_epochs": 9,
    "patience": 6,
    "folds": 4,
    "modality_dropout": 0.3,
    "labels_of": "present",
    "stop_by": "snippet_auc",
    "keep_by": "snippet_auc",
    "max_snippets": 64,
    "loss": {"focal_alpha": 0.5, "focal_gamma": 1.0},
}

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
    # Other systems, as far as they are stated: see :mod:`mmmsba_plugin.model.pyramid`,
    # :mod:`~mmmsba_plugin.model.correlation`, :mod:`~mmmsba_plugin.model.discrepancy` and
    # :mod:`~mmmsba_plugin.model.word_means`.
    "fpn-transformer": {"attention": "none", "recurrent": False, "pyramid_levels": 5},
    "correlation": {
        "attention": "none",
        "cross_modal": "correlation",
        "dense_units": 128,
        "dropout_dense": 0.1,
        "heads": ("classify", "correlate"),
    },
    "dimodif": {
        "attention": "none",
        "recurrent": False,
        "cross_modal": "discrepancy",
        "pyramid_levels": 5,
    },
    "wafl": {
        "attention": "none",
        "recurrent": False,
        "pool_words": True,
        "heads": ("classify",),
    },
    "mmmsba": _OURS,
    "fast": _OURS,
}

#: What a preset changes from the defaults of :class:`FitConfig`, unless a run says otherwise.
PRESET_DEFAULTS: dict[str, dict[str, Any]] = {
    # The authors' code, but for what PyTorch or honesty does not allow: its page says which.
    "reference": {
        "train": {
            "batch_size": 64,
            "decay": 1.0,
            "max_epochs": 1000,
            "stop_by": "loss",
            "keep_by": "accuracy",
            "loss": {"classification": "cross-entropy", "normaliser": "snippets"},
        },
    },
    # Words where the level of the audio has them; with transcripts, take the front-end words.
    "wafl": {
        "features": {
            "front_ends": {
                "face": {"name": "face-texture"},
                "audio": {"name": "log-mel"},
                "lips": {"name": "lips-texture"},
                "text": {"name": "pseudo-words"},
            },
        },
        "train": {"loss": {"classification": "asymmetric"}},
    },
    # Every other of 25 frames a second: all of them found no more, in cross-validation.
    "mmmsba": {
        "false_positive_rate": 0.05,
        "features": {
            "media": {"max_fps_hz": 12.5},
            "front_ends": {
                "face": {"name": "face-texture"},
                "audio": {"name": "voice", "settings": {"traces": ["quality"]}},
                "lips": {"name": "lips-embedding"},
            },
        },
        "train": _TRAINING_OF_OURS,
    },
    # Snippets twice as long with one frame each, and no pretrained encoder but that of voices.
    "fast": {
        "false_positive_rate": 0.05,
        "features": {
            "stride_s": 0.16,
            "media": {"max_fps_hz": 6.25},
            "front_ends": {
                "face": {"name": "face-texture"},
                "audio": {"name": "voice", "settings": {"traces": []}},
                "lips": {"name": "lips-texture"},
            },
        },
        "train": _TRAINING_OF_OURS,
    },
}

#: The presets that are told less than there are front-ends for.
PRESET_MODALITIES: dict[str, frozenset[str]] = {"enc-dec": frozenset({"face", "audio"})}
