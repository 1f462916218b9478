"""Training of the lip-sync encoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.embeddings.sync import load_encoder
from mmmsba_plugin.training import sync
from mmmsba_plugin.training.sync import (
    SyncTrainConfig,
    measure,
    read_clips,
    train_encoder,
    train_sync,
)
from mmmsba_plugin.training.sync_batches import SyncClip

from .talking_faces import talking_face

QUICK = SyncTrainConfig(steps=2, align_steps=1, align_rounds=1, batch_size=2, num_frames=40)


def made_up_clips(num, num_frames=150, first_seed=0):
    return [
        SyncClip(f"clip {i}", f"person {i}", talking_face(num_frames, seed=first_seed + i))
        for i in range(num)
    ]


@pytest.fixture(scope="module")
def encoder():
    """An encoder that learned from a few made-up faces whose mouth follows the level."""
    config = SyncTrainConfig(batch_size=6, num_frames=40)
    return train_encoder(made_up_clips(8), config, 60)


def test_it_learns_to_find_the_lag_of_faces_that_it_never_saw(encoder):
    accuracy = measure(encoder, made_up_clips(4, first_seed=50))
    assert accuracy[1.0].within_1 > 0.9
    assert accuracy[2.0].number > 10


def test_the_same_seed_trains_the_same_weights():
    clips = made_up_clips(2)
    first, second = (train_encoder(clips, QUICK, 2).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_clips_that_show_or_tell_nothing_cannot_be_learned_from():
    face = talking_face(10)
    with pytest.raises(TrainingError, match="talking faces with sound"):
        train_encoder([SyncClip("short", "x", face)], QUICK, 1)


def test_only_real_clips_are_read(talking_head_dataset):
    records = list(read_lavdf(talking_head_dataset))
    read = {clip.name for clip in read_clips(records)}
    assert any(record.fake for record in records)
    assert read == {r.name for r in records if not r.fake and (r.split or "train") == "train"}


def test_clips_whose_speaker_is_out_of_shot_are_passed_over(talking_head_dataset):
    record = next(r for r in read_lavdf(talking_head_dataset, split="train") if not r.fake)
    lines = []
    assert not read_clips([replace(record, extra={"speaker_visible": False})], lines.append)
    assert lines == [f"skipped {record.name}: its voice is not that of the face"]


def test_what_it_writes_is_an_encoder_for_the_front_end(talking_head_dataset, tmp_path):
    records = list(read_lavdf(talking_head_dataset))
    lines = []
    trained = train_sync(records, tmp_path / "mine.safetensors", QUICK, on_step=lines.append)
    assert trained.num_clips > 0
    assert trained.duration_s == pytest.approx(2.5 * trained.num_clips, rel=0.1)
    assert any(line.startswith("looking for lags") for line in lines)
    mine, bundled = load_encoder(trained.weights), load_encoder()
    assert not torch.equal(mine.mouth.dense.weight, bundled.mouth.dense.weight)


def test_lags_are_found_by_encoders_that_never_saw_the_person(monkeypatch):
    training_sets = []

    def remember(clips, *_):
        training_sets.append({clip.identity for clip in clips})

    monkeypatch.setattr(sync, "train_encoder", remember)
    monkeypatch.setattr(sync, "own_lag", lambda *_: 1 + len(training_sets))
    monkeypatch.setattr(sync, "measure_agreements", lambda *_: ())
    clips = made_up_clips(6, num_frames=60)
    lags = sync.find_lags(clips, QUICK, lambda _: None)
    first = {name for name, lag in lags.items() if lag == 2}
    assert len(training_sets) == 2
    assert {clip.identity for clip in clips if clip.name in first} == training_sets[1]
    assert np.isin(list(lags.values()), (2, 3)).all()
