"""Segments of real speech that the lip-sync encoder learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.embeddings.two_streams import COLUMNS, CROP_PX, NUM_MELS, NUM_POINTS
from mmmsba_plugin.training.sync_batches import SegmentSampler, SyncClip, segment_starts, shifted

from .talking_faces import talking_face


def sampler(*clips, num_frames=40, seed=0):
    return SegmentSampler(clips, num_frames, np.random.default_rng(seed))


@pytest.mark.parametrize("lag", [-3, 0, 5])
def test_a_clip_whose_audio_is_late_is_brought_in_sync(lag):
    face = talking_face(60)
    late = shifted(face, -lag)
    again = shifted(late, lag)
    assert len(again) == 60 - 2 * abs(lag)
    span = slice(abs(lag), 60 - abs(lag))
    assert np.array_equal(again.crops, face.crops[span])
    assert np.array_equal(again.levels, face.levels[COLUMNS * span.start : COLUMNS * span.stop])


def test_a_batch_has_a_segment_of_each_clip_drawn():
    batch = sampler(SyncClip("a", "x", talking_face(100))).batch(3)
    assert batch.crops.shape == (3, 40, CROP_PX, CROP_PX)
    assert batch.points.shape == (3, 40, 2 * NUM_POINTS)
    assert batch.levels.shape == (3, COLUMNS * 40, NUM_MELS)
    assert batch.has_face.all()
    assert all(torch.isfinite(tensor.float()).all() for tensor in batch)


def test_the_same_seed_draws_the_same_batch():
    clips = [SyncClip("a", "x", talking_face(100)), SyncClip("b", "y", talking_face(80, seed=1))]
    first, second = (sampler(*clips, seed=7).batch(4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_no_segment_comes_twice_in_the_same_form():
    batch = sampler(SyncClip("a", "x", talking_face(40))).batch(2)
    assert not torch.equal(batch.crops[0], batch.crops[1])
    assert not torch.equal(batch.levels[0], batch.levels[1])


def test_a_clip_shorter_than_a_segment_is_marked_behind_its_end():
    batch = sampler(SyncClip("a", "x", talking_face(20))).batch(8)
    assert batch.has_audio[:, :15].all()
    assert not batch.has_audio[:, 25:].any()


def test_a_clip_without_a_face_or_without_a_voice_is_passed_over():
    face = talking_face(60)
    blind = replace(face, has_face=np.zeros(60, dtype=bool))
    mute = replace(face, has_audio=np.zeros(60, dtype=bool))
    assert segment_starts(face, 40).tolist() == list(range(21))
    assert not segment_starts(blind, 40).size
    assert not segment_starts(mute, 40).size
    with pytest.raises(TrainingError, match="talking faces with sound"):
        sampler(SyncClip("a", "x", blind))


def test_an_identity_with_many_clips_does_not_crowd_out_the_others():
    clips = [SyncClip(str(i), "much", talking_face(60, seed=i)) for i in range(16)]
    clips.append(SyncClip("few", "little", talking_face(60, seed=99)))
    share = sampler(*clips).weights[-1]
    assert share == pytest.approx(1 / 5)
