"""Choices of the audio track and the face track of a clip."""

from typing import Literal, TypeAlias

from mmmsba_plugin.errors import ConfigError

#: Which audio track of a clip is evaluated: its number from 1, or each of them.
AudioTrack: TypeAlias = int | Literal["all"]

#: Which face track of a clip is evaluated: its number from 1, the main one, or each of them.
FaceTrack: TypeAlias = int | Literal["main", "all"]


def require_audio_track(audio_track: object) -> None:
    """Check that an audio track is a number from 1, "all", or None.

    Raises:
        ConfigError: It is not.
    """
    is_number = isinstance(audio_track, int) and audio_track >= 1
    if not is_number and audio_track not in ("all", None):
        raise ConfigError(
            f"an audio track is a number from 1, or 'all', got {audio_track!r}; "
            "`ffprobe CLIP` lists those of a clip"
        )


def require_face_track(face_track: object) -> None:
    """Check that a face track is a number from 1, "main", "all", or None.

    Raises:
        ConfigError: It is not.
    """
    is_number = type(face_track) is int and face_track >= 1
    if not is_number and face_track not in ("main", "all", None):
        raise ConfigError(
            f"a face track is a number from 1, 'main' or 'all', got {face_track!r}; the report of "
            "all of them names those of a clip"
        )
