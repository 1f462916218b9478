"""Clips of a portrait that talks."""

import json

import numpy as np
import pytest

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.talking_head import clips
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip, make_talking_head_dataset
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.tracks.link import follow_main_face

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def talking(tmp_path_factory):
    return make_talking_clip(tmp_path_factory.mktemp("talking") / "a.mp4", seconds=4, seed=5)


def test_a_clip_lasts_what_was_asked_and_has_both_streams(talking):
    media = probe(talking.path)
    # One AAC frame of 1024 samples may be left over at the end.
    assert media.duration_s == pytest.approx(4.0, abs=1024 / RATE_HZ)
    assert (media.video.width_px, media.video.height_px, media.video.fps_hz) == (320, 320, 25.0)
    assert media.audio.sample_rate_hz == RATE_HZ


def test_the_mesh_sees_the_lips_open_as_they_were_drawn(talking):
    faces = [s.face for s in follow_main_face(FrameReader(probe(talking.path)))]
    assert all(face is not None for face in faces)
    gap = [np.linalg.norm(face.points[13] - face.points[14]) for face in faces]
    wide = [np.linalg.norm(face.points[61] - face.points[291]) for face in faces]
    assert np.corrcoef(gap, talking.opening)[0, 1] > 0.85
    assert np.corrcoef(wide, talking.width)[0, 1] > 0.5


def test_lips_and_audio_are_in_step(talking):
    audio = read_audio(probe(talking.path), sample_rate_hz=RATE_HZ).samples
    per_frame = RATE_HZ // 25
    loud = np.sqrt(np.mean(audio[: 100 * per_frame].reshape(100, per_frame) ** 2, axis=1))
    lags = range(-8, 9)
    match = [np.corrcoef(np.roll(talking.opening[:100], lag), loud)[0, 1] for lag in lags]
    # A frame stands for the 40 ms after its stamp, so half a frame is the best there is.
    assert abs(lags[int(np.argmax(match))]) <= 1
    assert max(match) > 0.6


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first, second, other = (
        make_talking_clip(tmp_path / f"{i}.mp4", seconds=1, seed=seed)
        for i, seed in enumerate((3, 3, 4))
    )
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.read_bytes() != other.path.read_bytes()


def test_a_dataset_names_its_speakers(tmp_path):
    num_clips = len(SPEAKERS) + 1
    clips = make_talking_head_dataset(
        tmp_path, num_clips=num_clips, seconds=0.2, seed=0, size_px=96
    )
    entries = json.loads((tmp_path / "metadata.json").read_text())
    assert [e["file"] for e in entries] == [c.path.name for c in clips]
    assert [e["identity"] for e in entries] == [
        f"speaker{i % len(SPEAKERS)}" for i in range(num_clips)
    ]
    assert all(e["n_fakes"] == 0 for e in entries)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"seconds": 0.0}, "longer than 0 s, got 0"),
        ({"size_px": 64}, "even and at least 96, got 64"),
        ({"size_px": 321}, "even and at least 96, got 321"),
    ],
)
def test_a_clip_that_shows_no_mouth_is_refused(tmp_path, settings_, message):
    with pytest.raises(ConfigError, match=message):
        make_talking_clip(tmp_path / "a.mp4", **({"seconds": 1.0, "seed": 0} | settings_))


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(clips, "find_spec", lambda name: None if name == "skimage" else name)
    with pytest.raises(MissingExtraError, match=r"need skimage; .*mmmsba-plugin\[demo\]"):
        make_talking_clip(tmp_path / "a.mp4", seconds=1, seed=0)
