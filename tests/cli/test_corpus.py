"""The commands that work on folders of clips: forge, features, train, evaluate."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.cli.train import _settings
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.features.log_mel import LogMel
from mmmsba_plugin.model.checkpoint import read_config

from ..clips import clip as numbered_clip

TINY = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"max_epochs": 5, "batch_size": 8},
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, feature_cache):
    monkeypatch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


class TestForge:
    def test_a_folder_of_clips_becomes_a_dataset(self, run, talking_clip, tmp_path):
        real = tmp_path / "genuine"
        real.mkdir()
        shutil.copy(talking_clip, real)
        (real / "notes.mp4").write_text("no film")
        numbers = ("--per-clip", 1, "--real-per-clip", 1)
        made = run("forge", real, "-o", tmp_path / "out", *numbers, "--forger", "mouth")
        assert made.exit_code == _exit_codes.OK
        assert "wrote 1 real and 1 fake clips" in made.stdout
        assert "skipped" in made.stdout
        assert "notes.mp4" in made.stdout
        fake = [r for r in read_lavdf(tmp_path / "out") if r.fake]
        assert [(r.kind, r.audio_truth) for r in fake] == [("mouth", ())]

    def test_an_unknown_forger_is_answered_with_those_there_are(self, run, tmp_path):
        done = run("forge", tmp_path, "-o", tmp_path / "out", "--forger", "spice")
        assert done.exit_code == _exit_codes.STOPPED
        assert "did you mean 'splice'?" in done.stderr

    def test_a_folder_that_is_not_there_is_named(self, run, tmp_path):
        done = run("forge", tmp_path / "gone", "-o", tmp_path / "out")
        assert done.exit_code == _exit_codes.STOPPED
        assert f"there is no folder {tmp_path / 'gone'}" in done.stderr


class TestFeatures:
    def test_each_modality_gets_a_file_with_a_row_a_snippet(self, run, talking_clip, tmp_path):
        done = run("features", talking_clip, "-o", tmp_path, "--stride-s", 0.2)
        assert done.exit_code == _exit_codes.OK
        for modality in ("face", "audio", "lips"):
            rows = np.load(tmp_path / modality / "talking.npy")
            # The last packet of the audio reaches a little past the third second.
            assert len(rows) == 16
            present = np.isfinite(rows).all(axis=1).mean()
            size = f"16 x {rows.shape[1]}, {present:.0%} present, a row every 0.2 s"
            assert f"{tmp_path / modality / 'talking.npy'}: {size}" in done.stdout

    def test_a_bad_clip_stops_nothing(self, run, tmp_path):
        clip = numbered_clip(tmp_path / "clip.mp4", duration_s=0.4, click_at_s=0.2)
        done = run("features", tmp_path / "gone.mp4", clip, "-o", tmp_path / "out")
        assert done.exit_code == _exit_codes.UNJUDGED
        assert "gone.mp4: error: there is no file at" in done.stdout
        assert np.isnan(np.load(tmp_path / "out" / "lips" / "clip.npy")).all()

    def test_a_fault_of_a_front_end_stops_nothing(self, run, tmp_path, monkeypatch, caplog):
        start = LogMel.start

        def touchy(self, media, grid):
            if "hostile" in media.path:
                raise RuntimeError("boom")
            start(self, media, grid)

        monkeypatch.setattr(LogMel, "start", touchy)
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4, click_at_s=0.2)
        good = shutil.copy(hostile, tmp_path / "good.mp4")
        done = run("features", hostile, good, "-o", tmp_path / "out")
        assert done.exit_code == _exit_codes.UNJUDGED
        assert "hostile.mp4: error: RuntimeError: boom; the log has the traceback" in done.stdout
        assert (tmp_path / "out" / "audio" / "good.npy").is_file()
        assert str(caplog.records[0].exc_info[1]) == "boom"

    def test_two_clips_that_would_share_a_file_are_refused(self, run, tmp_path):
        done = run("features", tmp_path / "a" / "x.mp4", tmp_path / "b" / "x.mkv", "-o", tmp_path)
        assert done.exit_code == _exit_codes.STOPPED
        assert "would both become x.npy; describe them one after the other" in done.stderr


class TestTrain:
    @pytest.fixture
    def settings(self, tmp_path):
        path = tmp_path / "tiny.json"
        path.write_text(json.dumps(TINY))
        return path

    def test_a_dataset_becomes_a_checkpoint(self, run, talking_head_dataset, settings, tmp_path):
        out = tmp_path / "out"
        wanted = ("--attention", "none", "--modalities", "audio,lips", "--max-epochs", 1)
        done = run(
            "train", "--data", talking_head_dataset, "-o", out, "--config", settings, *wanted
        )
        assert done.exit_code == _exit_codes.OK, done.stderr
        assert "in 1 epochs" in done.stdout
        assert "validation clip_auc: " in done.stdout
        assert f"wrote {out}" in done.stdout
        said = read_config(out)
        # What the command line says goes over the file, and the rest of the file stays.
        assert (said.model.attention, said.model.gru_units) == ("none", 4)
        assert list(said.model.dims) == ["audio", "lips"]
        assert said.trained_on == talking_head_dataset.name

    def test_a_preset_of_the_file_is_kept_unless_another_is_asked_for(self, settings):
        settings.write_text('{"preset": "reference"}')
        assert _settings(settings, None, None, None)["preset"] == "reference"
        assert _settings(settings, "paper", None, None)["preset"] == "paper"

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
        done = run("train", "--data", ".", "-o", "out", "--config", settings, "--attention", "none")
        assert done.exit_code == _exit_codes.STOPPED
        assert reason in done.stderr

    def test_an_unknown_modality_is_answered_with_those_there_are(self, run):
        done = run("train", "--data", ".", "-o", "out", "--modalities", "audio,smell")
        assert done.exit_code == _exit_codes.STOPPED
        assert "no front-end serves smell; choose from face, audio, lips" in done.stderr

    def test_a_folder_without_truth_is_refused(self, run, tmp_path):
        done = run("train", "--data", tmp_path, "-o", tmp_path / "out")
        assert done.exit_code == _exit_codes.STOPPED
        assert f"there is no metadata.json or metadata.min.json in {tmp_path}" in done.stderr
