"""Agreement between the voice of a clip and its face."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.face_trace import FaceTrace, trace_face
from mmmsba_plugin.forge.speaker_visibility import measure_visibility
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.tracks.mesh import LIPS_INNER

from .clips import MOUTH, RATE_HZ, UNTOUCHED, metadata

FPS_HZ = 25


def talk(seed, num_frames=250):
    """Draw how loud somebody is in each frame, in [0, 1]: syllables and pauses."""
    noise = gaussian_filter1d(np.random.default_rng(seed).standard_normal(num_frames), 3)
    return np.clip(2 * noise / noise.std(), 0, 2) / 2


def voice(loudness):
    noise = np.random.default_rng(0).standard_normal(loudness.size * RATE_HZ // FPS_HZ)
    return (0.1 * noise * loudness.repeat(RATE_HZ // FPS_HZ)).astype(np.float32)


def face(loudness):
    """Return a face whose lips open and shut four times a second, as far as it is loud."""
    points = np.random.default_rng(1).uniform(20, 100, (468, 2)).astype(np.float32)
    points = np.tile(points, (loudness.size, 1, 1))
    phase = np.sin(2 * np.pi * 4 * np.arange(loudness.size) / FPS_HZ)
    points[:, list(LIPS_INNER[:10]), 1] += (4 * loudness * phase)[:, None]
    return FaceTrace(
        edges_s=np.arange(loudness.size + 1) / FPS_HZ,
        track=np.zeros(loudness.size, np.int64),
        points=points,
        to_face=np.tile(np.eye(2, 3), (loudness.size, 1, 1)),
    )


def measured(face_trace, audio):
    return measure_visibility(face_trace, audio, sample_rate_hz=RATE_HZ)


def test_lips_that_move_with_the_voice_are_the_speaker_s():
    own = measured(face(talk(2)), voice(talk(2)))
    other = measured(face(talk(2)), voice(talk(3)))
    assert own.speaker_visible
    assert own.agreement > other.agreement + 0.3


def test_still_lips_beside_a_voice_are_somebody_else_s():
    still = measured(face(np.zeros(250)), voice(talk(2)))
    assert still.agreement == 0
    assert still.speaker_visible is False
    assert still.to_metadata() == {"lip_audio_agreement": 0.0, "speaker_visible": False}


@pytest.mark.parametrize(
    ("face_trace", "audio"),
    [
        (face(talk(2)), np.zeros(0, np.float32)),
        (face(talk(2)), np.zeros(10 * RATE_HZ, np.float32)),
        (face(talk(2, 40)), voice(talk(2, 40))),
        (replace(face(talk(2)), track=np.full(250, -1)), voice(talk(2))),
    ],
    ids=["no audio", "silence", "short", "no face"],
)
def test_nothing_is_said_where_nothing_is_known(face_trace, audio):
    unknown = measured(face_trace, audio)
    assert unknown.speaker_visible is None
    assert unknown.to_metadata() == {}


def test_a_talking_head_agrees_with_its_own_voice_best(tmp_path):
    clips = [make_talking_clip(tmp_path / f"{n}.mp4", seconds=6, seed=n).path for n in range(2)]
    medias = [probe(path) for path in clips]
    face_trace = trace_face(FrameReader(medias[0]), fps_hz=FPS_HZ, config=TracksConfig())
    own, other = (
        measured(face_trace, read_audio(media, sample_rate_hz=RATE_HZ).samples) for media in medias
    )
    assert own.speaker_visible
    assert own.agreement > other.agreement


def test_all_files_made_of_a_clip_say_whose_voice_it_is(tmp_path):
    make_talking_clip(tmp_path / "real/long.mp4", seconds=5, seed=7, size_px=160)
    forge_dataset(
        tmp_path / "real", tmp_path / "out", per_clip=1, seed=0, forgers=[MOUTH], config=UNTOUCHED
    )
    entries = metadata(tmp_path / "out")
    assert len(entries) == 2
    assert {e["lip_audio_agreement"] for e in entries} == {entries[0]["lip_audio_agreement"]}
    assert all(e["speaker_visible"] is True for e in entries)
