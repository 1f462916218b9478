"""The whole story: any file goes in, and a report comes out that holds together."""

import hashlib
import logging
import os
import shutil
import sys
import wave
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin import Detector
from mmmsba_plugin.config import Calibration
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import bind_front_ends
from mmmsba_plugin.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    MediaUnreadableError,
    PluginNotFoundError,
)
from mmmsba_plugin.features.log_mel import LogMel
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Report, ScoreThreshold
from mmmsba_plugin.testing import samples

from .clips import clip as numbered_clip
from .clips import numbered_frames, truncated, with_late_index


def numbers_of(threshold):
    """A threshold without its scale: without calibration, score and probability are the same."""
    return threshold.value, threshold.false_positive_rate


def changed(detector: Detector, **update) -> Detector:
    """Return the detector with other settings."""
    config = detector.config.model_copy(update=update)
    return Detector(detector.network, config, checkpoint="changed", cache=detector._cache)


TEMPERATURE = Calibration(method="temperature", temperature=0.5, shift=0.2)


def at(detector: Detector, level: float) -> Detector:
    """Return the detector with both its lines, of clips and of segments, at ``level``."""
    lines = {"onset": level, "offset": min(level, detector.config.localization.offset)}
    return changed(
        detector,
        score_threshold=ScoreThreshold(value=level),
        localization=detector.config.localization.model_copy(update=lines),
    )


