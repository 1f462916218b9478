"""The report of one clip: its parts, their units and their JSON Schema.

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

#: What the JSON Schema of a report is called, wherever it lies; each version has its own.
_SCHEMA_ID: Final = f"urn:mmmsba:report:{SCHEMA_VERSION}"

#: A modality: ``face``, ``lips`` or ``audio``, or a word a plug-in adds.
Modality = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]

#: The stream that is manipulated when a modality is; one not named here can show either.
ALTERED_BY_MODALITY = {"audio": "audio", "face": "visual", "lips": "visual"}

#: A network's own number, in [0, 1]: higher means more likely fake. It ranks; how likely a fake
#: is, it does not say. Checkpoints, localization and training speak of scores.
Score = Annotated[float, Field(ge=0.0, le=1.0)]

#: Calibrated P(fake), in [0, 1]. Reports, and everyone who reads them, speak of probabilities;
#: :func:`mmmsba_plugin.localization.calibrate.apply` alone turns scores into them. Keys of the
#: report that are called ``score`` hold probabilities too, since schema 1.0.
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

#: A share of clips, in [0, 1].
Rate = Annotated[float, Field(ge=0.0, le=1.0)]

Seconds = Annotated[float, Field(allow_inf_nan=False)]


#: Words that may hold a file's name. A name can be bytes that are no UTF-8, which Python keeps
#: as lone surrogates and JSON cannot hold; there they are written as escapes, so that no file
#: is lost over its name.
Words = Annotated[
    str,
    PlainSerializer(
        lambda text: text.encode("utf-8", "backslashreplace").decode("utf-8"),
        return_type=str,
        when_used="json",
    ),
]

ManipulatedModality = Literal["audio", "visual", "both"]
Status = Literal["ok", "abstained", "error"]


class FrozenModel(BaseModel):
    """Base of a report and its parts: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeSpan(FrozenModel):
    """A span of time ``[start_s, end_s)``, in seconds from the clip's zero."""

    start_s: Seconds = Field(description="Start, in seconds from the clip's zero.")
    end_s: Seconds = Field(
        description="End, in seconds from the clip's zero; this moment is outside."
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if not self.end_s > self.start_s:
            raise ValueError(f"must end after it starts, got [{self.start_s}, {self.end_s})")
        return self


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


class VideoStream(FrozenModel):
    """The video stream that was read."""

    codec: str = Field(description="Name of the codec.")
    width_px: int = Field(ge=0, description="Displayed width in pixels, after rotation.")
    height_px: int = Field(ge=0, description="Displayed height in pixels, after rotation.")
    rotation_deg: int = Field(
        default=0, description="Rotation that was undone, in degrees clockwise."
    )
    fps_hz: float | None = Field(
        default=None, allow_inf_nan=False, description="Average frame rate, in frames per second."
    )
    start_s: Seconds = Field(
        default=0.0, description="Time of the first frame, from the clip's zero."
    )
    duration_s: Seconds | None = Field(
        default=None, description="Duration in seconds, as the container states it."
    )
    index: int | None = Field(
        default=None, ge=0, description="Number of the stream in the file; null if it is not known."
    )


class AudioStream(FrozenModel):
    """The audio stream that was read."""

    codec: str = Field(description="Name of the codec.")
    sample_rate_hz: int = Field(ge=0, description="Sample rate in Hz, as stored.")
    channels: int = Field(ge=0, description="Number of channels, as stored.")
    start_s: Seconds = Field(
        default=0.0, description="Time of the first sample, from the clip's zero."
    )
    duration_s: Seconds | None = Field(
        default=None, description="Duration in seconds, as the container states it."
    )
    index: int | None = Field(
        default=None, ge=0, description="Number of the stream in the file; null if it is not known."
    )
    track: int | None = Field(
        default=None,
        ge=1,
        description="Number among the file's audio tracks, from 1; null if it is not known.",
    )


class Edit(FrozenModel):
    """A line of an edit list: a part of a track that players show, or a pause."""

    track: int = Field(ge=1, description="Number of the track in the file, from 1.")
    duration_s: Seconds = Field(description="How long it is shown, in seconds.")
    media_start_s: Seconds | None = Field(
        description="Where the part begins in the track, in seconds; null for a pause."
    )
    rate: float = Field(allow_inf_nan=False, description="Speed that it is shown at; 1 as it is.")


class FileTraces(FrozenModel):
    """Traces in the container of how the file was made. No part of any score."""

    tags: dict[Words, Words] = Field(
        default_factory=dict,
        description="Tags of the file, such as 'encoder' and 'major_brand', and of its streams, "
        "such as 'stream 0 handler_name'; long ones are cut.",
    )
    edits: tuple[Edit, ...] = Field(
        default=(), description="Edit lists of the tracks, where the format has any (mp4, mov)."
    )
    c2pa: bool | None = Field(
        default=None,
        description="Whether a C2PA manifest is embedded, which was not validated; null where the "
        "format was not searched.",
    )


class Media(FrozenModel):
    """The media file."""

    path: Words = Field(description="Path that it was read from.")
    size_bytes: int | None = Field(default=None, ge=0, description="Size in bytes.")
    sha256: str | None = Field(default=None, description="SHA-256 of the file's bytes.")
    container: str | None = Field(default=None, description="Name of the container format.")
    duration_s: Seconds | None = Field(
        default=None, description="Duration in seconds, from zero to the last moment."
    )
    zero_s: Seconds = Field(
        default=0.0, description="The clip's zero on the container's clock, in seconds."
    )
    video: VideoStream | None = Field(
        default=None, description="The video stream; null if there is none."
    )
    audio: AudioStream | None = Field(
        default=None, description="The audio stream; null if there is none."
    )
    others: tuple[Words, ...] = Field(
        default=(), description="Streams of frames or audio that were not read, in words."
    )
    joins_s: tuple[Seconds, ...] = Field(
        default=(),
        description="Moments at which its time stamps start anew, or jump too far to be true, in "
        "seconds; what follows was laid behind what lies before.",
    )
    traces: FileTraces | None = Field(
        default=None,
        description="Traces in the container of how the file was made; null if it was not read.",
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


class StreamUpdate(FrozenModel):
    """Update about a live source, of what has passed since the one before."""

    start_s: Seconds = Field(description="Where the update before was final up to, in seconds.")
    final_s: Seconds = Field(description="Up to where scores are final, in seconds.")
    end_s: Seconds = Field(description="Up to where the source was read, in seconds.")
    is_last: bool = Field(description="Whether the source has ended.")
    score: Probability | None = Field(
        description="Highest P(fake) so far among those that are final; null if there is none."
    )
    threshold: Probability = Field(description="P(fake) at or above which a segment is fake.")
    segments: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake segments that have become final."
    )
    provisional: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake segments that may still grow, shrink or vanish."
    )
    curves: Curves = Field(description="P(fake) along time, from the start to the end.")
    opt_outs: dict[Modality, tuple[OptOut, ...]] = Field(
        default_factory=dict, description="Segments that could not be evaluated, by modality."
    )
    dropped: tuple[TimeSpan, ...] = Field(
        default=(), description="Stretches that were lost, because detection fell behind."
    )
    warnings: tuple[Words, ...] = Field(
        default=(),
        description="Sentences about what was read, such as faces that were left out, and the "
        "caution of the weights.",
    )
