"""A folder holds one run, which can be ended otherwise but not replaced."""

import pytest

from mmmsba_plugin.config import Calibration, FeaturesConfig, FitConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import PluginNotFoundError, TrainingError
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.training.fit import fit

from .runs import TINY


class TestRunState:
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

    def test_the_words_of_an_ended_run_can_be_changed(self, talking_head_dataset, source, tmp_path):
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

    def test_a_folder_with_another_run_is_not_overwritten(
        self, fitted, talking_head_dataset, source
    ):
        other = TINY.model_copy(update={"train": TrainConfig(seed=5, max_epochs=1)})
        with pytest.raises(TrainingError, match="holds a training run with other settings; choose"):
            fit(read_lavdf(talking_head_dataset), other, fitted.checkpoint, cache=source.cache)

    def test_a_misspelt_front_end_claims_no_folder(self, talking_head_dataset, source, tmp_path):
        misspelt = FeaturesConfig.read({"front_ends": {"audio": {"name": "log-mell"}}})
        records = read_lavdf(talking_head_dataset)
        with pytest.raises(PluginNotFoundError, match="log-mell"):
            fit(records, FitConfig(features=misspelt), tmp_path / "out", cache=source.cache)
        assert not (tmp_path / "out").exists()
