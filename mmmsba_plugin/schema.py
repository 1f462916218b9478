"""What a run says on disk: the report and its parts.

A report is frozen, knows no key it was not made for, and states its own version.
``Report.model_json_schema()`` is the published JSON Schema.
"""

import math
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

#: Version of this format. A reader refuses a major version it does not know.
SCHEMA_VERSION: Final = "1.0"

#: What can be looked at: ``face``, ``lips`` and ``audio``, or a word a plug-in adds.
Modality = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]

#: What is altered when a modality is; a modality that is not named can show either.
ALTERED_BY_MODALITY = {"audio": "audio", "face": "visual", "lips": "visual"}

#: P(fake), in [0, 1]: higher means more likely forged, always.
Score = Annotated[float, Field(ge=0.0, le=1.0)]

Seconds = Annotated[float, Field(allow_inf_nan=False)]


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


#: Words that may hold a file's name. A name can be bytes that are no UTF-8, which Python keeps
#: as lone surrogates and JSON cannot hold; there they are written as escapes, so that no file
#: is lost over its name.
Words = Annotated[str, PlainSerializer(_unicode, return_type=str, when_used="json")]

ManipulatedModality = Literal["audio", "visual", "both"]
Status = Literal["ok", "abstained", "error"]


class FrozenModel(BaseModel):
    """Base of every part of a report: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stretch(FrozenModel):
    """A stretch of time ``[start_s, end_s)``, in seconds from the clip's zero."""

    start_s: Seconds = Field(description="Where it starts, in seconds from the clip's zero.")
    end_s: Seconds = Field(description="Where it ends, in seconds; this moment is outside.")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if not self.end_s > self.start_s:
            raise ValueError(f"must end after it starts, got [{self.start_s}, {self.end_s})")
        return self


class OptOut(Stretch):
    """A stretch that a modality could not be judged in, and why."""

    reason: str = Field(description="Why, in words: 'no face', 'no audio stream', ….")


class FakeSegment(Stretch):
    """A stretch that is reported as fake."""

    score: Score = Field(description="P(fake) of the stretch.")
    modality: ManipulatedModality | None = Field(
        default=None, description="What was altered there; null where that is not known."
    )
    track: int | None = Field(default=None, ge=0, description="The face track it was seen on.")


class Proposal(Stretch):
    """A ranked candidate, for evaluation: many, overlapping, down to low scores."""

    score: Score = Field(description="P(fake) after suppression of overlapping candidates.")


class ModalityReport(FrozenModel):
    """What one modality says by itself."""

    score: Score | None = Field(
        description="P(fake) when the model is shown this modality alone; null if it is absent."
    )
    opt_outs: tuple[OptOut, ...] = Field(
        default=(), description="Where it could not be judged, and why."
    )


class VideoStream(FrozenModel):
    """The frame stream that was read."""

    codec: str = Field(description="Name of the codec.")
    width_px: int = Field(ge=0, description="Width as displayed, after rotation.")
    height_px: int = Field(ge=0, description="Height as displayed, after rotation.")
    rotation_deg: int = Field(default=0, description="Rotation that was undone, clockwise.")
    fps_hz: float | None = Field(
        default=None, allow_inf_nan=False, description="Average frames a second."
    )
    start_s: Seconds = Field(default=0.0, description="First frame, from the clip's zero.")
    duration_s: Seconds | None = Field(default=None, description="As the container states it.")


class AudioStream(FrozenModel):
    """The audio stream that was read."""

    codec: str = Field(description="Name of the codec.")
    sample_rate_hz: int = Field(ge=0, description="Samples a second as stored.")
    channels: int = Field(ge=0, description="Channels as stored.")
    start_s: Seconds = Field(default=0.0, description="First sample, from the clip's zero.")
    duration_s: Seconds | None = Field(default=None, description="As the container states it.")


class Media(FrozenModel):
    """The file that was judged."""

    path: Words = Field(description="Where it was read from.")
    size_bytes: int | None = Field(default=None, ge=0, description="Its size.")
    sha256: str | None = Field(default=None, description="Hash of its bytes.")
    container: str | None = Field(default=None, description="Name of the container format.")
    duration_s: Seconds | None = Field(default=None, description="From zero to its last moment.")
    zero_s: Seconds = Field(
        default=0.0, description="Where the clip's zero lies on the container's clock."
    )
    video: VideoStream | None = Field(default=None, description="Null if there is none.")
    audio: AudioStream | None = Field(default=None, description="Null if there is none.")


