"""The default weights: their folder, and the caution that comes with them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import Detector, weights
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.errors import CheckpointNotFoundError
from mmmsba_plugin.model.checkpoint import load_checkpoint, read_config, weights_sha256
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report
from mmmsba_plugin.training.recipe import settings_of

from ..clips import clip as numbered_clip

CAUTION = "A demonstrator, trained on forged research footage: not court evidence."

#: What fits into a wheel that people download.
MAX_MB = 12


@pytest.fixture
def clip(tmp_path):
    return numbered_clip(tmp_path / "clip.mp4", duration_s=0.48, click_at_s=0.24)


class TestPlace:
    def test_they_lie_in_the_package(self, bundled):
        assert weights.folder() == bundled
        assert weights.name_of(bundled) == "bundled"

    def test_a_package_without_them_has_none(self, unbundled):
        assert weights.folder() is None

    @pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
    def test_a_part_of_them_is_not_taken_for_nothing(self, unbundled, file):
        (unbundled / file).touch()
        assert weights.folder() == unbundled

    def test_a_variable_names_others(self, bundled, monkeypatch, tmp_path):
        monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "mine"))
        assert weights.folder() == tmp_path / "mine"
        assert weights.name_of(tmp_path / "mine") == "mine"
        monkeypatch.setenv(weights.VARIABLE, "")
        assert weights.folder() == bundled

    def test_the_fast_one_is_named_in_place_of_a_folder(self, bundled, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        assert weights.checkpoint_folder("fast") == bundled / "fast"
        monkeypatch.setenv(weights.VARIABLE, "fast")
        assert weights.checkpoint_folder(None) == bundled / "fast"
        assert weights.name_of(bundled / "fast") == "fast"
        (tmp_path / "fast").mkdir()
        assert weights.checkpoint_folder(Path("fast")) == bundled / "fast"
        (tmp_path / "fast" / "config.json").touch()
        assert weights.checkpoint_folder(Path("fast")) == Path("fast")

    @pytest.mark.usefixtures("bundled")
    def test_a_misspelt_one_is_an_error_and_not_passed_over(self, monkeypatch, tmp_path):
        monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "typo"))
        with pytest.raises(CheckpointNotFoundError, match=r"typo: config\.json is not there"):
            Detector.from_pretrained()

    @pytest.mark.parametrize("name", ["", weights.FAST])
    def test_those_of_this_copy_are_whole_and_small(self, name):
        folder = weights.HERE / name
        if not any((folder / file).is_file() for file in ("config.json", "model.safetensors")):
            pytest.skip(f"this source tree has no weights in {folder}")
        _, config = load_checkpoint(folder)
        assert config.weights_sha256 == weights_sha256(folder)
        assert config.trained_on
        assert "evidence" in config.caution
        assert (folder / "README.md").read_text(encoding="utf-8").count("\n") > 20
        size = sum(file.stat().st_size for file in weights.HERE.rglob("*") if file.is_file())
        assert size <= MAX_MB * 2**20

    @pytest.mark.parametrize(("name", "preset"), [("", "mmmsba"), (weights.FAST, "fast")])
    def test_the_settings_they_were_made_with_can_be_used_again(self, name, preset):
        folder = weights.HERE / name
        fit_config = FitConfig.read(json.loads((folder / "training.json").read_text("utf-8")))
        assert fit_config.preset == preset
        assert "evidence" in fit_config.caution
        if (folder / "config.json").is_file():
            config = read_config(folder)
            assert (config.trained_on, config.caution) == (
                fit_config.trained_on,
                fit_config.caution,
            )
            assert config.members == fit_config.members(config.members[0].dims)
            assert config.features == fit_config.features
            # Settings that came later are those of the preset.
            assert settings_of(config).train == fit_config.train


class TestDefault:
    def test_the_default_detector_is_that_of_the_folder(self, bundled, detector, talking_clip):
        default = Detector.from_pretrained()
        assert default.detect(talking_clip).score == detector.predict(talking_clip)
        assert default.info["checkpoint"] == "bundled"
        assert default.info["checkpoint_sha256"] == weights_sha256(bundled)
        assert default.info["trained_on"] == "a talking head"

    def test_so_is_that_of_the_door(self, bundled):
        assert lookup("detectors", "mmms-ba").load(None).info["checkpoint"] == "bundled"

    def test_a_folder_that_is_named_goes_first(self, bundled, tmp_path):
        copy = shutil.copytree(bundled, tmp_path / "copy")
        assert Detector.from_pretrained(copy).info["checkpoint"] == "copy"


class TestDetect:
    """``mmmsba detect clip.mp4`` with no other argument."""

    @pytest.fixture
    def careful(self, checkpoint, tmp_path, monkeypatch):
        folder = shutil.copytree(checkpoint, tmp_path / "weights")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "caution": CAUTION}))
        monkeypatch.delenv(weights.VARIABLE, raising=False)
        monkeypatch.setattr(weights, "HERE", folder)
        return folder

    def run(self, *arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    def test_a_report_names_the_weights_and_their_caution(self, careful, clip):
        result = self.run("detect", "--no-isolation", clip)
        assert result.exit_code == _exit_codes.OK, result.stderr
        report = Report.model_validate_json((clip.parent / "clip.mmmsba.json").read_bytes())
        assert report.warnings[-1] == CAUTION
        provenance = report.provenance
        assert (provenance.checkpoint, provenance.trained_on) == ("bundled", "a talking head")
        assert provenance.checkpoint_sha256 == read_config(careful).weights_sha256
        assert f"  note: {CAUTION}" in result.stdout.splitlines()
        page = (clip.parent / "clip.mmmsba.html").read_text(encoding="utf-8")
        assert page.index(CAUTION) < page.index("Along time")

    def test_clips_that_were_evaluated_are_not_evaluated_again(self, careful, clip):
        for before in (0, 1):
            result = self.run("detect", "--no-isolation", clip, "--resume")
            assert result.stdout.startswith(f"{before} of 1 clips were evaluated before")

    @pytest.mark.usefixtures("careful")
    def test_a_dataset_is_evaluated_without_naming_any_weights(
        self, talking_head_dataset, feature_cache, monkeypatch, tmp_path
    ):
        monkeypatch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
        metrics = tmp_path / "metrics.json"
        split = ("--data", talking_head_dataset, "--split", "test")
        result = self.run("evaluate", *split, "--json", metrics)
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "auc" in metrics.read_text()
