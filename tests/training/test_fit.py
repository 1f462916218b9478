"""The story run backwards: from truth to weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmmsba_plugin.config import FitConfig, LocalizationConfig, TrainConfig, TuneConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.training.data import load_clips
from mmmsba_plugin.training.finetune import finetune
from mmmsba_plugin.training.fit import fit
from mmmsba_plugin.training.split import folds
from mmmsba_plugin.training.trainer import train_network

from .runs import TINY

_DROPOUTS = ("dropout_input", "dropout_gru", "dropout_dense")


class TestFit:
    def test_it_leaves_a_checkpoint_that_says_what_it_is(self, fitted):
        network, config = load_checkpoint(fitted.checkpoint)
        assert [member.gru_units for member in network.configs] == [12]
        assert config.trained_on == "a talking head"
        assert config.training["num_train"] == fitted.num_train
        card = (fitted.checkpoint / "README.md").read_text()
        assert "a talking head" in card
        assert "not a test result" in card
        assert "What a score means" in card
        # Five voices leave one to validate on: too few clips for a curve, and it says so.
        assert config.calibration.reason in card

    def test_features_are_standardised_by_what_it_learned_from(self, fitted):
        (network,), _ = load_checkpoint(fitted.checkpoint)
        assert all(encoder.std.std() > 0 for encoder in network.encoders.values())

    def test_the_same_seed_gives_the_same_weights(
        self, fitted, talking_head_dataset, source, tmp_path
    ):
        again = fit(read_lavdf(talking_head_dataset), TINY, tmp_path / "again", cache=source.cache)
        first, second = (load_checkpoint(f.checkpoint)[0].state_dict() for f in (fitted, again))
        assert all(torch.equal(first[name], second[name]) for name in first)

    def test_a_dataset_of_fakes_alone_is_refused(self, talking_head_dataset, source, tmp_path):
        fake = [r for r in read_lavdf(talking_head_dataset) if r.fake]
        with pytest.raises(TrainingError, match="real and fake clips to learn from"):
            fit(fake, TINY, tmp_path / "out", cache=source.cache)

    @pytest.mark.parametrize("attention", ["mmus-sa", "ms-sa", "none"])
    def test_the_ablations_learn_by_the_same_way(
        self, attention, talking_head_dataset, source, tmp_path
    ):
        config = FitConfig.read(
            {
                **json.loads(TINY.model_dump_json()),
                "network": {**TINY.network, "attention": attention},
                "train": {"max_epochs": 1, "batch_size": 8},
            }
        )
        run = fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        detector = MmmsbaDetector.from_pretrained(run.checkpoint, cache=source.cache)
        clip = next(read_lavdf(talking_head_dataset)).media
        assert 0.0 <= detector.predict(clip) <= 1.0


TWO = FitConfig(
    network={
        "gru_units": 12,
        "dense_units": 8,
        "members": [{}, {"gru_units": 6, "attention": "none", "heads": ["classify"]}],
    },
    train=TrainConfig(batch_size=8, max_epochs=2),
)


def test_an_ensemble_is_trained_kept_and_tuned(talking_head_dataset, feature_cache, tmp_path):
    """Its members differ in size, attention and heads."""
    records = [replace(record, split="train") for record in read_lavdf(talking_head_dataset)]
    fitted = fit(records, TWO, tmp_path / "two", cache=feature_cache)
    assert fitted.num_validation == len(records)
    assert fitted.num_train < len(records)
    network, config = load_checkpoint(fitted.checkpoint)
    first, second = network
    assert not torch.equal(first.classify.weight, second.classify.weight)
    assert [(m.gru_units, m.attention) for m in config.members] == [(12, "mmms-ba"), (6, "none")]
    detector = MmmsbaDetector.from_pretrained(fitted.checkpoint, cache=feature_cache)
    assert 0.0 <= detector.predict(records[0].media) <= 1.0
    assert detector.info["summary"].startswith("Attention mmms-ba and none over")
    assert "**Networks**: an ensemble of 2" in (tmp_path / "two/README.md").read_text()
    pace = TuneConfig(max_epochs=1, learning_rate=0.01)
    tuned = finetune(
        records, tmp_path / "tuned", pace, checkpoint=fitted.checkpoint, cache=feature_cache
    )
    # The same clips, predicted by the same members: those who held them out.
    assert tuned.before == pytest.approx(fitted.operating_point.metrics)
    for was, now in zip(network, _network(tuned), strict=True):
        assert not torch.equal(was.classify.weight, now.classify.weight)


def test_clips_that_are_fake_throughout_are_learned_from(
    talking_head_dataset, feature_cache, tmp_path
):
    records = [
        replace(record, split="train", truth=(WHOLE_CLIP,), audio_truth=None, visual_truth=None)
        if record.fake
        else replace(record, split="train")
        for record in read_lavdf(talking_head_dataset)
    ]
    fitted = fit(records, TWO, tmp_path / "whole", cache=feature_cache)
    assert (fitted.num_validation, fitted.skipped) == (len(records), ())


def test_a_network_can_leave_out_clips_that_are_fake_throughout(
    talking_head_dataset, feature_cache, tmp_path
):
    records = [replace(r, split="train") for r in read_lavdf(talking_head_dataset)]
    fakes = [r for r in records if r.fake]
    throughout = [replace(r, truth=(WHOLE_CLIP,), key=f"{r.key} whole") for r in fakes]
    calls = []

    def record_clips(network, train, held_out, *args, **kwargs):
        calls.append((network.config.learns_from, train, held_out))
        return train_network(network, train, held_out, *args, **kwargs)

    config = FitConfig.read(
        {
            "network": {**TINY.network, "members": [{}, {"learns_from": "segments"}] * 2},
            "train": {"batch_size": 8, "max_epochs": 1, "folds": 2},
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmmsba_plugin.training.fit.train_network", record_clips)
        fitted = fit([*records, *throughout], config, tmp_path / "out", cache=feature_cache)
    for learns_from, train, held_out in calls:
        assert any(c.fake_throughout for c in train) == (learns_from == "all")
        assert any(c.fake_throughout for c in held_out)
    card = (fitted.checkpoint / "README.md").read_text()
    assert "2 learned from clips but those that are fake from end to end" in card


def test_networks_of_one_modality_learn_from_clips_that_have_it(
    talking_head_dataset, feature_cache, tmp_path, monkeypatch
):
    records = [replace(r, split="train") for r in read_lavdf(talking_head_dataset)]
    frames_alone = []
    for record in records[:2]:
        path = tmp_path / f"{record.media.stem}.mp4"
        write_clip(path, FrameReader(probe(record.media)), fps_hz=25)
        frames_alone.append(replace(record, media=path, key=f"{record.key} muted"))
    calls = []

    def record_clips(network, train, held_out, *args, **kwargs):
        calls.append((network.modalities, {c.record.key for c in (*train, *held_out)}))
        return train_network(network, train, held_out, *args, **kwargs)

    monkeypatch.setattr("mmmsba_plugin.training.fit.train_network", record_clips)
    config = FitConfig.read(
        {
            "network": {**TINY.network, "members": [{}, {"modalities": ["audio"]}] * 2},
            "train": {"batch_size": 8, "max_epochs": 1, "folds": 2},
        }
    )
    fitted = fit([*records, *frames_alone], config, tmp_path / "out", cache=feature_cache)
    muted = {record.key for record in frames_alone}
    for modalities, keys in calls:
        assert (muted <= keys) == (modalities != ("audio",))
    card = (fitted.checkpoint / "README.md").read_text()
    assert "2 learned from all clips, by audio alone" in card
    detector = MmmsbaDetector.from_pretrained(fitted.checkpoint)
    assert 0.0 <= detector.predict(frames_alone[0].media) <= 1.0


def test_all_kinds_of_networks_find_as_many_real_clips_suspicious(
    talking_head_dataset, source, tmp_path
):
    records = [replace(r, split="train") for r in read_lavdf(talking_head_dataset)]
    config = FitConfig.read(
        {
            "network": {**TINY.network, "members": [{}, {"learns_from": "segments"}] * 2},
            "train": {"batch_size": 8, "max_epochs": 1, "folds": 2},
        }
    )
    fitted = fit(records, config, tmp_path / "out", cache=source.cache)
    network, _ = load_checkpoint(fitted.checkpoint)
    clips = load_clips([r for r in records if not r.fake], source)[0]
    shares = folds(records, members=4, num_folds=2)
    for kind in ("all", "segments"):
        of_kind = [
            (member, held_out)
            for member, (_, held_out) in zip(network, shares, strict=True)
            if member.config.learns_from == kind
        ]
        highest = []
        for clip in clips:
            if members := [member for member, held_out in of_kind if clip.record in held_out]:
                features = source.features(clip.media)
                scores = predict(Ensemble(members), features, LocalizationConfig()).scores
                highest.append(np.nanmax(scores))
        assert np.quantile(highest, 0.95) == pytest.approx(0.5, abs=1e-4)


def _network(fitted):
    return load_checkpoint(fitted.checkpoint)[0]


def test_an_ensemble_that_was_interrupted_goes_on(
    talking_head_dataset, feature_cache, tmp_path, monkeypatch
):
    records, cache = list(read_lavdf(talking_head_dataset)), feature_cache
    whole = fit(records, TWO, tmp_path / "whole", cache=cache)
    calls = []

    def once(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train_network(*args, **kwargs)

    monkeypatch.setattr("mmmsba_plugin.training.fit.train_network", once)
    with pytest.raises(KeyboardInterrupt):
        fit(records, TWO, tmp_path / "cut", cache=cache)
    monkeypatch.setattr("mmmsba_plugin.training.fit.train_network", train_network)
    again = fit(records, TWO, tmp_path / "cut", cache=cache)
    states = [load_checkpoint(run.checkpoint)[0].state_dict() for run in (whole, again)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.story
def test_a_network_learns_two_clips_by_heart(talking_head_dataset, source, tmp_path):
    records = [r for r in read_lavdf(talking_head_dataset) if r.split == "train"]
    fake = next(r for r in records if r.fake)
    real = next(r for r in records if not r.fake)
    held_out = [replace(r, split="dev", identity="somebody else") for r in (fake, real)]
    config = FitConfig(
        network={"gru_units": 32, "dense_units": 16, **dict.fromkeys(_DROPOUTS, 0.0)},
        train=TrainConfig(
            max_epochs=60, patience=60, learning_rate=3e-3, decay=1.0, modality_dropout=0.0
        ),
    )
    run = fit([fake, real, *held_out], config, tmp_path / "out", cache=source.cache)
    assert run.operating_point.metrics["clip_auc"] == 1.0
    assert run.operating_point.metrics["snippet_f1"] > 0.9
