"""Verdicts: how threshold, false-positive rate and calibration decide what is fake and where."""

import numpy as np
import pytest

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.schema import Report, ScoreThreshold

CURVES = [
    Calibration(method="temperature", temperature=0.2, shift=1.0),
    Calibration(method="isotonic", scores=(0.2, 0.6), probabilities=(0.2, 0.9)),
]
TEMPERATURE = Calibration(method="temperature", temperature=0.5, shift=0.2)


def numbers_of(threshold):
    """Return value and rate of a threshold, raw or calibrated."""
    return threshold.value, threshold.false_positive_rate


def places(report: Report) -> list[tuple]:
    return [(segment.start_s, segment.end_s, segment.modality) for segment in report.segments]


def ranks(scores: list[float]) -> list[int]:
    return np.argsort(scores, kind="stable").tolist()


class TestThreshold:
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 1.0])
    def test_a_clip_is_fake_exactly_if_it_reaches_the_threshold_and_a_place_is_named(
        self, at_score, reports, share
    ):
        scores = sorted(report.score for report in reports)
        level = float(np.quantile(scores, share))
        verdicts = set()
        for report in at_score(level).detect_many([r.media.path for r in reports]):
            assert report.threshold.value == level
            assert report.fake == (report.score >= level) == bool(report.segments)
            verdicts.add(report.fake)
        # Else the claim was only ever tried on one side of the threshold.
        assert verdicts == ({True} if share == 0.0 else {True, False})

    @pytest.mark.parametrize("curve", [Calibration(), TEMPERATURE], ids=["none", "temperature"])
    @pytest.mark.parametrize("share", [0.0, 0.4, 0.8])
    def test_another_threshold_decides_verdict_and_segments_alike(
        self, with_config, reports, share, curve
    ):
        calibrated = with_config(calibration=curve)
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

    def test_the_threshold_is_the_checkpoints(self, detector, reports):
        assert {numbers_of(report.threshold) for report in reports} == {
            numbers_of(detector.config.score_threshold)
        }

    def test_segments_lie_in_the_clip_and_never_touch(self, at_score, reports):
        lowest = min(report.score for report in reports)
        for report in at_score(lowest).detect_many([r.media.path for r in reports]):
            edges = [edge for s in report.segments for edge in (s.start_s, s.end_s)]
            assert edges == sorted(set(edges))
            assert edges[0] >= 0.0
            assert edges[-1] <= report.duration_s


class TestCalibration:
    @pytest.fixture(params=CURVES, ids=lambda curve: curve.method)
    def curve(self, request):
        return request.param

    def test_scores_are_probabilities_and_verdicts_and_places_are_as_before(
        self, at_score, reports, curve
    ):
        middle = float(np.median([report.score for report in reports]))
        paths = [report.media.path for report in reports]
        before = list(at_score(middle).detect_many(paths))
        after = list(at_score(middle, calibration=curve).detect_many(paths))
        for raw, calibrated in zip(before, after, strict=True):
            assert calibrated.provenance.calibration == curve.method
            assert calibrated.score == apply(curve, raw.score)
            assert calibrated.threshold.value == apply(curve, raw.threshold.value)
            assert calibrated.score == max(s for s in calibrated.curves.score if s is not None)
            assert places(calibrated) == places(raw)
            assert calibrated.fake == raw.fake == bool(calibrated.segments)
        assert {report.fake for report in after} == {True, False}

    def test_clips_and_proposals_keep_their_ranks(self, with_config, reports, curve):
        paths = [report.media.path for report in reports]
        after = list(with_config(calibration=curve).detect_many(paths))
        assert ranks([r.score for r in after]) == ranks([r.score for r in reports])
        for raw, calibrated in zip(reports, after, strict=True):
            spans, same_spans = (
                [(p.start_s, p.end_s) for p in r.proposals] for r in (raw, calibrated)
            )
            assert spans == same_spans
            probs = [p.score for p in calibrated.proposals]
            assert probs == sorted(probs, reverse=True)
            assert probs == pytest.approx(apply(curve, [p.score for p in raw.proposals]))

    def test_without_a_curve_scores_are_the_networks_own(self, detector, reports):
        assert detector.config.calibration.method == "none"
        assert {report.provenance.calibration for report in reports} == {"none"}


class TestFalsePositiveRates:
    @pytest.fixture
    def with_rates(self, with_config, reports):
        """The detector with thresholds at its lowest score, at a middle one, and at its highest."""
        scores = sorted(report.score for report in reports)
        thresholds = [
            ScoreThreshold(value=float(np.quantile(scores, share)), false_positive_rate=rate)
            for share, rate in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.01))
        ]
        return with_config(score_thresholds=tuple(thresholds))

    @pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
    def test_a_clip_is_fake_exactly_if_a_place_is_at_every_rate(self, with_rates, reports, rate):
        paths = [report.media.path for report in reports]
        chosen = {
            threshold.false_positive_rate: threshold
            for threshold in with_rates.config.score_thresholds
        }[rate]
        for report in with_rates.detect_many(paths, false_positive_rate=rate):
            assert numbers_of(report.threshold) == numbers_of(chosen)
            assert report.fake == (report.score >= chosen.value) == bool(report.segments)

    def test_the_report_names_the_rate_of_its_threshold(self, with_rates, reports):
        report = with_rates.detect(reports[0].media.path, false_positive_rate=0.05)
        assert report.provenance.config["score_threshold"]["false_positive_rate"] == 0.05
        onset = report.provenance.config["localization"]["onset"]
        assert onset == report.threshold.value
        threshold = with_rates.detect(reports[0].media.path).threshold
        assert numbers_of(threshold) == numbers_of(with_rates.config.score_threshold)

    def test_the_rates_to_choose_from_are_listed(self, with_rates):
        assert set(with_rates.info["false_positive_rates"]) >= {0.01, 0.05, 0.1}
        strict = with_rates.at_false_positive_rate(0.01)
        assert strict.info["config"]["score_threshold"]["false_positive_rate"] == 0.01

    def test_a_rate_without_a_threshold_is_an_error_and_no_report(self, with_rates, tmp_path):
        with pytest.raises(ConfigError, match=r"rate of 0\.2: choose from 0\.01, 0\.05, 0\.1"):
            with_rates.detect(tmp_path / "any.mp4", false_positive_rate=0.2)
