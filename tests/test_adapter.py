"""Scores of frames or windows of any detector become segments, thresholds and reports."""

import math
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.adapter import NO_SCORE, AdaptedDetector, AdapterConfig, TimedScores
from mmmsba_plugin.config import LocalizationConfig
from mmmsba_plugin.errors import (
    ConfigError,
    FeatureError,
    MediaUnreadableError,
    RunCancelledError,
    ScoreRangeError,
    TrainingError,
)
from mmmsba_plugin.hookspecs import DetectorEntry
from mmmsba_plugin.record import Record
from mmmsba_plugin.run_control import check, run_control
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DetectorContract
from mmmsba_plugin.timebase import Grid

from .clips import clip, rotated_clip

GRID = Grid(stride_s=0.2)
FPS_HZ, DURATION_S = 25, 2.0
FAKE = Segment(0.8, 1.2)


def frame_scores(path: Path) -> dict[str, TimedScores]:
    """Score each frame of a clip: high where its name says that it is fake."""
    times_s = np.arange(round(DURATION_S * FPS_HZ)) / FPS_HZ
    is_fake = (times_s >= FAKE.start_s) & (times_s < FAKE.end_s) & ("fake" in path.stem)
    # Clips differ a little, so that there is something to choose a threshold between.
    level = 0.1 + 0.001 * sum(path.stem.encode()) % 0.1
    return {"face": TimedScores.of_frames(np.where(is_fake, 0.6, level), fps_hz=FPS_HZ)}


def make(score=frame_scores, **settings) -> AdaptedDetector:
    return AdaptedDetector("frames", score, ("face",), summary="Frame by frame.", **settings)


class TestContract(DetectorContract):
    entry = DetectorEntry(
        name="frames", summary="Frame by frame.", modalities=("face",), load=lambda _: make()
    )


class TestScores:
    def test_frames_are_averaged_over_a_snippet(self):
        timed = TimedScores.of_frames([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], fps_hz=10)
        assert timed.on_grid(GRID, 3).tolist() == pytest.approx([0.1, 0.5, 0.9])

    def test_windows_that_overlap_count_by_the_time_that_they_share(self):
        timed = TimedScores.of_windows([0.0, 1.0], length_s=0.4, hop_s=0.3)
        assert timed.on_grid(GRID, 2).tolist() == pytest.approx([0.0, 1 / 3])

    def test_a_snippet_without_a_score_has_none(self):
        timed = TimedScores.of_frames([0.5], fps_hz=5, start_s=0.2)
        assert np.isnan(timed.on_grid(GRID, 3)).tolist() == [True, False, True]

    def test_one_score_of_a_whole_clip_is_that_of_every_snippet(self):
        timed = TimedScores(np.array([[0.0, 1.0]]), np.array([0.7]))
        assert timed.on_grid(GRID, 5).tolist() == pytest.approx([0.7] * 5)

    def test_logits_are_refused(self):
        with pytest.raises(ScoreRangeError, match="sigmoid"):
            TimedScores.of_frames([-3.0, 2.0], fps_hz=25)

    def test_a_score_without_a_span_is_refused(self):
        with pytest.raises(FeatureError, match="each score needs a span"):
            TimedScores(np.array([[0.0, 1.0]]), np.array([0.1, 0.2]))