class Threshold(FrozenModel):
    """The score from which a clip counts as fake."""

    value: Score = Field(description="A score at or above it counts as fake.")
    false_positive_rate: Score | None = Field(
        default=None, description="The rate it was chosen for; null if it was not chosen so."
    )


class Problem(FrozenModel):
    """Why a clip got no score."""

    kind: str = Field(description="Class of the error.")
    message: Words = Field(description="What happened and what to do next.")


class Provenance(FrozenModel):
    """Where the numbers come from."""

    package_version: str = Field(description="Version of mmmsba-plugin.")
    api_version: str = Field(description="Version of the plug-in interface.")
    formula_version: int = Field(description="Bumped when a number's definition changes.")
    detector: str = Field(description="Name of the detector.")
    checkpoint: str | None = Field(default=None, description="Name of the checkpoint.")
    checkpoint_sha256: str | None = Field(default=None, description="Hash of its weights.")
    trained_on: str | None = Field(default=None, description="What the weights learned from.")
    calibration: str = Field(default="none", description="How scores were calibrated.")
    config: dict[str, Any] = Field(default_factory=dict, description="Settings in force.")
    command: Words | None = Field(default=None, description="The command line, if there was one.")
    created_utc: str | None = Field(default=None, description="When, ISO 8601.")


class Curves(FrozenModel):
    """Scores along time, one a snippet; they go to a side file, not into the JSON report."""

    start_s: Seconds = Field(description="Where the first cell starts.")
    stride_s: float = Field(gt=0, allow_inf_nan=False, description="Length of a cell, in seconds.")
    score: tuple[Score | None, ...] = Field(
        description="P(fake) by all modalities together; null where none could be judged."
    )
    by_modality: dict[Modality, tuple[Score | None, ...]] = Field(
        default_factory=dict, description="P(fake) by one modality alone; null where it is absent."
    )

    @model_validator(mode="after")
    def _one_score_a_snippet(self) -> Self:
        for modality, scores in self.by_modality.items():
            if len(scores) != len(self.score):
                raise ValueError(
                    f"{modality} has {len(scores)} scores for {len(self.score)} snippets; "
                    "give one a snippet, null where it is absent"
                )
        return self


class Report(FrozenModel):
    """What is said about one clip."""

    schema_version: Literal["1.0"] = Field(default=SCHEMA_VERSION, description="Format version.")
    status: Status = Field(
        description="ok: judged. abstained: readable, but nothing to judge. error: unreadable."
    )
    media: Media = Field(description="The file.")
    score: Score | None = Field(default=None, description="P(fake) of the clip.")
    threshold: Threshold | None = Field(default=None, description="What it was compared with.")
    segments: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake stretches in time order; two never touch."
    )
    modalities: dict[Modality, ModalityReport] = Field(
        default_factory=dict, description="What each modality says by itself."
    )
    proposals: tuple[Proposal, ...] = Field(default=(), description="Best first.")
    warnings: tuple[Words, ...] = Field(default=(), description="What to know about the input.")
    problem: Problem | None = Field(default=None, description="Why there is no score.")
    provenance: Provenance = Field(description="Where the numbers come from.")
    curves: Curves | None = Field(default=None, description="Scores along time.")

    @model_validator(mode="after")
    def _score_fits_status(self) -> Self:
        if (self.status == "ok") != (self.score is not None):
            raise ValueError("a report has a score exactly when its status is ok")
        if (self.status == "ok") == (self.problem is not None):
            raise ValueError("a report names its problem exactly when its status is not ok")
        return self

    @property
    def fake(self) -> bool | None:
        """Whether the score reaches the threshold; None where that cannot be said."""
        if self.score is None or self.threshold is None:
            return None
        return self.score >= self.threshold.value

    @property
    def duration_s(self) -> float:
        """How long the clip lasts, in seconds; 0 where that is not known."""
        duration_s = self.media.duration_s
        return duration_s if duration_s is not None and math.isfinite(duration_s) else 0.0
