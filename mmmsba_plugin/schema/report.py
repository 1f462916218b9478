"""The report of one clip, and its parts."""

import math
from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from mmmsba_plugin.schema.base import (
    FrozenModel,
    ManipulatedModality,
    Modality,
    Probability,
    Rate,
    Score,
    Seconds,
    TimeSpan,
    Words,
)
from mmmsba_plugin.schema.media import Media

#: Version of this format. A reader refuses a major version it does not know.
SCHEMA_VERSION: Final = "1.0"

#: What the JSON Schema of a report is called, wherever it lies; each version has its own.
_SCHEMA_ID: Final = f"urn:mmmsba:report:{SCHEMA_VERSION}"

Status = Literal["ok", "abstained", "error"]


class OptOut(TimeSpan):
    """A span in which a modality could not be evaluated, with the reason."""

    reason: str = Field(description="Reason in words, such as 'no face' or 'no audio stream'.")


class FakeSegment(TimeSpan):
    """A segment that is reported as fake."""

    score: Probability = Field(description="Calibrated P(fake) of the segment.")
    modality: ManipulatedModality | None = Field(
        default=None, description="Manipulated stream; null where it is not known."
    )
    track: int | None = Field(
        default=None,
        ge=0,
        description="Number of the face track with the highest score in it, as 'face_tracks' "
        "counts them; null where no face is seen, or they were not told apart.",
    )
    words: Words | None = Field(
        default=None,
        description="Words that are spoken in it, by the transcript beside the clip; null where "
        "there are none.",
    )


class Proposal(TimeSpan):
    """A ranked candidate, for evaluation: many, overlapping, down to low scores."""

    score: Probability = Field(
        description="Calibrated P(fake) after suppression of overlapping candidates."
    )


class ModalityReport(FrozenModel):
    """The prediction from one modality alone."""

    score: Probability | None = Field(
        description="Calibrated P(fake) from this modality alone; null if it is absent."
    )
    opt_outs: tuple[OptOut, ...] = Field(
        default=(), description="Spans that could not be evaluated, with reasons."
    )


class Threshold(FrozenModel):
    """The probability from which a clip counts as fake."""

    value: Probability = Field(description="Probability at or above which a clip counts as fake.")
    false_positive_rate: Rate | None = Field(
        default=None,
        description="False-positive rate that it was chosen for; null if it was not chosen so.",
    )


class ScoreThreshold(FrozenModel):
    """The network's score from which a clip counts as fake, before calibration."""

    value: Score = Field(description="Score at or above which a clip counts as fake.")
    false_positive_rate: Rate | None = Field(
        default=None,
        description="False-positive rate that it was chosen for; null if it was not chosen so.",
    )


class Problem(FrozenModel):
    """The reason why a clip got no score."""

    kind: str = Field(description="Class of the error.")
    message: Words = Field(description="Cause, and what to do next.")


class Provenance(FrozenModel):
    """The origin of the numbers: versions, weights and settings."""

    package_version: str = Field(description="Version of mmmsba-plugin.")
    api_version: str = Field(description="Version of the plug-in interface.")
    formula_version: int = Field(
        description="Version of the formulas, bumped when a number's definition changes."
    )
    detector: str = Field(description="Name of the detector.")
    checkpoint: str | None = Field(default=None, description="Name of the checkpoint.")
    checkpoint_sha256: str | None = Field(default=None, description="SHA-256 of the weights.")
    trained_on: str | None = Field(default=None, description="Training data of the weights.")
    calibration: str = Field(default="none", description="Method that calibrated the scores.")
    config: dict[str, Any] = Field(default_factory=dict, description="Settings in force.")
    command: Words | None = Field(default=None, description="Command line, if there was one.")
    created_utc: str | None = Field(
        default=None, description="Time of the prediction, in ISO 8601."
    )


