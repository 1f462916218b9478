"""``mmmsba train``: what its words ask for, and what it makes."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.model.checkpoint import read_config

TINY = {"network": {"gru_units": 4, "dense_units": 4}, "train": {"max_epochs": 1}}


pytestmark = pytest.mark.usefixtures("cached_features")


@pytest.fixture
def fit_arguments(monkeypatch):
    """The arguments of the training, which then is broken off."""
    from mmmsba_plugin.training import fit

    arguments = {}

    def listen(records, config, *_, **__):
        arguments.update(keys=[record.key for record in records], config=config)
        raise DatasetError("that was all")

    monkeypatch.setattr(fit, "fit", listen)
    return arguments


class TestTrain:
    @pytest.fixture
    def train(self, tmp_path):
        settings = tmp_path / "tiny.json"
        settings.write_text(json.dumps(TINY))

        def run(*arguments):
            command = ["train", "--config", settings, "-o", tmp_path / "out", *arguments]
            return CliRunner().invoke(app, [str(a) for a in command])

        return run

    @pytest.fixture
    def halves(self, talking_head_dataset, tmp_path) -> list[Path]:
        """The dataset as two: those to learn from, and those to validate on."""
        metadata = json.loads((talking_head_dataset / "metadata.json").read_text())
        folders = []
        for name, splits in (("learned", {"train"}), ("held", {"dev"})):
            folder = shutil.copytree(talking_head_dataset, tmp_path / name)
            entries = [item for item in metadata if item["split"] in splits]
            (folder / "metadata.json").write_text(json.dumps(entries))
            folders.append(folder)
        return folders

    def test_every_combination_of_a_grid_is_trained_and_ranked(
        self, train, talking_head_dataset, tmp_path
    ):
        grid = tmp_path / "grid.json"
        grid.write_text(json.dumps({"train.learning_rate": [0.0001, 0.01]}))
        result = train("--data", talking_head_dataset, "--grid", grid)
        assert result.exit_code == _exit_codes.OK, result.output
        for heading in ("train.learning_rate", "clip_auc", "snippet_f1", "0.0001", "0.01"):
            assert heading in result.output
        for number in ("1", "2"):
            assert read_config(tmp_path / "out" / number).training["max_epochs"] == 1

    def test_a_grid_that_is_no_object_is_refused(self, train, talking_head_dataset, tmp_path):
        grid = tmp_path / "grid.json"
        grid.write_text("[1]")
        result = train("--data", talking_head_dataset, "--grid", grid)
        assert result.exit_code == _exit_codes.STOPPED
        assert "must hold a JSON object" in result.stderr

    def test_several_datasets_are_learned_from_together(self, train, halves, tmp_path):
        result = train("--data", halves[0], "--data", f"lav-df={halves[1]}")
        assert result.exit_code == _exit_codes.OK, result.stderr
        config = read_config(tmp_path / "out")
        assert config.trained_on == "learned, held"
        assert config.training["num_train"] == len(list(read_lavdf(halves[0])))
        assert config.training["num_validation"] == len(list(read_lavdf(halves[1])))

    def test_the_reason_for_uncalibrated_scores_is_printed(
        self, train, talking_head_dataset, tmp_path
    ):
        result = train("--data", talking_head_dataset)
        reason = read_config(tmp_path / "out").calibration.reason
        assert reason
        assert f"scores are not calibrated: {reason}" in result.stdout
        again = train("--data", talking_head_dataset, "--calibration", "none")
        assert again.exit_code == _exit_codes.OK, again.stderr
        assert "not calibrated" not in again.stdout

    def test_an_unknown_curve_is_answered_with_those_there_are(self, train):
        result = train("--data", ".", "--calibration", "platt")
        assert result.exit_code == _exit_codes.STOPPED
        assert "calibration: Input should be 'none', 'temperature' or 'isotonic'" in result.stderr

    def test_features_alone_need_no_clips(self, train, halves, fit_arguments):
        shutil.rmtree(halves[0] / "train")
        result = train("--data", halves[0])
        assert "can be used; the first: " in result.stderr
        assert "or do without clips (--features-only, need_media=False)" in result.stderr
        train("--data", halves[0], "--features-only")
        metadata = json.loads((halves[0] / "metadata.json").read_text())
        assert fit_arguments["keys"] == [item["file"] for item in metadata] != []

    def test_silence_is_left_out_as_asked_and_nothing_else_changes(
        self, train, halves, fit_arguments
    ):
        train("--data", halves[0], "--modalities", "audio,lips")
        config = fit_arguments["config"]
        train("--data", halves[0], "--modalities", "audio,lips", "--trim-silence")
        trimmed = config.features.model_copy(update={"trim_silence": True})
        assert fit_arguments["config"] == config.model_copy(update={"features": trimmed})
        assert not config.features.trim_silence


SETTINGS = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"max_epochs": 5, "batch_size": 8},
}


class TestTrainCommand:
    @pytest.fixture
    def settings(self, tmp_path):
        path = tmp_path / "tiny.json"
        path.write_text(json.dumps(SETTINGS))
        return path

    def test_a_dataset_becomes_a_checkpoint(self, run, talking_head_dataset, settings, tmp_path):
        out = tmp_path / "out"
        options = ("--attention", "none", "--modalities", "audio,lips", "--max-epochs", 1)
        result = run(
            "train", "--data", talking_head_dataset, "-o", out, "--config", settings, *options
        )
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "in 1 epochs" in result.stdout
        assert "validation clip_auc: " in result.stdout
        assert f"wrote {out}" in result.stdout
        config = read_config(out)
        # What the command line says goes over the file, and the rest of the file stays.
        (model,) = config.members
        assert (model.attention, model.gru_units) == ("none", 4)
        assert list(model.dims) == ["audio", "lips"]
        assert config.trained_on == talking_head_dataset.name

    def test_a_preset_of_the_file_is_kept_unless_another_is_asked_for(
        self, run, talking_head_dataset, settings, fit_arguments
    ):
        settings.write_text('{"preset": "reference"}')
        command = ("train", "--data", talking_head_dataset, "--config", settings)
        for options, preset in (((), "reference"), (("--preset", "paper"), "paper")):
            run(*command, "-o", settings.with_name("out"), *options)
            assert fit_arguments["config"].preset == preset

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{", "cannot be read as JSON"),
            ("[]", "must hold a JSON object of settings"),
            ('{"trian": {}}', "Allowed keys: preset, network, features, train, localization"),
            ('{"network": 3}', "network: Input should be a valid dictionary"),
        ],
    )
    def test_a_file_of_settings_that_cannot_be_used_is_named(self, run, settings, text, reason):
        settings.write_text(text)
        result = run(
            "train", "--data", ".", "-o", "out", "--config", settings, "--attention", "none"
        )
        assert result.exit_code == _exit_codes.STOPPED
        assert reason in result.stderr

    def test_an_unknown_modality_is_answered_with_those_there_are(self, run):
        result = run("train", "--data", ".", "-o", "out", "--modalities", "audio,smell")
        assert result.exit_code == _exit_codes.STOPPED
        assert "no front-end serves smell; choose from face, audio, lips" in result.stderr

    def test_a_folder_without_truth_is_refused(self, run, tmp_path):
        result = run("train", "--data", tmp_path, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.STOPPED
        assert f"no reader knows the layout of {tmp_path}" in result.stderr
        assert "lav-df (A folder in LAV-DF's layout" in result.stderr
