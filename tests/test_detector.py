"""The detector: any file goes in, and a report comes out that holds together."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin import Detector
from mmmsba_plugin.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    MediaUnreadableError,
    PluginNotFoundError,
)
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.schema import Report, Windows

from .clips import numbered_frames


class TestReport:
    def test_the_score_is_the_highest_of_the_snippets(self, reports):
        for report in reports:
            assert report.status == "ok"
            assert report.score == max(s for s in report.curves.score if s is not None)

    def test_an_option_that_is_not_known_is_named_in_the_report(self, detector, reports):
        report = detector.detect(reports[0].media.path, an_option_of_tomorrow=True)
        assert "options that are not known were ignored: an_option_of_tomorrow" in report.warnings

    def test_each_modality_has_the_highest_score_of_its_own_curve(self, reports):
        for report in reports:
            assert set(report.modalities) == {"face", "audio", "lips"}
            for modality, modality_report in report.modalities.items():
                alone = report.curves.by_modality[modality]
                assert modality_report.score == max(s for s in alone if s is not None)

    def test_curves_have_one_score_for_each_cell_of_the_clip(self, detector, reports):
        for report in reports:
            cells = report.duration_s / detector.config.features.stride_s
            assert len(report.curves.score) == int(np.ceil(cells - 1e-6))

    def test_proposals_come_best_first(self, reports):
        for report in reports:
            ranked = [proposal.score for proposal in report.proposals]
            assert ranked
            assert ranked == sorted(ranked, reverse=True)

    def test_a_report_reads_back_as_it_was_written(self, reports):
        for report in reports:
            assert Report.model_validate_json(report.model_dump_json()) == report

    def test_a_report_names_the_origin_of_its_numbers(self, detector, reports, checkpoint):
        provenance = reports[0].provenance
        weights = (checkpoint / "model.safetensors").read_bytes()
        assert provenance.checkpoint_sha256 == hashlib.sha256(weights).hexdigest()
        assert (provenance.detector, provenance.checkpoint, provenance.trained_on) == (
            "mmms-ba",
            "tiny",
            "a talking head",
        )
        assert (provenance.package_version, provenance.api_version) == (
            version("mmmsba-plugin"),
            API_VERSION,
        )
        assert provenance.formula_version == detector.config.formula_version
        assert provenance.created_utc is not None
        config = detector.config.model_dump(mode="json")
        for name in (
            *("members", "features", "localization", "score_threshold", "calibration"),
            "front_end_versions",
        ):
            assert provenance.config[name] == config[name]
        assert set(provenance.config["features"]["front_ends"]) == {"face", "audio", "lips"}

    def test_a_report_identifies_its_file(self, reports):
        for report in reports:
            data = Path(report.media.path).read_bytes()
            assert report.media.sha256 == hashlib.sha256(data).hexdigest()
            assert report.media.size_bytes == len(data)
            assert report.media.video is not None
            assert report.media.audio is not None

    def test_a_command_line_is_named_if_there_was_one(self, detector, talking_clip):
        assert detector.detect(talking_clip).provenance.command is None
        command = detector.detect(talking_clip, command="mmmsba detect x").provenance.command
        assert command == "mmmsba detect x"

    def test_cached_features_change_nothing(self, detector, checkpoint, reports):
        fresh = Detector.from_pretrained(checkpoint).detect(reports[0].media.path)
        assert (fresh.score, fresh.curves) == (reports[0].score, reports[0].curves)


class TestCaution:
    CAUTION = "A demonstrator, trained on forged research footage: not court evidence."

    def test_each_report_with_a_score_carries_it(self, with_config, reports):
        careful = with_config(caution=self.CAUTION)
        report = careful.detect(reports[0].media.path)
        assert report.warnings == (*reports[0].warnings, self.CAUTION)
        assert report.score == reports[0].score

    def test_one_without_a_score_has_none_to_be_careful_about(self, with_config, tmp_path):
        report = with_config(caution=self.CAUTION).detect(tmp_path / "gone.mp4")
        assert report.status == "error"
        assert report.warnings == ()


class TestDetector:
    def test_clips_are_evaluated_one_by_one_as_their_reports_are_taken(
        self, detector, talking_clip
    ):
        numbers_taken = []

        def clips():
            for number in range(3):
                numbers_taken.append(number)
                yield talking_clip

        lazy_reports = detector.detect_many(clips())
        assert numbers_taken == []
        assert next(lazy_reports).status == "ok"
        assert numbers_taken == [0]

    def test_a_long_clip_is_evaluated_in_chunks_and_the_report_says_so(
        self, detector, with_config, talking_clip
    ):
        features = detector.config.features.model_copy(update={"chunk_s": 1.0})
        localization = detector.config.localization.model_copy(
            update={"window_s": 2.0, "warm_up_s": 0.5}
        )
        cut = with_config(features=features, localization=localization).detect(talking_clip)
        whole = detector.detect(talking_clip)
        assert whole.windows is None
        assert cut.windows == Windows(attention_s=2.0, features_s=1.0)
        assert len(cut.curves.score) == len(whole.curves.score)
        assert cut.duration_s == whole.duration_s
        assert {m: len(s) for m, s in cut.curves.by_modality.items()} == {
            m: len(s) for m, s in whole.curves.by_modality.items()
        }

    def test_a_prediction_is_the_score(self, detector, talking_clip):
        assert detector.predict(talking_clip) == detector.detect(talking_clip).score

    def test_a_prediction_for_no_media_says_why_there_is_none(self, detector, tmp_path):
        with pytest.raises(MediaUnreadableError, match=r"gone\.mp4; check the path"):
            detector.predict(tmp_path / "gone.mp4")

    def test_a_prediction_for_a_clip_without_any_face_or_audio_is_refused(self, detector, tmp_path):
        path = tmp_path / "one.mp4"
        write_clip(path, numbered_frames(1), fps_hz=25)
        with pytest.raises(MediaUnreadableError, match=r"nothing to judge in .*: no face"):
            detector.predict(path)

    @pytest.mark.usefixtures("unbundled")
    def test_without_a_checkpoint_the_error_names_the_ways_to_one(self):
        with pytest.raises(CheckpointNotFoundError, match="train one with `mmmsba train"):
            Detector.from_pretrained()

    def test_its_info_distinguishes_an_ablation_from_the_whole(self, detector):
        info = detector.info
        assert info["summary"] == "Attention mmms-ba over face, audio, lips."
        assert info["modalities"] == ["face", "audio", "lips"]
        assert info["checkpoint_sha256"] == detector.config.weights_sha256

    def test_a_front_end_that_is_not_installed_is_missed_at_once(self, detector, with_config):
        choice = detector.config.features.front_ends["audio"]
        missing = {"audio": choice.model_copy(update={"name": "not-installed"})}
        features = detector.config.features.model_copy(update={"front_ends": missing})
        with pytest.raises(PluginNotFoundError, match="no front-end is called 'not-installed'"):
            with_config(features=features)

    def test_a_front_end_whose_numbers_changed_since_is_refused(self, detector, with_config):
        installed = bind_front_ends(detector.config.features)["audio"].entry.version
        versions = {**detector.config.front_end_versions, "audio": installed + 1}
        with pytest.raises(
            CheckpointError, match=f"learned from version {installed + 1} of the .*'log-mel'"
        ):
            with_config(front_end_versions=versions)
