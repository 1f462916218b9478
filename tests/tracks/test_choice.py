"""Choices of the audio track and the face track of a clip."""

import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.tracks.choice import require_audio_track, require_face_track


@pytest.mark.parametrize("track", [1, 7, "all", None])
def test_numbers_from_one_and_all_are_audio_tracks(track):
    require_audio_track(track)


@pytest.mark.parametrize("track", [1, 7, "main", "all", None])
def test_numbers_from_one_the_main_one_and_all_are_face_tracks(track):
    require_face_track(track)


@pytest.mark.parametrize("track", [0, -1, "first", 1.5])
def test_anything_else_is_refused(track):
    with pytest.raises(ConfigError, match="an audio track is a number from 1"):
        require_audio_track(track)
    with pytest.raises(ConfigError, match="a face track is a number from 1"):
        require_face_track(track)
