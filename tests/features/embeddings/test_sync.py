"""Lip-sync embeddings by the encoder that ships with the package."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.features.embeddings import sync
from mmmsba_plugin.features.embeddings.sync import TalkingFace, load_encoder, sync_embeddings
from mmmsba_plugin.features.embeddings.two_streams import (
    COLUMNS,
    MARGIN,
    NUM_MELS,
    NUM_POINTS,
    NUM_VALUES,
)


def talking_face(num_frames, seed=0):
    rng = np.random.default_rng(seed)
    return TalkingFace(
        crops=rng.integers(0, 256, (num_frames, 56, 56), np.uint8),
        points=rng.normal(0, 0.1, (num_frames, NUM_POINTS, 2)).astype(np.float32),
        has_face=np.ones(num_frames, dtype=bool),
        levels=rng.normal(-50, 10, (COLUMNS * num_frames, NUM_MELS)).astype(np.float32),
        has_audio=np.ones(num_frames, dtype=bool),
    )


@pytest.mark.parametrize("num_frames", [1, 8, 300])
def test_there_is_a_vector_of_length_one_a_frame_in_either_stream(num_frames):
    for embeddings in sync_embeddings(talking_face(num_frames), load_encoder()):
        assert embeddings.shape == (num_frames, NUM_VALUES)
        assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(num_frames), abs=1e-5)


def test_embeddings_are_the_same_where_the_clip_is_cut_into_batches(monkeypatch):
    face = talking_face(90)
    whole = sync_embeddings(face, load_encoder())
    monkeypatch.setattr(sync, "BATCH_FRAMES", 40)
    for expected, output in zip(whole, sync_embeddings(face, load_encoder()), strict=True):
        assert output == pytest.approx(expected, abs=1e-4)


def test_a_frame_moves_the_embeddings_that_look_at_it_and_no_others():
    encoder, face = load_encoder(), talking_face(60)
    moved = talking_face(60)
    moved.crops[30] = 255 - moved.crops[30]
    # Of noise, that hardly changes the mean and the spread of the clip.
    mouth, audio = sync_embeddings(face, encoder)
    other_mouth, other_audio = sync_embeddings(moved, encoder)
    change = np.abs(other_mouth - mouth).max(axis=1)
    near = slice(30 - MARGIN, 30 + MARGIN + 1)
    assert change[near].min() > 10 * np.delete(change, range(near.start, near.stop)).max()
    assert np.array_equal(audio, other_audio)


def test_neither_the_light_nor_the_level_nor_the_place_counts():
    encoder, face = load_encoder(), talking_face(40)
    other = TalkingFace(
        crops=face.crops,
        points=face.points + np.float32(0.3),
        has_face=face.has_face,
        levels=face.levels - 20,
        has_audio=face.has_audio,
    )
    pairs = zip(sync_embeddings(face, encoder), sync_embeddings(other, encoder), strict=True)
    for expected, output in pairs:
        assert output == pytest.approx(expected, abs=1e-3)


def test_a_file_without_an_encoder_is_refused(tmp_path):
    file = tmp_path / "no.safetensors"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelFileError, match="holds no lip-sync encoder"):
        load_encoder(file)