class TestReport:
    @pytest.fixture
    def fake_clip(self, tmp_path):
        return clip(tmp_path / "fake.mp4", duration_s=DURATION_S)

    def test_a_run_of_suspicious_frames_is_a_segment(self, fake_clip):
        report = make().detect(fake_clip)
        (segment,) = report.segments
        assert (segment.start_s, segment.end_s) == pytest.approx((0.8, 1.2))
        assert segment.modality == "visual"
        assert report.fake
        assert report.score == pytest.approx(0.6)
        assert report.proposals
        assert Report.model_validate_json(report.model_dump_json()).segments == report.segments

    def test_of_several_modalities_the_most_suspicious_counts(self, fake_clip):
        def score(path):
            audio = TimedScores.of_windows([0.9, 0.1], length_s=0.4, hop_s=0.4)
            return {**frame_scores(path), "audio": audio}

        report = make(score).detect(fake_clip)
        assert [segment.modality for segment in report.segments] == ["audio", "visual"]
        assert report.modalities["audio"].score == pytest.approx(0.9)
        (opt_out,) = report.modalities["audio"].opt_outs
        assert (opt_out.start_s, opt_out.reason) == (pytest.approx(0.8), NO_SCORE)

    def test_a_clip_without_any_score_is_abstained_from(self, fake_clip):
        nothing = TimedScores(np.zeros((0, 2)), np.zeros(0))
        detector = make(lambda _: {"face": nothing})
        assert detector.detect(fake_clip).status == "abstained"
        with pytest.raises(MediaUnreadableError, match=NO_SCORE):
            detector.predict(fake_clip)

    def test_a_modality_that_the_clip_lacks_is_why_nothing_was_judged(self, tmp_path):
        mute = rotated_clip(tmp_path / "mute.mp4", quarter_turns=0)
        listens = AdaptedDetector("listens", lambda _: {}, ("audio",))
        with pytest.raises(MediaUnreadableError, match=r"mute.mp4: no audio stream; give a clip"):
            listens.predict(mute)

    def test_a_detector_that_raises_costs_its_own_report_alone(self, fake_clip):
        def score(path):
            raise RuntimeError("no memory")

        report = make(score).detect(fake_clip)
        assert report.status == "error"
        assert "no memory" in report.problem.message


class TestCalibration:
    @pytest.fixture(scope="class")
    @classmethod
    def records(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("clips")
        first = clip(folder / "first.mp4", duration_s=DURATION_S).read_bytes()
        records = []
        for kind in ("real", "fake"):
            for number in range(12):
                path = folder / f"{kind}-{number}.mp4"
                path.write_bytes(first)
                records.append(Record(path, truth=(FAKE,) if kind == "fake" else ()))
        return records

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls, records):
        low = AdapterConfig(localization=LocalizationConfig(onset=0.99, offset=0.99))
        return make(config=low).calibrated(records)

    def test_thresholds_are_chosen_between_real_and_fake(self, detector, records):
        reports = list(detector.detect_many(record.media for record in records))
        flagged = [report.fake for report in reports]
        assert sum(flagged[:12]) <= 1
        assert all(flagged[12:])
        assert all(len(report.segments) == 1 for report in reports[12:])
        assert detector.info["false_positive_rates"] == [0.1]

    def test_its_settings_can_be_stored(self, detector, records):
        stored = AdapterConfig.model_validate_json(detector.config.model_dump_json())
        again = make(config=stored)
        fake = records[-1].media
        assert again.detect(fake).score == detector.detect(fake).score

    def test_another_threshold_moves_verdict_and_segments(self, detector, records):
        report = detector.with_threshold(0.999).detect(records[-1].media)
        assert not report.fake
        assert not report.segments
        assert detector.at_false_positive_rate(0.1).detect(records[-1].media).fake

    def test_a_rate_that_there_is_no_threshold_for_is_refused(self, detector):
        with pytest.raises(ConfigError, match=r"0\.01: choose from 0\.1"):
            detector.at_false_positive_rate(0.01)
        with pytest.raises(ConfigError, match="calibrate it"):
            make().at_false_positive_rate(0.1)

    def test_clips_of_one_class_are_too_little(self, records):
        with pytest.raises(TrainingError, match="real and fake clips"):
            make().calibrated(records[:3])

    def test_clips_that_cannot_be_read_are_left_out(self, records, tmp_path):
        lost = Record(tmp_path / "lost.mp4", truth=())
        config = make().calibrated([lost, *records]).config
        assert config == make().calibrated(records).config
        assert math.isfinite(config.score_threshold.value)


def test_a_run_that_is_cancelled_has_no_report(tmp_path):
    def score(path):
        check()
        raise AssertionError("it went on")

    detector = AdaptedDetector("cancelled", score, ("face",))
    media = clip(tmp_path / "clip.mp4", duration_s=0.4)
    with run_control(cancel=lambda: True), pytest.raises(RunCancelledError):
        detector.detect(media)
