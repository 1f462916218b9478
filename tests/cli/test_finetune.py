"""``mmmsba finetune``: what its options ask for."""

import sys

import pytest

from mmmsba_plugin import training
from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.load import DatasetSpec, open_dataset
from mmmsba_plugin.datasets.splits import split_records
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.review.document import Review, ReviewedSegment, write_review
from mmmsba_plugin.schema import Media

pytestmark = pytest.mark.usefixtures("cached_features")


class TestFinetune:
    @pytest.fixture
    def tune(self, run, tmp_path):
        return lambda *arguments: run("finetune", "-o", tmp_path / "out", *arguments)

    @pytest.mark.usefixtures("bundled")
    def test_the_bundled_weights_are_tuned_if_none_are_named(
        self, tune, talking_head_dataset, tmp_path
    ):
        result = tune("--data", talking_head_dataset, "--max-epochs", 1, "--learning-rate", 0.001)
        assert result.exit_code == _exit_codes.OK, result.stderr
        _, config = load_checkpoint(tmp_path / "out")
        assert config.tuned_from.checkpoint == "bundled"
        assert config.trained_on == "a talking head; then tuned on forged"
        assert config.training["learning_rate"] == 0.001
        metric_lines = [
            line for line in result.stdout.splitlines() if "validation clip_auc: " in line
        ]
        assert [line for line in metric_lines if ", before " in line] == metric_lines != []

    def test_what_it_starts_from_can_be_named(
        self, tune, checkpoint, talking_head_dataset, tmp_path
    ):
        options = (
            "--data",
            f"lav-df={talking_head_dataset}",
            "--checkpoint",
            checkpoint,
            "--freeze",
        )
        result = tune(*options, "--max-epochs", 1, "--calibration", "none")
        assert result.exit_code == _exit_codes.OK, result.stderr
        _, config = load_checkpoint(tmp_path / "out")
        assert config.tuned_from.checkpoint == "tiny"
        assert config.training["freeze_encoders"] is True
        assert config.calibration.reason == ""

    @pytest.mark.usefixtures("bundled")
    def test_it_learns_from_reviewed_reports(self, tune, talking_head_dataset, tmp_path):
        folder = tmp_path / "reports"
        folder.mkdir()
        for record in read_lavdf(talking_head_dataset):
            review = Review(
                report=f"{record.media.stem}.json",
                media=Media(path=str(record.media)),
                status="fake" if record.fake else "real",
                segments=tuple(
                    ReviewedSegment(start_s=s.start_s, end_s=s.end_s, decision="accepted")
                    for s in record.truth
                ),
            )
            write_review(folder / review.report, review)
        records = list(open_dataset(DatasetSpec(folder, "reviewed")).records())
        # So few clips need luck to have real and fake ones held out.
        seed = next(
            seed
            for seed in range(50)
            if len({record.fake for record in split_records(records, seed=seed)[1]}) == 2
        )
        result = tune("--reviewed", folder, "--max-epochs", 1, "--seed", seed)
        assert result.exit_code == _exit_codes.OK, result.stderr
        _, config = load_checkpoint(tmp_path / "out")
        assert config.trained_on == "a talking head; then tuned on reports"

    @pytest.mark.usefixtures("unbundled")
    def test_without_any_weights_it_stops_before_it_makes_a_folder(self, tune, tmp_path):
        result = tune("--data", ".")
        assert result.exit_code == _exit_codes.STOPPED
        assert "no checkpoint was given and none is bundled" in result.stderr
        assert not (tmp_path / "out").exists()

    @pytest.mark.usefixtures("bundled")
    @pytest.mark.parametrize("command", ["train", "finetune"])
    def test_without_what_training_needs_it_says_what_to_install(
        self, run, command, monkeypatch, tmp_path
    ):
        for name in ("training.fit", "training.finetune"):
            monkeypatch.delitem(sys.modules, f"mmmsba_plugin.{name}", raising=False)
        monkeypatch.delattr(training, "finetune", raising=False)
        monkeypatch.setitem(sys.modules, "lightning", None)
        result = run(command, "--data", ".", "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.STOPPED
        assert "install it with: pip install 'mmmsba-plugin[train]'" in result.stderr
