"""Settings of decoding, face tracking and feature extraction."""

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field

from mmmsba_plugin.config.base import Config
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import Modality


class MediaConfig(Config):
    """Settings of decoding."""

    max_short_side_px: int = Field(
        default=540,
        ge=64,
        le=2**14,
        description="Frames are scaled down to this while decoding, in px.",
    )
    max_fps_hz: float | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Of frames that come faster than this, those between are left out; none for "
        "all frames.",
    )
    sample_rate_hz: int = Field(
        default=16_000, ge=8_000, le=768_000, description="Audio is resampled to it."
    )


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

    stride_s: float = Field(
        default=0.08, ge=0.001, le=10, description="Length of a cell, in seconds."
    )
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
    max_faces: int = Field(
        default=4,
        ge=1,
        le=16,
        description="Most faces that are followed and evaluated at a time; each one beyond the "
        "main one costs nearly as much as that. Training takes the main one alone.",
    )
    chunk_s: float = Field(
        default=120.0,
        ge=1,
        description="Longest stretch whose features are computed at once, in seconds; a longer "
        "clip is cut into chunks, so that memory does not grow with it.",
    )
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