def cut(source: Path, path: Path, *, num_frames: int, with_audio: bool = True) -> Path:
    """Write the beginning of a clip anew."""
    media = probe(source)
    frames = list(islice(FrameReader(media), num_frames))
    audio = next(iter(AudioReader(media, sample_rate_hz=16_000))).samples
    audio = audio[: num_frames * 16_000 // 25] if with_audio else None
    write_clip(path, frames, fps_hz=25, audio=audio, sample_rate_hz=16_000)
    return path


def spoken(path: Path, *, duration_s: float = 2.0) -> Path:
    """Write audio without a frame."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((samples.samples(duration_s) * 20_000).astype("<i2").tobytes())
    return path


def places(report: Report) -> list[tuple]:
    return [(part.start_s, part.end_s, part.modality) for part in report.segments]


def ranks(scores: list[float]) -> list[int]:
    return np.argsort(scores, kind="stable").tolist()


def reasons(report: Report, modality: str) -> set[str]:
    return {part.reason for part in report.modalities[modality].opt_outs}


@pytest.fixture(scope="module")
def reports(detector, talking_head_dataset) -> list[Report]:
    """What is said about some clips of the dataset."""
    records = islice(read_lavdf(talking_head_dataset), 6)
    return list(detector.detect_many(record.media for record in records))


class TestReport:
    def test_the_score_is_the_highest_of_the_snippets(self, reports):
        for report in reports:
            assert report.status == "ok"
            assert report.score == max(s for s in report.curves.score if s is not None)

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 1.0])
    def test_a_clip_is_fake_exactly_if_it_reaches_the_threshold_and_a_place_is_named(
        self, detector, reports, share
    ):
        scores = sorted(report.score for report in reports)
        level = float(np.quantile(scores, share))
        verdicts = set()
        for report in at(detector, level).detect_many([r.media.path for r in reports]):
            assert report.threshold.value == level
            assert report.fake == (report.score >= level) == bool(report.segments)
            verdicts.add(report.fake)
        # Else the claim was only ever tried on one side of the line.
        assert verdicts == ({True} if share == 0.0 else {True, False})

    @pytest.mark.parametrize("curve", [Calibration(), TEMPERATURE], ids=["none", "temperature"])
    @pytest.mark.parametrize("share", [0.0, 0.4, 0.8])
    def test_another_threshold_decides_verdict_and_segments_alike(
        self, detector, reports, share, curve
    ):
        calibrated = changed(detector, calibration=curve)
        paths = [report.media.path for report in reports]
        level = float(np.quantile([calibrated.predict(path) for path in paths], share))
        strict_reports = list(calibrated.with_threshold(level).detect_many(paths))
        for report in strict_reports:
            assert report.threshold.value == pytest.approx(level, abs=1e-6)
            assert report.threshold.false_positive_rate is None
            assert report.fake == bool(report.segments)
        assert {report.fake for report in strict_reports} == (
            {True} if share == 0.0 else {True, False}
        )

    def test_an_option_that_is_not_known_is_named_in_the_report(self, detector, reports):
        report = detector.detect(reports[0].media.path, an_option_of_tomorrow=True)
        assert "options that are not known were ignored: an_option_of_tomorrow" in report.warnings

    def test_the_threshold_is_the_checkpoints(self, detector, reports):
        assert {numbers_of(report.threshold) for report in reports} == {
            numbers_of(detector.config.score_threshold)
        }

    def test_each_modality_has_the_highest_score_of_its_own_curve(self, reports):
        for report in reports:
            assert set(report.modalities) == {"face", "audio", "lips"}
            for modality, part in report.modalities.items():
                alone = report.curves.by_modality[modality]
                assert part.score == max(s for s in alone if s is not None)

    def test_curves_have_one_score_for_each_cell_of_the_clip(self, detector, reports):
        for report in reports:
            cells = report.duration_s / detector.config.features.stride_s
            assert len(report.curves.score) == int(np.ceil(cells - 1e-6))

    def test_segments_lie_in_the_clip_and_never_touch(self, detector, reports):
        lowest = min(report.score for report in reports)
        for report in at(detector, lowest).detect_many([r.media.path for r in reports]):
            edges = [edge for s in report.segments for edge in (s.start_s, s.end_s)]
            assert edges == sorted(set(edges))
            assert edges[0] >= 0.0
            assert edges[-1] <= report.duration_s

    def test_proposals_come_best_first(self, reports):
        for report in reports:
            ranked = [proposal.score for proposal in report.proposals]
            assert ranked
            assert ranked == sorted(ranked, reverse=True)

    def test_a_report_reads_back_as_it_was_written(self, reports):
        for report in reports:
            assert Report.model_validate_json(report.model_dump_json()) == report

    def test_it_says_where_its_numbers_come_from(self, detector, reports, checkpoint):
        made = reports[0].provenance
        weights = (checkpoint / "model.safetensors").read_bytes()
        assert made.checkpoint_sha256 == hashlib.sha256(weights).hexdigest()
        assert (made.detector, made.checkpoint, made.trained_on) == ("mmms-ba", "tiny", "a puppet")
        assert (made.package_version, made.api_version) == (version("mmmsba-plugin"), API_VERSION)
        assert made.formula_version == detector.config.formula_version
        assert made.created_utc is not None
        config = detector.config.model_dump(mode="json")
        for config_class in (
            *("members", "features", "localization", "score_threshold", "calibration"),
            "front_end_versions",
        ):
            assert made.config[config_class] == config[config_class]
        assert set(made.config["features"]["front_ends"]) == {"face", "audio", "lips"}

    def test_it_says_which_file_it_is_about(self, reports):
        for report in reports:
            data = Path(report.media.path).read_bytes()
            assert report.media.sha256 == hashlib.sha256(data).hexdigest()
            assert report.media.size_bytes == len(data)
            assert report.media.video is not None
            assert report.media.audio is not None

    def test_a_command_line_is_named_if_there_was_one(self, detector, talking_clip):
        assert detector.detect(talking_clip).provenance.command is None
        said = detector.detect(talking_clip, command="mmmsba detect x").provenance.command
        assert said == "mmmsba detect x"

    def test_kept_features_change_nothing(self, detector, checkpoint, reports):
        fresh = Detector.from_pretrained(checkpoint).detect(reports[0].media.path)
        assert (fresh.score, fresh.curves) == (reports[0].score, reports[0].curves)


CURVES = [
    Calibration(method="temperature", temperature=0.2, shift=1.0),
    Calibration(method="isotonic", scores=(0.2, 0.6), probabilities=(0.2, 0.9)),
]


class TestCalibration:
    @pytest.fixture(params=CURVES, ids=lambda curve: curve.method)
    def curve(self, request):
        return request.param

    def test_scores_are_probabilities_and_verdicts_and_places_are_as_before(
        self, detector, reports, curve
    ):
        middle = float(np.median([report.score for report in reports]))
        raw = at(detector, middle)
        paths = [report.media.path for report in reports]
        before = list(raw.detect_many(paths))
        after = list(changed(raw, calibration=curve).detect_many(paths))
        for one, other in zip(before, after, strict=True):
            assert other.provenance.calibration == curve.method
            assert other.score == apply(curve, one.score)
            assert other.threshold.value == apply(curve, one.threshold.value)
            assert other.score == max(s for s in other.curves.score if s is not None)
            assert places(other) == places(one)
            assert other.fake == one.fake == bool(other.segments)
        assert {report.fake for report in after} == {True, False}

    def test_clips_and_proposals_keep_their_ranks(self, detector, reports, curve):
        paths = [report.media.path for report in reports]
        after = list(changed(detector, calibration=curve).detect_many(paths))
        assert ranks([r.score for r in after]) == ranks([r.score for r in reports])
        for one, other in zip(reports, after, strict=True):
            stretches = [[(p.start_s, p.end_s) for p in r.proposals] for r in (one, other)]
            assert stretches[0] == stretches[1]
            told = [p.score for p in other.proposals]
            assert told == sorted(told, reverse=True)
            assert told == pytest.approx(apply(curve, [p.score for p in one.proposals]))

    def test_without_a_curve_scores_are_the_networks_own(self, detector, reports):
        assert detector.config.calibration.method == "none"
        assert {report.provenance.calibration for report in reports} == {"none"}


class TestCaution:
    CAUTION = "A demonstrator, trained on forged research footage: not court evidence."

    def test_each_report_with_a_score_carries_it(self, detector, reports):
        careful = changed(detector, caution=self.CAUTION)
        report = careful.detect(reports[0].media.path)
        assert report.warnings == (*reports[0].warnings, self.CAUTION)
        assert report.score == reports[0].score

    def test_one_without_a_score_has_none_to_be_careful_about(self, detector, tmp_path):
        report = changed(detector, caution=self.CAUTION).detect(tmp_path / "gone.mp4")
        assert report.status == "error"
        assert report.warnings == ()


class TestLines:
    @pytest.fixture
    def lined(self, detector, reports):
        """The detector with a line at its lowest score, at a middle one, and at its highest."""
        scores = sorted(report.score for report in reports)
        lines = [
            ScoreThreshold(value=float(np.quantile(scores, share)), false_positive_rate=rate)
            for share, rate in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.01))
        ]
        return changed(detector, score_thresholds=tuple(lines))

    @pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
    def test_a_clip_is_fake_exactly_if_a_place_is_at_every_line(self, lined, reports, rate):
        paths = [report.media.path for report in reports]
        wanted = {line.false_positive_rate: line for line in lined.config.score_thresholds}[rate]
        for report in lined.detect_many(paths, false_positive_rate=rate):
            assert numbers_of(report.threshold) == numbers_of(wanted)
            assert report.fake == (report.score >= wanted.value) == bool(report.segments)

    def test_the_report_says_at_which_line(self, lined, reports):
        report = lined.detect(reports[0].media.path, false_positive_rate=0.05)
        assert report.provenance.config["score_threshold"]["false_positive_rate"] == 0.05
        onset = report.provenance.config["localization"]["onset"]
        assert onset == report.threshold.value
        threshold = lined.detect(reports[0].media.path).threshold
        assert numbers_of(threshold) == numbers_of(lined.config.score_threshold)

    def test_it_is_told_what_there_is_to_choose_from(self, lined):
        assert set(lined.info["false_positive_rates"]) >= {0.01, 0.05, 0.1}
        strict = lined.at_false_positive_rate(0.01)
        assert strict.info["config"]["score_threshold"]["false_positive_rate"] == 0.01

    def test_a_rate_without_a_line_is_an_error_and_no_report(self, lined, tmp_path):
        with pytest.raises(ConfigError, match=r"rate of 0\.2: choose from 0\.01, 0\.05, 0\.1"):
            lined.detect(tmp_path / "any.mp4", false_positive_rate=0.2)


class TestOddFiles:
    """Each gets a report: a verdict where there is something to judge, and why where not."""

    def error(self, detector: Detector, path: Path) -> str:
        report = detector.detect(path)
        assert report.status == "error"
        assert report.media.path == str(path)
        assert (report.score, report.segments) == (None, ())
        return report.problem.message

    def test_one_that_is_not_there(self, detector, tmp_path):
        path = tmp_path / "gone.mp4"
        assert self.error(detector, path) == (
            f"there is no file at {path}; check the path and its spelling"
        )

    def test_a_folder(self, detector, tmp_path):
        assert "is a folder; give the files in it, such as" in self.error(detector, tmp_path)

    def test_text_that_calls_itself_video(self, detector, tmp_path):
        path = tmp_path / "text.mp4"
        path.write_text("<html>not found</html>")
        assert "it holds text, not video; if it was downloaded" in self.error(detector, path)

    def test_no_bytes_at_all(self, detector, tmp_path):
        path = tmp_path / "empty.mp4"
        path.touch()
        assert "is empty (0 bytes); copy or download it again" in self.error(detector, path)
        assert detector.detect(path).media.size_bytes == 0

    def test_one_cut_off_before_its_index(self, detector, talking_clip, tmp_path):
        late = with_late_index(talking_clip, tmp_path / "late.mp4")
        path = truncated(late, tmp_path / "cut.mp4", share=0.7)
        assert "its index (the moov box) is missing" in self.error(detector, path)

    def test_one_cut_off_behind_its_index_is_judged_as_far_as_it_goes(
        self, detector, talking_clip, tmp_path
    ):
        path = truncated(talking_clip, tmp_path / "cut.mp4", share=0.6)
        report = detector.detect(path)
        assert report.status == "ok"
        assert 0.5 < report.duration_s < 2.5
        assert any("it was cut off, so copy it again in full" in w for w in report.warnings)

    def test_a_frame_without_audio(self, detector, silent_clip):
        report = detector.detect(silent_clip)
        assert report.status == "ok"
        assert report.modalities["audio"].score is None
        assert reasons(report, "audio") == {"no audio stream"}
        assert report.modalities["lips"].score is not None

    def test_audio_without_a_frame(self, detector, tmp_path):
        report = detector.detect(spoken(tmp_path / "voice.wav"))
        assert report.status == "ok"
        assert reasons(report, "face") == reasons(report, "lips") == {"no video stream"}
        assert report.score == report.modalities["audio"].score

    def test_a_frame_without_any_face(self, detector, tmp_path):
        report = detector.detect(samples.clip(tmp_path / "faceless.mp4"))
        assert report.status == "ok"
        assert report.modalities["face"].score is report.modalities["lips"].score is None
        assert reasons(report, "face") == {"no face"}
        assert all(s.modality in {"audio", None} for s in report.segments)

    def test_no_face_and_silence_is_no_verdict(self, detector, tmp_path):
        path = tmp_path / "nothing.mp4"
        write_clip(path, numbered_frames(50), fps_hz=25, audio=np.zeros(32_000, np.float32))
        report = detector.detect(path)
        assert (report.status, report.score, report.fake) == ("abstained", None, None)
        assert "no face, silence; give a clip in which a face is seen" in report.problem.message
        assert reasons(report, "audio") == {"silence"}
        assert report.duration_s == pytest.approx(2.0, abs=0.1)  # the codec's last packet

    def test_one_frame_with_a_face(self, detector, talking_clip, tmp_path):
        path = cut(talking_clip, tmp_path / "one.mp4", num_frames=1, with_audio=False)
        report = detector.detect(path)
        assert report.status == "ok"
        assert len(report.curves.score) == 1

    def test_one_frame_of_nobody(self, detector, tmp_path):
        path = tmp_path / "one.mp4"
        write_clip(path, numbered_frames(1), fps_hz=25)
        assert detector.detect(path).status == "abstained"

    def test_a_tenth_of_a_second(self, detector, talking_clip, tmp_path):
        path = cut(talking_clip, tmp_path / "short.mp4", num_frames=3)
        report = at(detector, 0.0).detect(path)
        assert report.status == "ok"
        assert report.duration_s < 0.3
        assert report.segments[-1].end_s <= report.duration_s

    @pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 alone")
    def test_a_name_that_is_no_unicode(self, detector, talking_clip, tmp_path):
        path = tmp_path / os.fsdecode(b"\xff\xfe.mp4")
        shutil.copy(talking_clip, path)
        report = detector.detect(path)
        assert report.score == detector.detect(talking_clip).score
        assert "\\udcff" in Report.model_validate_json(report.model_dump_json()).media.path


class Touchy(LogMel):
    """A front-end of somebody else's that cannot bear one clip."""

    fault: BaseException

    def start(self, media, grid):
        if "hostile" in media.path:
            raise self.fault
        super().start(media, grid)


@pytest.fixture
def touchy(checkpoint):
    """Return a detector with a front-end that raises the given fault on hostile clips."""

    def make(fault: BaseException) -> Detector:
        front_end = type("Front", (Touchy,), {"fault": fault})
        detector = Detector.from_pretrained(checkpoint)
        bound = detector.front_ends["audio"]
        entry = replace(bound.entry, build=front_end)
        detector.front_ends["audio"] = replace(bound, entry=entry)
        return detector

    return make


def faults() -> list[Exception]:
    import av
    import cv2

    return [
        RuntimeError("boom"),
        cv2.error("assertion failed"),
        av.error.InvalidDataError(1, "invalid"),
        MemoryError(),
    ]


class TestUnexpectedFaults:
    @pytest.mark.parametrize("fault", faults(), ids=lambda fault: type(fault).__name__)
    def test_one_is_the_clips_own_and_the_rest_go_on(self, touchy, tmp_path, caplog, fault):
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4, click_at_s=0.2)
        good = numbered_clip(tmp_path / "good.mp4", duration_s=0.4, click_at_s=0.2)
        with caplog.at_level(logging.ERROR, logger="mmmsba_plugin"):
            bad, fine = touchy(fault).detect_many([hostile, good])
        assert (bad.status, bad.problem.kind) == ("error", type(fault).__name__)
        assert f"judging {hostile} failed unexpectedly" in bad.problem.message
        # What was known when it failed is told all the same.
        assert bad.media.sha256 == hashlib.sha256(hostile.read_bytes()).hexdigest()
        assert fine.status == "ok"
        (logged,) = caplog.records
        assert str(hostile) in logged.getMessage()
        assert logged.exc_info[1] is fault, "the log has the traceback"

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
    def test_who_wants_to_stop_is_let_go(self, touchy, tmp_path, stop):
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4)
        with pytest.raises(stop):
            list(touchy(stop()).detect_many([hostile]))


