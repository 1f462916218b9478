"""The story run backwards: from truth to weights."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import lightning
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import (
    Calibration,
    FitConfig,
    LocalizationConfig,
    ModelConfig,
    TrainConfig,
)
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.detector import MmmsbaDetector, bind_front_ends
from mmmsba_plugin.errors import DatasetError, TrainingError
from mmmsba_plugin.evaluation.metrics.bootstrap import wilson
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.model.checkpoint import CheckpointConfig, load_checkpoint
from mmmsba_plugin.model.inference import Prediction
from mmmsba_plugin.model.tree import tree_map
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Media, ScoreThreshold
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training import thresholds
from mmmsba_plugin.training.data import (
    Batch,
    Clip,
    ClipDataset,
    EpochShuffle,
    Source,
    collate,
    ground_truth,
    load_clips,
    statistics,
)
from mmmsba_plugin.training.fit import fit
from mmmsba_plugin.training.model_card import write_card
from mmmsba_plugin.training.module import Learner, choose, crop_clips, hide_modalities, view_of
from mmmsba_plugin.training.thresholds import (
    OperatingPoint,
    best_f1,
    choose_operating_point,
    clip_threshold,
    stated_thresholds,
    threshold_at,
)

TINY = FitConfig(
    network={"gru_units": 12, "dense_units": 8}, train=TrainConfig(batch_size=8, max_epochs=2)
)

_DROPOUTS = ("dropout_input", "dropout_gru", "dropout_dense")


def record(identity: str, split: str | None = "train", *, fake: bool = False) -> Record:
    truth = (Segment(0.0, 1.0),) if fake else ()
    return Record(Path(f"{identity}.mp4"), truth=truth, split=split, identity=identity)


def stop_before(epoch: int):
    """Return what stands in for a callback's hook, and stops a run as Ctrl-C does."""

    def stop(_self, _trainer, learner):
        if learner.current_epoch == epoch:
            raise KeyboardInterrupt

    return stop


def last_epoch(out: Path) -> dict:
    return torch.load(out / "training/epochs/last.ckpt", weights_only=True)


class TestSplit:
    @given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(0, 9))
    def test_nobody_is_both_learned_from_and_held_out(self, identities, seed):
        train, held_out = split_records([record(who) for who in identities], seed=seed)
        assert len(train) + len(held_out) == len(identities)
        assert not {r.identity for r in train} & {r.identity for r in held_out}
        assert held_out

    def test_a_dataset_with_a_validation_split_keeps_it(self):
        records = [record("a"), record("b", "dev"), record("c", "test")]
        train, held_out = split_records(records)
        assert [r.identity for r in train] == ["a"]
        assert [r.identity for r in held_out] == ["b"]

    def test_a_identity_in_both_splits_is_an_error(self):
        with pytest.raises(TrainingError, match="'a' is in the train and the validation split"):
            split_records([record("a"), record("a", "dev")])


