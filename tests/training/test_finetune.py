"""Fine-tuning changes weights and thresholds, and the checkpoint records where it started."""

import json
import shutil
from pathlib import Path

import lightning
import pytest
import torch

from mmmsba_plugin.config import FitConfig, ModelConfig, TuneConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    TrainingError,
)
from mmmsba_plugin.model.checkpoint import CheckpointConfig, load_checkpoint, weights_sha256
from mmmsba_plugin.training.finetune import finetune, tuning

CAUTION = "A demonstrator: not court evidence."
QUICK = TuneConfig(max_epochs=2)
#: What a network knows of its features rather than of forgeries.
STATISTICS = (".mean", ".std")


@pytest.fixture(scope="module")
def records(talking_head_dataset):
    return list(read_lavdf(talking_head_dataset))


@pytest.fixture(scope="module")
def start(checkpoint, tmp_path_factory) -> Path:
    """The tiny checkpoint, with a caution and a loss of its own."""
    folder = shutil.copytree(checkpoint, tmp_path_factory.mktemp("start") / "start")
    config = json.loads((folder / "config.json").read_text())
    config["caution"] = CAUTION
    config["training"]["loss"]["focal_gamma"] = 1.5
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def tuned(records, start, feature_cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "tuned"
    return finetune(
        records, out, QUICK, checkpoint=start, cache=feature_cache, tuned_on="our office"
    )


def state(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder)[0].state_dict()


class TestTuned:
    def test_the_network_differs_and_its_statistics_do_not(self, start, tuned):
        before, after = state(start), state(tuned.checkpoint)
        assert before.keys() == after.keys()
        same = {name for name in before if torch.equal(before[name], after[name])}
        statistics = {name for name in before if name.endswith(STATISTICS)}
        assert statistics
        assert same == statistics

    def test_it_moves_by_small_steps(self, start, tuned):
        before, after = state(start), state(tuned.checkpoint)
        # Adam goes about one learning rate a step; there are two epochs of a few steps.
        furthest = max(float((after[name] - before[name]).abs().max()) for name in before)
        assert 0 < furthest < 20 * QUICK.learning_rate

    def test_what_it_is_fed_stays(self, start, tuned):
        (_, before), (_, after) = (load_checkpoint(f) for f in (start, tuned.checkpoint))
        assert after.features == before.features
        assert after.front_end_versions == before.front_end_versions
        assert after.members == before.members
        assert after.training["loss"]["focal_gamma"] == 1.5
        assert after.training["batch_size"] == before.training["batch_size"]
        assert after.training["learning_rate"] == QUICK.learning_rate

    def test_what_it_starts_from_is_left_as_it_was(self, checkpoint, start, tuned):
        assert tuned.checkpoint != start
        assert weights_sha256(start) == weights_sha256(checkpoint)

    def test_its_configuration_says_what_it_comes_from(self, start, tuned):
        _, after = load_checkpoint(tuned.checkpoint)
        assert after.tuned_from.checkpoint == "start"
        assert after.tuned_from.weights_sha256 == weights_sha256(start)
        assert after.tuned_from.trained_on == "a talking head"
        assert after.trained_on == "a talking head; then tuned on our office"
        assert after.caution == CAUTION

    def test_its_card_says_so_too_and_what_tuning_was_good_for(self, start, tuned):
        card = (tuned.checkpoint / "README.md").read_text()
        assert "a talking head; then tuned on our office" in card
        assert f"`start`, whose weights have the SHA-256 `{weights_sha256(start)}`" in card
        assert f"**{CAUTION}**" in card
        before, after = tuned.before["clip_auc"], tuned.operating_point.metrics["clip_auc"]
        assert f"| clip_auc | {before:.3f} | {after:.3f} |" in card
        assert "| what | before tuning | after |" in card

    def test_its_reports_say_so_too(self, start, tuned, feature_cache, talking_clip):
        detector = MmmsbaDetector.from_pretrained(tuned.checkpoint, cache=feature_cache)
        report = detector.detect(talking_clip)
        provenance = report.provenance
        assert provenance.trained_on == "a talking head; then tuned on our office"
        assert provenance.config["tuned_from"]["weights_sha256"] == weights_sha256(start)
        assert report.warnings[-1] == CAUTION

    def test_thresholds_are_chosen_anew(self, start, tuned):
        (_, before), (_, after) = (load_checkpoint(f) for f in (start, tuned.checkpoint))
        assert after.score_threshold == tuned.operating_point.score_threshold
        assert after.score_threshold.value != before.score_threshold.value
        assert after.metrics["validation"] == tuned.operating_point.metrics
        assert after.metrics["validation_before"] == tuned.before

    def test_tuned_weights_can_be_tuned_on(self, records, tuned, feature_cache, tmp_path):
        again = finetune(
            records, tmp_path / "again", TuneConfig(max_epochs=1), checkpoint=tuned.checkpoint,
            cache=feature_cache, tuned_on="our street",
        )  # fmt: skip
        _, config = load_checkpoint(again.checkpoint)
        assert (
            config.trained_on
            == "a talking head; then tuned on our office; then tuned on our street"
        )
        assert config.tuned_from.checkpoint == "tuned"

    def test_frozen_encoders_stay_and_the_rest_learns(
        self, records, start, feature_cache, tmp_path
    ):
        config = TuneConfig(max_epochs=1, freeze_encoders=True)
        run = finetune(records, tmp_path / "o", config, checkpoint=start, cache=feature_cache)
        before, after = state(start), state(run.checkpoint)
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert changed
        assert not [name for name in changed if ".encoders." in name]
        assert any(".encoders." in name for name in before)
        assert "and so are the encoders" in (run.checkpoint / "README.md").read_text()


class TestResumed:
    @pytest.fixture
    def run(self, records, start, feature_cache, tmp_path):
        settings = {"checkpoint": start, "cache": feature_cache, "tuned_on": "our office"}
        return lambda: finetune(records, tmp_path / "tuned", QUICK, **settings)

    def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
        self, run, tuned, tmp_path, monkeypatch
    ):
        def stop(_self, _trainer, learner):
            if learner.current_epoch == 1:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(lightning.Callback, "on_train_epoch_start", stop)
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                run()
        run()
        for file in ("model.safetensors", "config.json", "README.md"):
            resumed = (tmp_path / "tuned" / file).read_bytes()
            assert resumed == (tuned.checkpoint / file).read_bytes(), file

    def test_a_folder_tuned_from_other_weights_is_not_gone_on_with(
        self, records, tuned, feature_cache
    ):
        with pytest.raises(TrainingError, match="holds a training run with other settings"):
            finetune(
                records,
                tuned.checkpoint,
                QUICK,
                checkpoint=tuned.checkpoint,
                cache=feature_cache,
            )