class TestDetector:
    def test_clips_are_judged_one_by_one_as_they_are_asked_for(self, detector, talking_clip):
        taken = []

        def clips():
            for number in range(3):
                taken.append(number)
                yield talking_clip

        found = detector.detect_many(clips())
        assert taken == []
        assert next(found).status == "ok"
        assert taken == [0]

    def test_a_prediction_is_the_score(self, detector, talking_clip):
        assert detector.predict(talking_clip) == detector.detect(talking_clip).score

    def test_a_prediction_for_no_media_says_why_there_is_none(self, detector, tmp_path):
        with pytest.raises(MediaUnreadableError, match=r"gone\.mp4; check the path"):
            detector.predict(tmp_path / "gone.mp4")

    def test_a_prediction_for_nothing_to_judge_says_why_there_is_none(self, detector, tmp_path):
        path = tmp_path / "one.mp4"
        write_clip(path, numbered_frames(1), fps_hz=25)
        with pytest.raises(MediaUnreadableError, match=r"nothing to judge in .*: no face"):
            detector.predict(path)

    @pytest.mark.usefixtures("unbundled")
    def test_without_a_checkpoint_it_says_how_to_come_by_one(self):
        with pytest.raises(CheckpointNotFoundError, match="train one with `mmmsba train"):
            Detector.from_pretrained()

    def test_its_info_tells_an_ablation_from_the_whole(self, detector):
        info = detector.info
        assert info["summary"] == "Attention mmms-ba over face, audio, lips."
        assert info["modalities"] == ["face", "audio", "lips"]
        assert info["checkpoint_sha256"] == detector.config.weights_sha256

    def test_a_front_end_that_is_not_installed_is_missed_at_once(self, detector):
        choice = detector.config.features.front_ends["audio"]
        gone = {"audio": choice.model_copy(update={"name": "of-a-stranger"})}
        features = detector.config.features.model_copy(update={"front_ends": gone})
        with pytest.raises(PluginNotFoundError, match="no front-end is called 'of-a-stranger'"):
            changed(detector, features=features)

    def test_a_front_end_whose_numbers_changed_since_is_refused(self, detector):
        installed = bind_front_ends(detector.config.features)["audio"].entry.version
        versions = {**detector.config.front_end_versions, "audio": installed + 1}
        with pytest.raises(
            CheckpointError, match=f"learned from version {installed + 1} of the .*'log-mel'"
        ):
            changed(detector, front_end_versions=versions)