class Curves(FrozenModel):
    """Probabilities over time, one a snippet, in a side file rather than the JSON report."""

    start_s: Seconds = Field(description="Start of the first cell, in seconds.")
    stride_s: float = Field(gt=0, allow_inf_nan=False, description="Length of a cell, in seconds.")
    score: tuple[Probability | None, ...] = Field(
        description="Calibrated P(fake) from all modalities; null where none could be evaluated."
    )
    by_modality: dict[Modality, tuple[Probability | None, ...]] = Field(
        default_factory=dict,
        description="Calibrated P(fake) from one modality alone; null where it is absent.",
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


class SegmentAttention(FrozenModel):
    """Attention of the network while it scored a fake segment. It proves nothing.

    Pages show it; like curves, it is not in the JSON report.
    """

    segment: int = Field(ge=1, description="Number of the fake segment, from 1 in time order.")
    start_s: Seconds = Field(description="Start of the first cell, in seconds.")
    stride_s: float = Field(gt=0, allow_inf_nan=False, description="Length of a cell, in seconds.")
    weights: dict[str, tuple[float, ...]] = Field(
        description="For each pair of modalities that attend, such as 'face_from_lips', the mean "
        "weight that snippets of the segment gave to each cell; 1 is an even share."
    )


class Windows(FrozenModel):
    """Longest stretches of a long clip that were evaluated at once."""

    attention_s: Seconds | None = Field(
        default=None,
        description="Longest stretch that the network attended to at once, in seconds; null for "
        "the whole clip.",
    )
    features_s: Seconds | None = Field(
        default=None,
        description="Longest stretch whose features were stated relative to each other, in "
        "seconds; null for the whole clip.",
    )


class AudioTrackReport(FrozenModel):
    """The prediction for a clip with one of its audio tracks."""

    track: int = Field(ge=1, description="Number among the file's audio tracks, from 1.")
    score: Probability | None = Field(
        description="Calibrated P(fake) of the clip with this audio track; null if there is none."
    )
    problem: Problem | None = Field(default=None, description="Reason why there is no score.")


class FaceTrackReport(TimeSpan):
    """A face that was followed through a clip, from first to last sight, and what was predicted."""

    track: int = Field(ge=1, description="Number of the face track, from 1 in order of appearance.")
    share: Rate = Field(description="Share of the clip's frames in which the face was followed.")
    box_time_s: Seconds = Field(
        description="Time of the frame in the middle of the longest run in which the face was "
        "followed, in seconds from the clip's zero."
    )
    box_xywh: tuple[Rate, Rate, Rate, Rate] = Field(
        description="Face in that frame: left and top edge, width and height, as parts of the "
        "frame's own width and height."
    )
    speaks: bool | None = Field(
        default=None,
        description="Whether this mouth moves with the audio, and no other much better; null where "
        "that cannot be told.",
    )
    lip_audio_agreement: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="Correlation of the lips' speed with the level of the audio; null where the "
        "face was followed, or audio heard, for less than three seconds at a time.",
    )
    score: Probability | None = Field(
        description="Highest calibrated P(fake) while this face is seen; null if there is none."
    )


class Report(FrozenModel):
    """The prediction for one clip, with its segments, threshold and provenance."""

    model_config = ConfigDict(
        json_schema_extra={
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": _SCHEMA_ID,
        }
    )

    schema_version: Literal["1.0"] = Field(
        default=SCHEMA_VERSION, description="Version of this format."
    )
    status: Status = Field(
        description="'ok': predicted. 'abstained': readable, but nothing to predict from. "
        "'error': unreadable."
    )
    media: Media = Field(description="The media file.")
    score: Probability | None = Field(default=None, description="Calibrated P(fake) of the clip.")
    threshold: Threshold | None = Field(
        default=None, description="Threshold that the clip's probability was compared with."
    )
    real_share_above: Rate | None = Field(
        default=None,
        description="Share of the checkpoint's real validation clips that score at least as high "
        "as the clip; null if the checkpoint does not keep their scores.",
    )
    windows: Windows | None = Field(
        default=None,
        description="How a long clip was cut for evaluation; null if it was evaluated whole.",
    )
    segments: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake segments in time order; two never touch."
    )
    modalities: dict[Modality, ModalityReport] = Field(
        default_factory=dict, description="Prediction from each modality alone."
    )
    proposals: tuple[Proposal, ...] = Field(
        default=(), description="Ranked candidates, best first."
    )
    audio_tracks: tuple[AudioTrackReport, ...] = Field(
        default=(),
        description="Prediction with each audio track, where all were asked for; the rest of the "
        "report is that of the track in 'media', which scores highest.",
    )
    face_tracks: tuple[FaceTrackReport, ...] = Field(
        default=(),
        description="The faces that were followed, where several are in view at once; the clip's "
        "probability is the highest of theirs, and of the audio where no face is seen.",
    )
    verdict_track: int | None = Field(
        default=None,
        ge=1,
        description="Number of the face track that the clip has its probability from; null where "
        "no face is seen there, or they were not told apart.",
    )
    warnings: tuple[Words, ...] = Field(
        default=(), description="Warnings about the input and the weights."
    )
    problem: Problem | None = Field(default=None, description="Reason why there is no score.")
    provenance: Provenance = Field(description="Origin of the numbers.")
    curves: Curves | None = Field(default=None, description="Probabilities over time.")
    attention: tuple[SegmentAttention, ...] = Field(
        default=(), description="Where the network looked in fake segments, if it was asked for."
    )

    @model_validator(mode="after")
    def _score_fits_status(self) -> Self:
        if (self.status == "ok") != (self.score is not None):
            raise ValueError("a report has a score exactly when its status is ok")
        if (self.status == "ok") == (self.problem is not None):
            raise ValueError("a report names its problem exactly when its status is not ok")
        return self

    @property
    def fake(self) -> bool | None:
        """True if the probability reaches the threshold; None without one of the two."""
        if self.score is None or self.threshold is None:
            return None
        return self.score >= self.threshold.value

    @property
    def duration_s(self) -> float:
        """Duration of the clip in seconds; 0 where that is not known."""
        duration_s = self.media.duration_s
        return duration_s if duration_s is not None and math.isfinite(duration_s) else 0.0
