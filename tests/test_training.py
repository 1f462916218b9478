"""The story run backwards: from truth to weights."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.detector import MmmsbaDetector, bind_front_ends
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.store import FeatureStore
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.training.data import ClipDataset, Source, collate, load_clips, statistics, truths
from mmmsba_plugin.training.fit import fit
from mmmsba_plugin.training.module import choose, hide_modalities, view_of
from mmmsba_plugin.training.operating_point import best_f1, clip_threshold, threshold_at
from mmmsba_plugin.training.split import split_records

TINY = FitConfig(
    network={"gru_units": 12, "dense_units": 8}, train=TrainConfig(batch_size=8, max_epochs=2)
)

_DROPOUTS = ("dropout_input", "dropout_gru", "dropout_dense")


def record(identity: str, split: str | None = "train", *, forged: bool = False) -> Record:
    truth = (Segment(0.0, 1.0),) if forged else ()
    return Record(Path(f"{identity}.mp4"), truth=truth, split=split, identity=identity)


class TestSplit:
    @given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(0, 9))
    def test_nobody_is_both_learned_from_and_held_out(self, people, seed):
        train, held_out = split_records([record(who) for who in people], seed=seed)
        assert len(train) + len(held_out) == len(people)
        assert not {r.identity for r in train} & {r.identity for r in held_out}
        assert held_out

    def test_a_corpus_with_a_validation_split_keeps_it(self):
        records = [record("a"), record("b", "dev"), record("c", "test")]
        train, held_out = split_records(records)
        assert [r.identity for r in train] == ["a"]
        assert [r.identity for r in held_out] == ["b"]

    def test_a_person_in_both_splits_is_an_error(self):
        with pytest.raises(TrainingError, match="'a' is in the train and the validation split"):
            split_records([record("a"), record("a", "dev")])


class TestViews:
    def test_truth_is_told_apart_where_the_corpus_does(self):
        audio, visual = (Segment(0.0, 1.0),), (Segment(2.0, 3.0),)
        told = replace(record("a"), truth=audio + visual, audio_truth=audio, visual_truth=visual)
        assert truths(told) == {"all": audio + visual, "audio": audio, "visual": visual}

    def test_a_corpus_that_tells_nothing_apart_teaches_the_whole_truth(self):
        forged = record("a", forged=True)
        assert set(truths(forged).values()) == {forged.truth}

    def test_a_clip_is_taught_by_what_is_shown_of_it(self):
        there, gone = torch.ones(1, 4, dtype=torch.bool), torch.zeros(1, 4, dtype=torch.bool)
        shown = {
            "audio": torch.cat([there, there, gone]),
            "face": torch.cat([there, gone, gone]),
            "lips": torch.cat([there, gone, there]),
        }
        assert view_of(shown).tolist() == [0, 1, 2]
        by_view = {
            v: torch.full((3, 4), float(i)) for i, v in enumerate(("all", "audio", "visual"))
        }
        assert choose(view_of(shown), by_view)[:, 0].tolist() == [0, 1, 2]

    def test_a_modality_of_a_plug_ins_own_can_show_either(self):
        text = {"text": torch.ones(1, 4, dtype=torch.bool)}
        assert view_of(text).tolist() == [0]

    @given(st.integers(0, 10_000))
    def test_hiding_never_takes_the_last_modality_of_a_clip(self, seed):
        torch.manual_seed(seed)
        present = {name: torch.rand(6, 4) < 0.5 for name in ("audio", "face", "lips")}
        had = torch.stack(list(present.values())).any(dim=2).any(dim=0)
        hidden = hide_modalities(present, 0.9)
        has = torch.stack(list(hidden.values())).any(dim=2).any(dim=0)
        assert (has == had).all()

    def test_nothing_is_hidden_with_probability_zero(self):
        present = {"audio": torch.rand(3, 4) < 0.5}
        assert (hide_modalities(present, 0.0)["audio"] == present["audio"]).all()


class TestOperatingPoint:
    @given(
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=30).filter(
            lambda rows: any(label for _, label in rows)
        )
    )
    def test_no_other_line_gives_a_better_f1(self, rows):
        scores, labels = (np.array(column) for column in zip(*rows, strict=True))
        line, best = best_f1(scores, labels)

        def f1(at: float) -> float:
            said = scores >= at
            return 2 * (said & (labels == 1)).sum() / (said.sum() + labels.sum())

        assert best == pytest.approx(f1(line))
        assert best == pytest.approx(max(f1(at) for at in scores))

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.sampled_from([0.01, 0.1, 0.5]))
    def test_at_most_the_stated_share_of_genuine_clips_reaches_the_threshold(self, scores, rate):
        genuine = np.array(scores)
        reached = np.mean(genuine >= threshold_at(genuine, rate))
        assert reached <= rate or genuine.max() == 1.0


class TestClipThreshold:
    def test_with_ten_genuine_clips_a_tenth_of_them_may_be_called_forged(self):
        scores = np.array([*np.linspace(0.1, 0.55, 10), 0.9])
        line = clip_threshold(scores, np.arange(11) == 10)
        assert line.false_positive_rate == 0.1
        assert (scores[:10] >= line.value).sum() == 1

    def test_with_fewer_the_line_is_drawn_where_most_is_told_right(self):
        scores = np.array([0.1, 0.2, 0.6, 0.4, 0.5, 0.7])
        forged = np.array([False, False, False, True, True, True])
        line = clip_threshold(scores, forged)
        assert line.value == 0.4
        assert line.false_positive_rate is None


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    store = FeatureStore(tmp_path_factory.mktemp("features"))
    return Source(bind_front_ends(TINY.features), TINY.features, store)


@pytest.fixture(scope="module")
def fitted(talking_corpus, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "checkpoint"
    return fit(read_lavdf(talking_corpus), TINY, out, store=source.store, trained_on="a puppet")


class TestData:
    def test_a_clip_that_cannot_be_read_is_named_and_skipped(self, source, talking_clip, tmp_path):
        text = tmp_path / "text.mp4"
        text.write_text("this is no film")
        records = [Record(text), Record(tmp_path / "gone.mp4"), Record(talking_clip)]
        clips, skipped = load_clips(records, source)
        assert [clip.record.media for clip in clips] == [talking_clip]
        assert [skip.record.media for skip in skipped] == [text, tmp_path / "gone.mp4"]
        assert all(str(skip.record.media) in skip.reason for skip in skipped)

    def test_statistics_are_those_of_all_present_rows_together(self, source, talking_corpus):
        clips, _ = load_clips(list(read_lavdf(talking_corpus))[:3], source)
        rows = [source.features(clip.media).rows["lips"] for clip in clips]
        together = np.concatenate([r.values[r.present] for r in rows]).astype(np.float64)
        mean, std = statistics(clips, source)["lips"]
        assert mean == pytest.approx(together.mean(axis=0))
        assert std == pytest.approx(together.std(axis=0), abs=1e-6)

    def test_a_batch_is_as_long_as_its_longest_clip_and_says_what_is_padding(
        self, source, talking_corpus, talking_clip
    ):
        records = [Record(talking_clip), next(read_lavdf(talking_corpus))]
        clips, _ = load_clips(records, source)
        dataset = ClipDataset(clips, source)
        batch = collate([dataset[0], dataset[1]])
        lengths = [source.features(clip.media).num_snippets for clip in clips]
        assert len(set(lengths)) == 2
        assert batch.mask.sum(dim=1).tolist() == lengths
        assert batch.inputs["audio"].shape[:2] == batch.labels["all"].shape == batch.mask.shape
        assert not batch.present["face"][~batch.mask].any()


class TestFit:
    def test_it_leaves_a_checkpoint_that_says_what_it_is(self, fitted):
        network, config = load_checkpoint(fitted.checkpoint)
        assert network.config.gru_units == 12
        assert config.trained_on == "a puppet"
        assert config.training["num_train"] == fitted.num_train
        card = (fitted.checkpoint / "README.md").read_text()
        assert "a puppet" in card
        assert "not a test result" in card

    def test_features_are_standardised_by_what_it_learned_from(self, fitted):
        network, _ = load_checkpoint(fitted.checkpoint)
        assert all(encoder.std.std() > 0 for encoder in network.encoders.values())

    def test_the_same_seed_gives_the_same_weights(self, fitted, talking_corpus, source, tmp_path):
        again = fit(read_lavdf(talking_corpus), TINY, tmp_path / "again", store=source.store)
        first, second = (load_checkpoint(f.checkpoint)[0].state_dict() for f in (fitted, again))
        assert all(torch.equal(first[name], second[name]) for name in first)

    def test_a_run_that_was_stopped_goes_on_to_its_last_epoch(
        self, talking_corpus, source, tmp_path, monkeypatch
    ):
        def stop_after_first(self, _trainer, learner):
            if learner.current_epoch == 1:
                raise KeyboardInterrupt

        import lightning

        records = list(read_lavdf(talking_corpus))
        with monkeypatch.context() as patch:
            patch.setattr(lightning.Callback, "on_train_epoch_start", stop_after_first)
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                fit(records, TINY, tmp_path / "cut", store=source.store)
        assert not (tmp_path / "cut" / "config.json").exists()
        resumed = fit(records, TINY, tmp_path / "cut", store=source.store)
        whole = fit(records, TINY, tmp_path / "whole", store=source.store)
        assert resumed.epochs == whole.epochs == 2

    def test_a_run_can_be_given_more_epochs(self, talking_corpus, source, tmp_path):
        records = list(read_lavdf(talking_corpus))
        fit(records, TINY, tmp_path / "out", store=source.store)
        longer = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        assert fit(records, longer, tmp_path / "out", store=source.store).epochs == 3

    def test_a_run_goes_on_from_its_last_epoch_and_not_from_its_best(
        self, talking_corpus, source, tmp_path
    ):
        worse_each_epoch = TrainConfig(batch_size=8, max_epochs=3, learning_rate=1.0)
        config = TINY.model_copy(update={"train": worse_each_epoch})
        fit(read_lavdf(talking_corpus), config, tmp_path / "out", store=source.store)
        best, last = (
            torch.load(tmp_path / f"out/training/epochs/{name}.ckpt", weights_only=True)["epoch"]
            for name in ("best", "last")
        )
        assert best < last == 2

    def test_a_run_that_has_ended_is_not_trained_on(self, talking_corpus, source, tmp_path):
        records = list(read_lavdf(talking_corpus))
        first = fit(records, TINY, tmp_path / "out", store=source.store)
        weights = (tmp_path / "out/model.safetensors").read_bytes()
        again = fit(records, TINY, tmp_path / "out", store=source.store)
        assert again.epochs == first.epochs == 2
        assert (tmp_path / "out/model.safetensors").read_bytes() == weights

    def test_a_run_that_gained_no_more_is_over_whatever_it_is_given(
        self, talking_corpus, source, tmp_path
    ):
        hopeless = TrainConfig(batch_size=8, max_epochs=9, patience=1, learning_rate=10.0)
        config = TINY.model_copy(update={"train": hopeless})
        records = list(read_lavdf(talking_corpus))
        first = fit(records, config, tmp_path / "out", store=source.store)
        more = hopeless.model_copy(update={"max_epochs": 20})
        config = config.model_copy(update={"train": more})
        again = fit(records, config, tmp_path / "out", store=source.store)
        assert again.epochs == first.epochs < 9

    def test_a_folder_with_another_run_is_not_overwritten(self, fitted, talking_corpus, source):
        other = TINY.model_copy(update={"train": TrainConfig(seed=5, max_epochs=1)})
        with pytest.raises(TrainingError, match="holds a training run with other settings; choose"):
            fit(read_lavdf(talking_corpus), other, fitted.checkpoint, store=source.store)

    def test_a_corpus_of_forgeries_alone_is_refused(self, talking_corpus, source, tmp_path):
        forged = [r for r in read_lavdf(talking_corpus) if r.forged]
        with pytest.raises(TrainingError, match="genuine and forged clips to learn from"):
            fit(forged, TINY, tmp_path / "out", store=source.store)

    @pytest.mark.parametrize("attention", ["mmus-sa", "ms-sa", "none"])
    def test_the_ablations_learn_by_the_same_way(self, attention, talking_corpus, source, tmp_path):
        config = FitConfig.read(
            {
                **json.loads(TINY.model_dump_json()),
                "network": {**TINY.network, "attention": attention},
                "train": {"max_epochs": 1, "batch_size": 8},
            }
        )
        made = fit(read_lavdf(talking_corpus), config, tmp_path / "out", store=source.store)
        detector = MmmsbaDetector.from_pretrained(made.checkpoint, store=source.store)
        clip = next(read_lavdf(talking_corpus)).media
        assert 0.0 <= detector.predict(clip) <= 1.0


@pytest.mark.story
def test_a_network_learns_two_clips_by_heart(talking_corpus, source, tmp_path):
    records = [r for r in read_lavdf(talking_corpus) if r.split == "train"]
    forged = next(r for r in records if r.forged)
    genuine = next(r for r in records if not r.forged)
    held_out = [replace(r, split="dev", identity="somebody else") for r in (forged, genuine)]
    config = FitConfig(
        network={"gru_units": 32, "dense_units": 16, **dict.fromkeys(_DROPOUTS, 0.0)},
        train=TrainConfig(
            max_epochs=60, patience=60, learning_rate=3e-3, decay=1.0, modality_dropout=0.0
        ),
    )
    made = fit([forged, genuine, *held_out], config, tmp_path / "out", store=source.store)
    assert made.operating_point.metrics["clip_auc"] == 1.0
    assert made.operating_point.metrics["snippet_f1"] > 0.9