class TestStart:
    def test_a_front_end_that_changed_since_is_refused(self, start, tmp_path):
        folder = shutil.copytree(start, tmp_path / "old")
        config = json.loads((folder / "config.json").read_text())
        config["front_end_versions"]["audio"] += 1
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(CheckpointError, match="numbers differ; install the one it learned"):
            finetune([], tmp_path / "out", checkpoint=folder)

    @pytest.mark.usefixtures("unbundled")
    def test_without_weights_there_is_nothing_to_tune(self, tmp_path):
        with pytest.raises(CheckpointNotFoundError, match="none is bundled; train one with"):
            finetune([], tmp_path / "out")


class TestSettings:
    @pytest.fixture
    def before(self):
        return CheckpointConfig(
            members=[
                ModelConfig(dims={"audio": 3}, attention="ms-sa", gru_units=7),
                ModelConfig(dims={"audio": 3}, attention="none", heads=["classify"]),
            ],
            training={"preset": "mmmsba", "batch_size": 4, "epochs": 9, "seed": 3, "patience": 2},
            caution=CAUTION,
        )

    def test_all_but_the_pace_is_that_of_the_checkpoint(self, before):
        config = tuning(before, TuneConfig(learning_rate=0.01, seed=5))
        assert config.members({"audio": 3}) == before.members
        assert config.features == before.features
        of_preset = FitConfig.read({"preset": "mmmsba"}).train
        pace = {"learning_rate": 0.01, "max_epochs": 20, "patience": 5, "seed": 5}
        assert config.train == of_preset.model_copy(update={"batch_size": 4, **pace})
        assert (config.preset, config.caution) == ("mmmsba", CAUTION)

    def test_a_network_that_somebody_else_trained_is_tuned_by_its_own_settings(self, before):
        before = before.model_copy(update={"training": {"preset": "theirs", "epochs": 9}})
        config = tuning(before, TuneConfig())
        assert config.members({"audio": 3}) == before.members
        assert config.train.batch_size == FitConfig().train.batch_size

    def test_settings_out_of_bounds_are_refused(self):
        with pytest.raises(ConfigError, match=r"learning_rate: Input should be greater than 0"):
            TuneConfig.read({"learning_rate": 0})