class TestViews:
    def test_truth_is_told_apart_where_the_dataset_does(self):
        audio, visual = (Segment(0.0, 1.0),), (Segment(2.0, 3.0),)
        told = replace(record("a"), truth=audio + visual, audio_truth=audio, visual_truth=visual)
        assert ground_truth(told) == {"all": audio + visual, "audio": audio, "visual": visual}

    def test_a_dataset_that_tells_nothing_apart_teaches_the_whole_truth(self):
        fake = record("a", fake=True)
        assert set(ground_truth(fake).values()) == {fake.truth}

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

    @given(st.integers(0, 10_000), st.lists(st.integers(1, 40), min_size=1, max_size=5))
    def test_a_piece_is_a_run_of_its_own_clip_with_its_own_truth(self, seed, lengths):
        torch.manual_seed(seed)
        cut = crop_clips(numbered_batch(lengths), 12)
        labels, boundaries = (cut.targets["all"][head] for head in ("classify", "regress"))
        assert cut.mask.shape == (len(lengths), min(12, max(lengths)))
        assert cut.mask.sum(dim=1).tolist() == [min(12, length) for length in lengths]
        for row, length in enumerate(lengths):
            kept = cut.inputs["audio"][row, :, 0][cut.mask[row]].long()
            assert (kept.diff() == 1).all()
            assert kept[0] >= 0
            assert kept[-1] < length
            for target in (labels["labels"], boundaries["distances"][..., 1], boundaries["inside"]):
                assert (target[row][cut.mask[row]].long() == kept % 2).all()

    def test_every_place_of_a_long_clip_is_learned_from_in_time(self):
        torch.manual_seed(0)
        batch = numbered_batch([30])
        seen = {int(crop_clips(batch, 10).inputs["audio"][0, 0, 0]) for _ in range(300)}
        assert seen == set(range(21))

    def test_nothing_is_hidden_with_probability_zero(self):
        present = {"audio": torch.rand(3, 4) < 0.5}
        assert (hide_modalities(present, 0.0)["audio"] == present["audio"]).all()


def test_clips_are_cropped_on_the_device_that_they_are_on():
    """On the meta device any tensor of the CPU that is mixed in is an error."""
    batch = numbered_batch([30, 12])
    away = Batch(**tree_map(lambda tensor: tensor.to("meta"), batch._asdict()))
    cropped = crop_clips(away, 10)
    assert cropped.mask.device.type == "meta"
    assert cropped.inputs["audio"].shape[:2] == (2, 10)


def numbered_batch(lengths):
    """Return a batch whose snippets hold their own number, and whose truth is whether it is odd."""
    places = torch.arange(max(lengths)).expand(len(lengths), -1)
    mask = places < torch.tensor(lengths)[:, None]
    odd = (places % 2) * mask
    return Batch(
        inputs={"audio": (places * mask).unsqueeze(-1).float()},
        present={"audio": mask},
        mask=mask,
        targets={
            "all": {
                "classify": {"labels": odd},
                "regress": {
                    "distances": torch.stack([odd, odd], dim=-1).float(),
                    "inside": odd.bool(),
                },
            }
        },
    )


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
    def test_at_most_the_stated_share_of_real_clips_reaches_the_threshold(self, scores, rate):
        real = np.array(scores)
        reached = np.mean(real >= threshold_at(real, rate))
        assert reached <= rate or real.max() == 1.0

    @given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50))
    def test_no_lower_score_that_a_network_can_give_would_do(self, scores):
        real = np.array(scores)
        line = threshold_at(real, 0.1)
        assert line == np.float32(line)
        below = np.nextafter(np.float32(line), np.float32(-1))
        assert np.mean(real >= below) > 0.1


class TestClipThreshold:
    def test_with_ten_real_clips_a_tenth_of_them_may_be_called_fake(self):
        scores = np.array([*np.linspace(0.1, 0.55, 10), 0.9])
        line = clip_threshold(scores, np.arange(11) == 10)
        assert line.false_positive_rate == 0.1
        assert (scores[:10] >= line.value).sum() == 1

    def test_with_fewer_the_line_is_drawn_where_most_is_told_right(self):
        scores = np.array([0.1, 0.2, 0.6, 0.4, 0.5, 0.7])
        fake = np.array([False, False, False, True, True, True])
        line = clip_threshold(scores, fake)
        assert line.value == 0.4
        assert line.false_positive_rate is None


