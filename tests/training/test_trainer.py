"""A network is trained up to its best epoch, however often it is interrupted."""

from dataclasses import replace
from pathlib import Path

import lightning
import pytest
import torch

from mmmsba_plugin.config import (
    TrainConfig,
)
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.training.fit import fit
from mmmsba_plugin.training.module import Learner

from .runs import TINY


def stop_before(epoch: int):
    """Return a callback's hook that stops a run at an epoch, as Ctrl-C does."""

    def stop(_self, _trainer, learner):
        if learner.current_epoch == epoch:
            raise KeyboardInterrupt

    return stop


def last_epoch(out: Path) -> dict:
    return torch.load(out / "training/epochs/last.ckpt", weights_only=True)


def epochs_of(out: Path) -> tuple[int, int]:
    """Return the epochs that are kept as the best and as the last."""
    best, last = (
        torch.load(out / f"training/epochs/{name}.ckpt", weights_only=True)["epoch"]
        for name in ("best", "last")
    )
    return best, last


class TestTrainer:
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

    def test_a_run_can_be_given_more_epochs(self, talking_head_dataset, source, tmp_path):
        records = list(read_lavdf(talking_head_dataset))
        fit(records, TINY, tmp_path / "out", cache=source.cache)
        longer = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        assert fit(records, longer, tmp_path / "out", cache=source.cache).epochs == 3

    def test_a_run_goes_on_from_its_last_epoch_and_not_from_its_best(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        def worse_each_epoch(learner, _batch, _index):
            learner.log("val_loss", learner.current_epoch, on_epoch=True, batch_size=1)

        monkeypatch.setattr(Learner, "validation_step", worse_each_epoch)
        config = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        assert epochs_of(tmp_path / "out") == (0, 2)

    def test_one_metric_can_stop_a_run_and_another_choose_its_epoch(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        def scripted(learner, _batch, _index):
            epoch = learner.current_epoch
            for name, value in (("loss", abs(epoch - 1)), ("accuracy", epoch), ("snippet_auc", 0)):
                learner.log(f"val_{name}", float(value), on_epoch=True, batch_size=1)

        monkeypatch.setattr(Learner, "validation_step", scripted)
        train = TrainConfig(
            batch_size=8, max_epochs=9, patience=2, stop_by="loss", keep_by="accuracy"
        )
        config = TINY.model_copy(update={"train": train})
        run = fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        assert run.epochs == 4
        assert epochs_of(tmp_path / "out") == (3, 3)

    def test_a_network_that_diverged_is_taken_to_tell_nothing_apart(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        predict = Learner.predict

        def diverged(learner, batch, present):
            output = predict(learner, batch, present)
            nothing = {name: values * torch.nan for name, values in output.heads.items()}
            return output if learner.training else replace(output, heads=nothing)

        monkeypatch.setattr(Learner, "predict", diverged)
        train = TrainConfig(
            batch_size=8, max_epochs=2, stop_by="snippet_auc", keep_by="snippet_auc"
        )
        config = TINY.model_copy(update={"train": train})
        fit(read_lavdf(talking_head_dataset), config, tmp_path / "out", cache=source.cache)
        last = torch.load(tmp_path / "out/training/epochs/last.ckpt", weights_only=True)
        stops = [s for name, s in last["callbacks"].items() if name.startswith("EarlyStopping")]
        assert [float(stop["best_score"]) for stop in stops] == [0.5]

    def test_a_run_by_its_loss_ends_where_that_is_no_number(
        self, talking_head_dataset, source, tmp_path, monkeypatch
    ):
        def lost(learner, _batch, _index):
            learner.log("val_loss", torch.nan, on_epoch=True, batch_size=1)

        monkeypatch.setattr(Learner, "validation_step", lost)
        config = TINY.model_copy(update={"train": TrainConfig(batch_size=8, max_epochs=3)})
        records = read_lavdf(talking_head_dataset)
        assert fit(records, config, tmp_path / "out", cache=source.cache).epochs == 1

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
