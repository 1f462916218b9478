"""The media file of a report: its streams, and traces of how it was made."""

from pydantic import Field

from mmmsba_plugin.schema.base import FrozenModel, Seconds, Words


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
        default=(),
        description="Streams of frames or audio that were not read, and what lies behind the last "
        "packet if it is much, in words.",
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
