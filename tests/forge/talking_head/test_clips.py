import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.talking_head import clips
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip, make_talking_head_dataset
from mmmsba_plugin.forge.talking_head.formant_speech import CONTROL_HZ, SPEAKERS, compose, sing
from mmmsba_plugin.forge.talking_head.portrait import Portrait, Pose
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.tracks.link import follow_main_face

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def talking(tmp_path_factory):
    return make_talking_clip(tmp_path_factory.mktemp("puppet") / "a.mp4", seconds=4, seed=5)


def test_a_clip_lasts_what_was_asked_and_has_both_streams(talking):
    media = probe(talking.path)
    # One AAC frame of 1024 samples may be left over at the end.
    assert media.duration_s == pytest.approx(4.0, abs=1024 / RATE_HZ)
    assert (media.video.width_px, media.video.height_px, media.video.fps_hz) == (320, 320, 25.0)
    assert media.audio.sample_rate_hz == RATE_HZ


def test_the_mesh_sees_the_lips_open_as_they_were_told_to(talking):
    faces = [s.face for s in follow_main_face(FrameReader(probe(talking.path)))]
    assert all(face is not None for face in faces)
    seen = [np.linalg.norm(face.points[13] - face.points[14]) for face in faces]
    wide = [np.linalg.norm(face.points[61] - face.points[291]) for face in faces]
    assert np.corrcoef(seen, talking.opening)[0, 1] > 0.85
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


def test_speakers_differ_in_pitch():
    def pitch_hz(speaker):
        rng = np.random.default_rng(0)
        score = compose(speaker, seconds=3, rng=rng)
        audio = sing(score, speaker, sample_rate_hz=RATE_HZ, rng=rng)
        spectrum = np.abs(np.fft.rfft(audio, n=2 * audio.size)) ** 2
        echo = np.fft.irfft(spectrum)[RATE_HZ // 400 : RATE_HZ // 60]
        return RATE_HZ / (int(np.argmax(echo)) + RATE_HZ // 400)

    for speaker in SPEAKERS:
        # The melody wanders by about 8 %.
        assert pitch_hz(speaker) == pytest.approx(speaker.pitch_hz, rel=0.25)


@given(seed=st.integers(0, 2**32), seconds=st.floats(0.1, 5.0), speaker=st.sampled_from(SPEAKERS))
@settings(max_examples=25, deadline=None)
def test_a_score_is_as_long_as_asked_and_within_bounds(seed, seconds, speaker):
    score = compose(speaker, seconds=seconds, rng=np.random.default_rng(seed))
    for column in (score.opening, score.width, score.voice, score.hiss):
        assert column.size == round(seconds * CONTROL_HZ) + 1
        # Rounding corners is a weighted mean, so only rounding errors lie outside.
        assert column.min() >= -1e-9
        assert column.max() <= 1 + 1e-9


def test_audio_never_clips_and_is_never_digital_silence():
    rng = np.random.default_rng(1)
    audio = sing(
        compose(SPEAKERS[0], seconds=3, rng=rng), SPEAKERS[0], sample_rate_hz=RATE_HZ, rng=rng
    )
    assert np.abs(audio).max() <= 0.99
    pieces = audio[: audio.size // 320 * 320].reshape(-1, 320)
    assert pieces.std(axis=1).min() > 1e-5


def test_an_open_mouth_is_dark_inside_and_the_rest_stays():
    portrait = Portrait(size_px=320)
    shut, wide = (portrait.draw(opening=o, width=0.5, blink=0.0, pose=Pose()) for o in (0.0, 1.0))
    changed = np.abs(shut.astype(int) - wide).max(axis=-1) > 0
    rows, _ = np.nonzero(changed)
    # Nose and collar bound what moves: 133.5 and 190 px of a portrait whose frame starts at
    # 12 px and is 215 px high, drawn at 320 px.
    assert rows.min() >= (133.5 - 12) / 215 * 320 - 2
    assert rows.max() <= (190 - 12) / 215 * 320 + 2
    # Between the lips of the open mouth: bright skin and lips give way to its dark inside.
    hollow = (slice(209, 214), slice(150, 164))
    assert wide[hollow].mean() < 60
    assert shut[hollow].mean() > 120


def test_a_blink_moves_only_the_eyes():
    portrait = Portrait(size_px=320)
    up, down = (portrait.draw(opening=0.3, width=0.5, blink=b, pose=Pose()) for b in (0.0, 1.0))
    rows, _ = np.nonzero(np.abs(up.astype(int) - down).max(axis=-1))
    assert rows.size > 100
    assert rows.max() < 160


def test_looks_differ():
    first, second = (
        Portrait(size_px=128, look=i).draw(opening=0, width=0.5, blink=0, pose=Pose())
        for i in (0, 1)
    )
    assert np.abs(first.astype(int) - second).mean() > 5


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