class TestStatedThresholds:
    @pytest.mark.parametrize(
        ("num_real", "rates"),
        [
            (9, []),
            (10, [0.1]),
            (19, [0.1]),
            (20, [0.05, 0.1]),
            (99, [0.05, 0.1]),
            (100, [0.01, 0.05, 0.1]),
        ],
    )
    def test_there_is_a_line_where_the_rate_is_a_clip_or_more(self, num_real, rates):
        lines = stated_thresholds(np.linspace(0, 0.9, num_real))
        assert [line.false_positive_rate for line in lines] == rates

    @given(st.lists(st.floats(0, 1), min_size=10, max_size=120))
    def test_each_keeps_to_its_rate_and_lower_rates_have_higher_lines(self, scores):
        real = np.array(scores)
        lines = stated_thresholds(real)
        for line in lines:
            assert np.mean(real >= line.value) <= line.false_positive_rate
        values = [line.value for line in lines]
        assert values == sorted(values, reverse=True)

    def test_a_rate_that_no_line_keeps_to_has_none(self):
        scores = np.append(np.linspace(0, 0.9, 92), [1.0] * 8)
        assert [line.false_positive_rate for line in stated_thresholds(scores)] == [0.1]

    def test_the_default_line_is_one_of_them(self):
        scores, fake = np.linspace(0, 1, 60), np.arange(60) >= 30
        assert clip_threshold(scores, fake) in stated_thresholds(scores[~fake])

    @pytest.mark.parametrize(("num_real", "rate"), [(20, 0.05), (19, 0.1), (10, 0.1), (9, None)])
    def test_a_stricter_line_is_drawn_where_enough_real_clips_tell_it(self, num_real, rate):
        scores = np.append(np.linspace(0.1, 0.5, num_real), 0.9)
        fake = scores > 0.8
        assert clip_threshold(scores, fake, 0.05).false_positive_rate == rate


class TestWilson:
    @given(st.integers(0, 60), st.integers(1, 60))
    def test_the_ends_are_the_shares_that_the_count_is_just_bearable_for(self, hits, num):
        hits = min(hits, num)
        found = wilson(hits, num)
        assert 0 <= found.low <= found.value == hits / num <= found.high <= 1
        for end in {found.low, found.high} - {0.0, 1.0}:
            # Wilson's definition: the count lies 1.96 standard deviations of its own mean off.
            off = abs(hits - num * end) / np.sqrt(num * end * (1 - end))
            assert off == pytest.approx(1.959964, rel=1e-5)

    def test_nothing_counted_is_nothing_known(self):
        found = wilson(0, 0)
        assert np.isnan([found.value, found.low, found.high]).all()

    @pytest.mark.parametrize(("hits", "num"), [(3, 2), (-1, 4)])
    def test_more_than_all_cannot_be_counted(self, hits, num):
        with pytest.raises(DatasetError, match=f"got {hits} of {num} clips; count again"):
            wilson(hits, num)


