"""Front-end that compares the mouth with the audio."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.extract import extract
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.features.sync import (
    MAX_LAG,
    MAX_OWN_LAG,
    NUM_VALUES,
    Sync,
    SyncConfig,
    agreement,
    describe,
    own_lag,
)
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.structures import AudioBlock
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import Grid

DURATION_S = 4.0
GRID = Grid(stride_s=0.08)
#: Where the likeliest lag over a second stands in a row.
LAG_S = NUM_VALUES - 4


def rows_of(faces, blocks):
    extractor = Sync(SyncConfig())
    extractor.start(samples.media(DURATION_S), GRID)
    for observation in chain(faces, blocks):
        extractor.add(observation)
    return extractor.finish(GRID.num_snippets(DURATION_S))


def unit_vectors(num, seed=0):
    values = np.random.default_rng(seed).normal(size=(num, 16)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def described(mouth, audio, has_face=None, has_audio=None):
    everywhere = np.ones(len(mouth), dtype=bool)
    has_face = everywhere if has_face is None else has_face
    has_audio = everywhere if has_audio is None else has_audio
    return describe(*agreement(mouth, audio, has_face, has_audio))


def test_it_needs_both_audio_and_faces():
    assert lookup("front_ends", "sync").inputs == {"audio", "faces"}


def test_a_row_holds_values_and_their_deviations():
    rows = rows_of(samples.faces(DURATION_S), samples.audio(DURATION_S))
    assert rows.values.shape == (GRID.num_snippets(DURATION_S), 2 * NUM_VALUES)
    assert rows.present.all()


@pytest.mark.parametrize("lag", [-7, 0, 4])
def test_the_likeliest_lag_is_that_of_the_audio_in_seconds(lag):
    mouth = unit_vectors(120)
    values, _ = described(mouth, np.roll(mouth, lag, axis=0))
    inner = values[40:-40]
    assert inner[:, LAG_S] == pytest.approx(np.full(40, 0.04 * lag), abs=0.01)


@pytest.mark.parametrize("lag", [-8, 0, 6])
def test_a_clip_that_is_late_as_a_whole_is_looked_at_about_its_own_lag(lag):
    mouth = unit_vectors(160)
    values, _ = described(mouth, np.roll(mouth, lag, axis=0))
    own_lag_s, margin = values[0, 2], values[40:-40, NUM_VALUES - 3]
    assert own_lag_s == pytest.approx(0.04 * lag)
    assert margin == pytest.approx(np.zeros(80), abs=1e-5)


def test_noise_has_no_lag_of_its_own_and_neither_has_a_short_clip():
    noise = unit_vectors(160), unit_vectors(160, 1)
    short = unit_vectors(20), unit_vectors(20)
    for mouth, audio in (noise, short):
        everywhere = np.ones(len(mouth), dtype=bool)
        assert own_lag(*agreement(mouth, audio, everywhere, everywhere)) == 0


def test_the_own_lag_is_the_best_where_mouth_and_audio_belong_together():
    mouth = unit_vectors(120)
    together, apart = described(mouth, mouth)[0], described(mouth, unit_vectors(120, 1))[0]
    margin, log_likelihood = NUM_VALUES - 3, NUM_VALUES - 2
    assert together[:, margin] == pytest.approx(np.zeros(120), abs=1e-5)
    assert together[:, log_likelihood].min() > -0.01
    assert np.median(apart[:, log_likelihood]) < -1


def test_a_fake_segment_deviates_and_the_rest_does_not():
    mouth = unit_vectors(200)
    audio = mouth.copy()
    audio[80:120] = unit_vectors(40, 1)
    agreements = described(mouth, audio)[0][:, 4]
    assert agreements[85:115].max() < agreements[np.r_[10:75, 125:190]].min()


def test_nothing_is_known_near_a_face_that_was_not_seen():
    mouth, has_face = unit_vectors(100), np.ones(100, dtype=bool)
    has_face[40:60] = False
    _, valid = described(mouth, mouth, has_face=has_face)
    assert not valid[36:64].any()
    assert valid[:30].all()
    assert valid[70:].all()


def test_nothing_is_known_where_there_is_no_audio():
    mouth, has_audio = unit_vectors(100), np.ones(100, dtype=bool)
    has_audio[50:] = False
    _, valid = described(mouth, mouth, has_audio=has_audio)
    assert not valid[50:].any()
    assert valid[:40].all()


def test_lags_that_a_clip_is_too_short_for_are_not_known():
    mouth = unit_vectors(5)
    everywhere = np.ones(5, dtype=bool)
    values, valid = agreement(mouth, mouth, everywhere, everywhere)
    assert valid[0].nonzero()[0].tolist() == list(
        range(MAX_LAG + MAX_OWN_LAG, MAX_LAG + MAX_OWN_LAG + 5)
    )
    assert not values[~valid].any()


@pytest.mark.parametrize("kind", ["faces", "audio"])
def test_a_clip_without_either_has_no_rows_present(kind):
    faces = samples.faces(DURATION_S) if kind == "audio" else []
    blocks = samples.audio(DURATION_S) if kind == "faces" else []
    rows = rows_of(faces, blocks)
    assert not rows.present.any()
    assert not rows.values.any()


def test_silent_audio_opts_out(talking_clip, tmp_path):
    from mmmsba_plugin.media.encode import write_clip
    from mmmsba_plugin.media.video import FrameReader

    media = probe(talking_clip)
    muted = tmp_path / "muted.mp4"
    silence = np.zeros(3 * 16_000, dtype=np.float32)
    write_clip(muted, FrameReader(media), fps_hz=25, audio=silence, sample_rate_hz=16_000)
    config = FeaturesConfig(front_ends={"sync": {"name": "sync"}})
    features = extract(probe(muted), bind_front_ends(config), config)
    assert not features.rows["sync"].present.any()
    assert features.opt_outs["sync"][0].reason == "silence"


def test_faces_at_another_frame_rate_are_brought_onto_the_same_clock():
    faces = samples.faces(DURATION_S)
    slower = [faces[i] for i in range(0, len(faces), 2)]
    blocks = samples.audio(DURATION_S)
    output, expected = rows_of(slower, blocks), rows_of(faces, blocks)
    assert output.present.all()
    difference = np.abs(output.values[:, 0] - expected.values[:, 0])
    assert np.median(difference) < np.median(np.abs(expected.values[:, 0]))


def test_another_person_is_not_blended_with_the_one_before():
    faces = samples.faces(DURATION_S)
    faces[50:] = [replace(face, track=1) for face in faces[50:]]
    extractor = Sync(SyncConfig())
    extractor.start(samples.media(DURATION_S), GRID)
    for observation in chain(faces, samples.audio(DURATION_S)):
        extractor.add(observation)
    has_face = extractor.talking_face(GRID.num_snippets(DURATION_S)).has_face
    assert (~has_face).nonzero()[0].tolist() == [49]


def test_audio_of_another_rate_is_refused():
    block = AudioBlock(0.0, np.zeros(8_000, dtype=np.float32), 8_000)
    with pytest.raises(FeatureError, match="16000"):
        rows_of([], [block])


@pytest.fixture(scope="module")
def real_speech(shared):
    """The faces and the audio of a real clip, and what is known about it."""
    from mmmsba_plugin.media.audio import read_audio
    from mmmsba_plugin.media.video import FrameReader
    from mmmsba_plugin.tracks.link import follow_main_face

    path = shared / "footage" / "dev" / "lrs2_00001.mp4"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    media = probe(path)
    observations = follow_main_face(FrameReader(media))
    return [o.face for o in observations if o.face is not None], read_audio(media), media


def lag_s(real_speech, late_s):
    faces, audio, media = real_speech
    extractor = Sync(SyncConfig())
    extractor.start(media, GRID)
    late = AudioBlock(audio.start_s + late_s, audio.samples, audio.sample_rate_hz)
    for observation in (*faces, late):
        extractor.add(observation)
    rows = extractor.finish(GRID.num_snippets(media.duration_s))
    return float(np.median(rows.values[rows.present, LAG_S]))


@pytest.mark.parametrize("late_s", [-0.2, 0.2])
def test_audio_of_real_speech_that_is_shifted_shifts_the_lag(real_speech, late_s):
    shift_s = lag_s(real_speech, late_s) - lag_s(real_speech, 0.0)
    assert shift_s == pytest.approx(late_s, abs=0.06)