class TestChosenPoint:
    """The choice on clips of which one snippet is high, with a stand-in for the network."""

    def chosen(self, monkeypatch, scores, fake, **settings) -> OperatingPoint:
        grid = Grid(stride_s=0.5)

        def along(clip: int) -> Prediction:
            row = np.array([np.nan, 0.01, scores[clip], 0.01])
            return Prediction(row, {}, {"audio": row})

        monkeypatch.setattr(
            thresholds, "predict", lambda _, features, __: along(int(features.end_s))
        )
        truth = (Segment(1.0, 1.5),)
        clips = [
            Clip(Record(Path(f"{i}"), truth=truth if is_fake else ()), Media(path=f"{i}"))
            for i, is_fake in enumerate(fake)
        ]
        rows = SimpleNamespace(features=lambda media: SimpleNamespace(
            grid=grid, num_snippets=4, end_s=float(media.path)
        ))  # fmt: skip
        network = SimpleNamespace(dims={"audio": 1})
        return choose_operating_point([(network, clips)], rows, LocalizationConfig(), **settings)

    @pytest.fixture
    def pairs(self):
        rng = np.random.default_rng(0)
        fake = np.arange(120) >= 40
        logits = np.where(fake, rng.normal(-0.5, 0.6, 120), rng.normal(-2.0, 0.5, 120))
        return (1 / (1 + np.exp(-logits))).astype(np.float32).astype(np.float64), fake

    def test_lines_are_drawn_on_the_networks_own_scale(self, monkeypatch, pairs):
        raw = self.chosen(monkeypatch, *pairs)
        said = self.chosen(monkeypatch, *pairs, calibration="temperature")
        assert said.calibration.method == "temperature"
        assert (raw.score_threshold, raw.score_thresholds) == (
            said.score_threshold,
            said.score_thresholds,
        )
        assert said.localization == raw.localization
        assert said.localization.onset == said.score_threshold.value

    def test_what_was_seen_at_each_line_is_told(self, monkeypatch, pairs):
        scores, fake = pairs
        point = self.chosen(monkeypatch, scores, fake)
        assert [line.false_positive_rate for line in point.score_thresholds] == [0.05, 0.1]
        for line in point.score_thresholds:
            rate = f"{line.false_positive_rate:g}"
            for kind, of in (("true", scores[fake]), ("false", scores[~fake])):
                seen = point.metrics[f"clip_{kind}_positive_rate@{rate}"]
                assert seen == np.mean(of >= line.value)
        assert point.metrics["clip_false_positive_rate@0.05"] == 2 / 40

    @pytest.mark.parametrize("method", ["temperature", "isotonic"])
    def test_calibration_is_measured_before_and_after(self, monkeypatch, pairs, method):
        metrics = self.chosen(monkeypatch, *pairs, calibration=method).metrics
        assert metrics["clip_ece_calibrated"] < metrics["clip_ece_uncalibrated"] / 2

    def test_without_a_curve_there_is_no_figure_of_it(self, monkeypatch, pairs):
        point = self.chosen(monkeypatch, *pairs)
        assert point.calibration == Calibration()
        assert "clip_ece_calibrated" not in point.metrics


class TestCard:
    def card(self, *, num_real=40, **said) -> str:
        config = CheckpointConfig(
            members=[ModelConfig(dims={"audio": 1})],
            training={
                "preset": "paper",
                "seed": 0,
                "epochs": 3,
                "num_train": 9,
                "num_validation": 160,
                "num_validation_real": num_real,
            },
            metrics={
                "validation": {
                    "clip_true_positive_rate@0.05": 0.75,
                    "clip_false_positive_rate@0.05": 1 / 40,
                }
            },
            **said,
        )
        return " ".join(write_card(config).split())

    def test_a_line_is_told_as_reports_show_it_with_how_little_is_known_of_it(self):
        curve = Calibration(method="temperature", temperature=0.5, shift=1.0)
        line = ScoreThreshold(value=0.4, false_positive_rate=0.05)
        said = self.card(score_thresholds=(line,), score_threshold=line, calibration=curve)
        shown = f"{apply(curve, 0.4):.3f}"
        assert f"| 5 % | {shown} | 1 of 40 | 0.4 % to 12.9 % | 75 % |" in said
        assert f"{shown} unless another line is asked for; drawn for 5 % of them." in said
        assert "takes clips for independent, which those of one person are not" in said

    def test_a_line_that_is_left_out_says_what_it_would_take(self):
        said = self.card(score_thresholds=(ScoreThreshold(value=0.4, false_positive_rate=0.05),))
        assert "no line for 1 %: it takes 100 real validation clips to see one in 100" in said
        assert "and there were 40." in said
        assert "no line for 5 %" not in said

    def test_a_line_that_could_not_be_kept_to_says_so(self):
        said = self.card(num_real=100)
        assert "no line for 1 %: more of the 100 real validation clips than that have" in said

    def test_a_probability_says_what_it_was_fitted_to(self):
        curve = Calibration(method="temperature", temperature=0.25, shift=1.5)
        said = self.card(calibration=curve)
        assert "by `(log-odds + 1.500) / 0.250` of the network's own score" in said
        assert "each of the 160 validation clips. Of those 75 % are fake" in said
        assert "in-sample, measured on the clips that the curve was fitted to" in said

    def test_an_isotonic_curve_says_how_much_it_holds(self):
        curve = Calibration(method="isotonic", scores=(0.1, 0.2), probabilities=(0.1, 0.7))
        assert "an isotonic curve of 2 blocks over the network's" in self.card(calibration=curve)

    @pytest.mark.parametrize("reason", ["", "all clips are fake"])
    def test_without_a_curve_none_is_called_a_probability(self, reason):
        said = self.card(calibration=Calibration(reason=reason))
        why = f": {reason}" if reason else ""
        assert f"Scores are not calibrated{why}. A higher one is more suspicious" in said


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    cache = FeatureCache(tmp_path_factory.mktemp("features"))
    return Source(bind_front_ends(TINY.features), TINY.features, cache)


@pytest.fixture(scope="module")
def fitted(talking_head_dataset, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "checkpoint"
    return fit(
        read_lavdf(talking_head_dataset), TINY, out, cache=source.cache, trained_on="a puppet"
    )


class TestData:
    def test_a_clip_that_cannot_be_read_is_named_and_skipped(self, source, talking_clip, tmp_path):
        text = tmp_path / "text.mp4"
        text.write_text("this is no film")
        records = [Record(text), Record(tmp_path / "gone.mp4"), Record(talking_clip)]
        clips, skipped = load_clips(records, source)
        assert [clip.record.media for clip in clips] == [talking_clip]
        assert [skip.record.media for skip in skipped] == [text, tmp_path / "gone.mp4"]
        assert all(str(skip.record.media) in skip.reason for skip in skipped)

    def test_statistics_are_those_of_all_present_rows_together(self, source, talking_head_dataset):
        clips, _ = load_clips(list(read_lavdf(talking_head_dataset))[:3], source)
        rows = [source.features(clip.media).rows["lips"] for clip in clips]
        together = np.concatenate([r.values[r.present] for r in rows]).astype(np.float64)
        mean, std = statistics(clips, source)["lips"]
        assert mean == pytest.approx(together.mean(axis=0))
        assert std == pytest.approx(together.std(axis=0), abs=1e-6)

    def test_a_batch_is_as_long_as_its_longest_clip_and_says_what_is_padding(
        self, source, talking_head_dataset, talking_clip
    ):
        records = [Record(talking_clip), next(read_lavdf(talking_head_dataset))]
        clips, _ = load_clips(records, source)
        dataset = ClipDataset(clips, source, ["classify"])
        batch = collate([dataset[0], dataset[1]])
        labels = batch.targets["all"]["classify"]["labels"]
        lengths = [source.features(clip.media).num_snippets for clip in clips]
        assert len(set(lengths)) == 2
        assert batch.mask.sum(dim=1).tolist() == lengths
        assert batch.inputs["audio"].shape[:2] == labels.shape == batch.mask.shape
        assert not batch.present["face"][~batch.mask].any()


class TestFit:
    def test_it_leaves_a_checkpoint_that_says_what_it_is(self, fitted):
        network, config = load_checkpoint(fitted.checkpoint)
        assert [member.gru_units for member in network.configs] == [12]
        assert config.trained_on == "a puppet"
        assert config.training["num_train"] == fitted.num_train
        card = (fitted.checkpoint / "README.md").read_text()
        assert "a puppet" in card
        assert "not a test result" in card
        assert "What a score means" in card
        # Five voices leave one to validate on: too few clips for a curve, and it says so.
        assert config.calibration.reason in card

    def test_an_ended_run_can_be_calibrated_anew(
        self, fitted, talking_head_dataset, source, tmp_path
    ):
        records = list(read_lavdf(talking_head_dataset))
        first = fit(records, TINY, tmp_path / "out", cache=source.cache)
        weights = (tmp_path / "out/model.safetensors").read_bytes()
        other = TINY.model_copy(update={"calibration": "none"})
        again = fit(records, other, tmp_path / "out", cache=source.cache)
        assert again.epochs == first.epochs
        assert first.operating_point.calibration.reason
        assert load_checkpoint(tmp_path / "out")[1].calibration == Calibration()
        assert (tmp_path / "out/model.safetensors").read_bytes() == weights

    def test_what_is_said_of_an_ended_run_can_be_changed(
        self, talking_head_dataset, source, tmp_path
    ):
        records, out = list(read_lavdf(talking_head_dataset)), tmp_path / "out"
        fit(records, TINY, out, cache=source.cache, trained_on="clips")
        weights = (out / "model.safetensors").read_bytes()
        words = {"trained_on": "five voices", "caution": "A toy: not court evidence."}
        fit(records, TINY.model_copy(update=words), out, cache=source.cache, trained_on="clips")
        _, config = load_checkpoint(out)
        assert {name: getattr(config, name) for name in words} == words
        assert config.tuned_from is None
        card = (out / "README.md").read_text()
        assert "**A toy: not court evidence.**" in card
        assert "- **Learned from**: five voices\n- **Clips**" in card
        assert (out / "model.safetensors").read_bytes() == weights

    def test_features_are_standardised_by_what_it_learned_from(self, fitted):
        (network,), _ = load_checkpoint(fitted.checkpoint)
        assert all(encoder.std.std() > 0 for encoder in network.encoders.values())

    def test_the_same_seed_gives_the_same_weights(
        self, fitted, talking_head_dataset, source, tmp_path
    ):
        again = fit(read_lavdf(talking_head_dataset), TINY, tmp_path / "again", cache=source.cache)
        first, second = (load_checkpoint(f.checkpoint)[0].state_dict() for f in (fitted, again))
        assert all(torch.equal(first[name], second[name]) for name in first)

    def test_a_run_that_was_stopped_goes_on_to_its_last_epoch(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        records = list(read_lavdf(talking_head_dataset))
        with monkeypatch.context() as patch:
            patch.setattr(lightning.Callback, "on_train_epoch_start", stop_before(1))
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                fit(records, TINY, tmp_path / "cut", cache=source.cache)
        assert not (tmp_path / "cut" / "config.json").exists()
        resumed = fit(records, TINY, tmp_path / "cut", cache=source.cache)
        whole = fit(records, TINY, tmp_path / "whole", cache=source.cache)
        assert resumed.epochs == whole.epochs == 2

    @pytest.mark.parametrize("epoch", [1, 2])
    def test_a_run_that_was_stopped_ends_with_the_same_weights_to_the_bit(
        self, talking_head_dataset, source, tmp_path, monkeypatch, epoch
    ):
        records = list(read_lavdf(talking_head_dataset))
        # Several steps an epoch, so that their order tells; a rate that falls, so that it does.
        train = TrainConfig(batch_size=3, max_epochs=4, learning_rate=0.01, decay=0.5)
        config = TINY.model_copy(update={"train": train})
        with monkeypatch.context() as patch:
            patch.setattr(lightning.Callback, "on_train_epoch_start", stop_before(epoch))
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                fit(records, config, tmp_path / "cut", cache=source.cache)
        for name in ("cut", "whole"):
            fit(records, config, tmp_path / name, cache=source.cache)
        for file in ("model.safetensors", "config.json", "README.md"):
            cut, whole = ((tmp_path / name / file).read_bytes() for name in ("cut", "whole"))
            assert cut == whole, file
        cut, whole = (last_epoch(tmp_path / name) for name in ("cut", "whole"))
        assert cut["epoch"] == whole["epoch"] == 3
        assert all(torch.equal(cut["state_dict"][k], v) for k, v in whole["state_dict"].items())

    def test_each_epoch_has_an_order_of_its_own_that_the_seed_decides(self):
        def order(seed: int, epoch: int) -> list[int]:
            shuffle = EpochShuffle(50, seed=seed)
            shuffle.set_epoch(epoch)
            return list(shuffle)

        orders = [order(seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
        assert all(sorted(one) == list(range(50)) for one in orders)
        assert len({tuple(one) for one in orders}) == 4
        assert order(1, 1) == orders[-1]

    def test_a_run_can_be_given_more_epochs(self, talking_head_dataset, source, tmp_path):
        records = list(read_lavdf(talking_head_dataset))
        fit(records, TINY, tmp_path / "out", cache=source.cache)
        longer = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        assert fit(records, longer, tmp_path / "out", cache=source.cache).epochs == 3

    def test_a_run_goes_on_from_its_last_epoch_and_not_from_its_best(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        def worse_each_epoch(learner, _batch, _index):
            learner.log("val_snippet_auc", -learner.current_epoch, on_epoch=True, batch_size=1)

        monkeypatch.setattr(Learner, "validation_step", worse_each_epoch)
        config = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        best, last = (
            torch.load(tmp_path / f"out/training/epochs/{name}.ckpt", weights_only=True)["epoch"]
            for name in ("best", "last")
        )
        assert (best, last) == (0, 2)

    def test_a_network_that_diverged_is_taken_to_tell_nothing_apart(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        judge = Learner._predict

        def diverged(learner, batch, present):
            said = judge(learner, batch, present)
            nothing = {name: output * torch.nan for name, output in said.heads.items()}
            return said if learner.training else replace(said, heads=nothing)

        monkeypatch.setattr(Learner, "_predict", diverged)
        fit(read_lavdf(talking_head_dataset), TINY, tmp_path / "out", cache=source.cache)
        last = torch.load(tmp_path / "out/training/epochs/last.ckpt", weights_only=True)
        stops = [s for name, s in last["callbacks"].items() if name.startswith("EarlyStopping")]
        assert [float(stop["best_score"]) for stop in stops] == [0.5]

    def test_a_run_that_has_ended_is_not_trained_on(self, talking_head_dataset, source, tmp_path):
        records = list(read_lavdf(talking_head_dataset))
        first = fit(records, TINY, tmp_path / "out", cache=source.cache)
        weights = (tmp_path / "out/model.safetensors").read_bytes()
        again = fit(records, TINY, tmp_path / "out", cache=source.cache)
        assert again.epochs == first.epochs == 2
        assert (tmp_path / "out/model.safetensors").read_bytes() == weights

    def test_a_run_that_gained_no_more_is_over_whatever_it_is_given(
        self, talking_head_dataset, source, tmp_path
    ):
        hopeless = TrainConfig(batch_size=8, max_epochs=9, patience=1, learning_rate=10.0)
        config = TINY.model_copy(update={"train": hopeless})
        records = list(read_lavdf(talking_head_dataset))
        first = fit(records, config, tmp_path / "out", cache=source.cache)
        more = hopeless.model_copy(update={"max_epochs": 20})
        config = config.model_copy(update={"train": more})
        again = fit(records, config, tmp_path / "out", cache=source.cache)
        assert again.epochs == first.epochs < 9

    def test_a_folder_with_another_run_is_not_overwritten(
        self, fitted, talking_head_dataset, source
    ):
        other = TINY.model_copy(update={"train": TrainConfig(seed=5, max_epochs=1)})
        with pytest.raises(TrainingError, match="holds a training run with other settings; choose"):
            fit(read_lavdf(talking_head_dataset), other, fitted.checkpoint, cache=source.cache)

    def test_a_dataset_of_forgeries_alone_is_refused(self, talking_head_dataset, source, tmp_path):
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
        made = fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        detector = MmmsbaDetector.from_pretrained(made.checkpoint, cache=source.cache)
        clip = next(read_lavdf(talking_head_dataset)).media
        assert 0.0 <= detector.predict(clip) <= 1.0


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
    made = fit([fake, real, *held_out], config, tmp_path / "out", cache=source.cache)
    assert made.operating_point.metrics["clip_auc"] == 1.0
    assert made.operating_point.metrics["snippet_f1"] > 0.9
