"""Thresholds and calibration, chosen on validation clips."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import (
    Calibration,
    LocalizationConfig,
)
from mmmsba_plugin.model.inference import Prediction
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training import thresholds
from mmmsba_plugin.training.data import (
    Clip,
)
from mmmsba_plugin.training.thresholds import (
    OperatingPoint,
    best_f1,
    choose_operating_point,
    clip_threshold,
    stated_thresholds,
    threshold_at,
)


class TestOperatingPoint:
    @given(
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=30).filter(
            lambda rows: any(label for _, label in rows)
        )
    )
    def test_no_other_threshold_gives_a_better_f1(self, rows):
        scores, labels = (np.array(column) for column in zip(*rows, strict=True))
        threshold, best = best_f1(scores, labels)

        def f1(at: float) -> float:
            is_flagged = scores >= at
            return 2 * (is_flagged & (labels == 1)).sum() / (is_flagged.sum() + labels.sum())

        assert best == pytest.approx(f1(threshold))
        assert best == pytest.approx(max(f1(at) for at in scores))

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.sampled_from([0.01, 0.1, 0.5]))
    def test_at_most_the_stated_share_of_real_clips_reaches_the_threshold(self, scores, rate):
        real = np.array(scores)
        reached = np.mean(real >= threshold_at(real, rate))
        assert reached <= rate or real.max() == 1.0

    @given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50))
    def test_no_lower_score_that_a_network_can_give_would_do(self, scores):
        real = np.array(scores)
        threshold = threshold_at(real, 0.1)
        assert threshold == np.float32(threshold)
        below = np.nextafter(np.float32(threshold), np.float32(-1))
        assert np.mean(real >= below) > 0.1


class TestClipThreshold:
    def test_with_ten_real_clips_a_tenth_of_them_may_be_called_fake(self):
        scores = np.array([*np.linspace(0.1, 0.55, 10), 0.9])
        threshold = clip_threshold(scores, np.arange(11) == 10)
        assert threshold.false_positive_rate == 0.1
        assert (scores[:10] >= threshold.value).sum() == 1

    def test_with_fewer_real_clips_the_threshold_has_the_highest_accuracy(self):
        scores = np.array([0.1, 0.2, 0.6, 0.4, 0.5, 0.7])
        fake = np.array([False, False, False, True, True, True])
        threshold = clip_threshold(scores, fake)
        assert threshold.value == 0.4
        assert threshold.false_positive_rate is None


class TestStatedThresholds:
    @pytest.mark.parametrize(
        ("num_real", "rates"),
        [
            (9, []),
            (10, [0.1]),
            (19, [0.1]),
            (20, [0.05, 0.1]),
            (99, [0.05, 0.1]),
            (100, [0.01, 0.05, 0.1]),
        ],
    )
    def test_there_is_a_threshold_where_the_rate_is_a_clip_or_more(self, num_real, rates):
        thresholds = stated_thresholds(np.linspace(0, 0.9, num_real))
        assert [threshold.false_positive_rate for threshold in thresholds] == rates

    @given(st.lists(st.floats(0, 1), min_size=10, max_size=120))
    def test_each_keeps_to_its_rate_and_lower_rates_have_higher_thresholds(self, scores):
        real = np.array(scores)
        thresholds = stated_thresholds(real)
        for threshold in thresholds:
            assert np.mean(real >= threshold.value) <= threshold.false_positive_rate
        values = [threshold.value for threshold in thresholds]
        assert values == sorted(values, reverse=True)

    def test_a_rate_that_no_threshold_keeps_to_has_none(self):
        scores = np.append(np.linspace(0, 0.9, 92), [1.0] * 8)
        assert [threshold.false_positive_rate for threshold in stated_thresholds(scores)] == [0.1]

    def test_the_default_threshold_is_one_of_them(self):
        scores, fake = np.linspace(0, 1, 60), np.arange(60) >= 30
        assert clip_threshold(scores, fake) in stated_thresholds(scores[~fake])

    @pytest.mark.parametrize(("num_real", "rate"), [(20, 0.05), (19, 0.1), (10, 0.1), (9, None)])
    def test_a_stricter_threshold_is_drawn_where_enough_real_clips_tell_it(self, num_real, rate):
        scores = np.append(np.linspace(0.1, 0.5, num_real), 0.9)
        fake = scores > 0.8
        assert clip_threshold(scores, fake, 0.05).false_positive_rate == rate


class TestChosenPoint:
    """The choice on clips of which one snippet is high, with a stand-in for the network."""

    def choose(self, monkeypatch, scores, fake, **settings) -> OperatingPoint:
        grid = Grid(stride_s=0.5)

        def along(clip: int) -> Prediction:
            row = np.array([np.nan, 0.01, scores[clip], 0.01])
            return Prediction(row, {}, {}, {"audio": row})

        monkeypatch.setattr(
            thresholds, "predict", lambda _, features, __: along(int(features.end_s))
        )
        truth = (Segment(1.0, 1.5),)
        clips = [
            Clip(Record(Path(f"{i}"), truth=truth if is_fake else ()), Media(path=f"{i}"))
            for i, is_fake in enumerate(fake)
        ]
        rows = SimpleNamespace(features=lambda media: SimpleNamespace(
            grid=grid, num_snippets=4, end_s=float(media.path)
        ))  # fmt: skip
        network = SimpleNamespace(dims={"audio": 1})
        return choose_operating_point([(network, clips)], rows, LocalizationConfig(), **settings)

    @pytest.fixture
    def pairs(self):
        rng = np.random.default_rng(0)
        fake = np.arange(120) >= 40
        logits = np.where(fake, rng.normal(-0.5, 0.6, 120), rng.normal(-2.0, 0.5, 120))
        return (1 / (1 + np.exp(-logits))).astype(np.float32).astype(np.float64), fake

    def test_thresholds_are_on_the_networks_own_scale(self, monkeypatch, pairs):
        raw = self.choose(monkeypatch, *pairs)
        calibrated = self.choose(monkeypatch, *pairs, calibration="temperature")
        assert calibrated.calibration.method == "temperature"
        assert (raw.score_threshold, raw.score_thresholds) == (
            calibrated.score_threshold,
            calibrated.score_thresholds,
        )
        assert calibrated.localization == raw.localization
        assert calibrated.localization.onset == calibrated.score_threshold.value

    def test_a_stated_threshold_is_that_of_clips_and_of_segments(self, monkeypatch, pairs):
        point = self.choose(monkeypatch, *pairs, score_threshold=0.5)
        assert (point.score_threshold.value, point.score_threshold.false_positive_rate) == (
            0.5,
            None,
        )
        assert point.localization.onset == 0.5
        assert point.score_thresholds

    def test_the_rates_at_each_threshold_are_metrics(self, monkeypatch, pairs):
        scores, fake = pairs
        point = self.choose(monkeypatch, scores, fake)
        assert [threshold.false_positive_rate for threshold in point.score_thresholds] == [
            0.05,
            0.1,
        ]
        for threshold in point.score_thresholds:
            rate = f"{threshold.false_positive_rate:g}"
            for kind, of in (("true", scores[fake]), ("false", scores[~fake])):
                rate_of_kind = point.metrics[f"clip_{kind}_positive_rate@{rate}"]
                assert rate_of_kind == np.mean(of >= threshold.value)
        assert point.metrics["clip_false_positive_rate@0.05"] == 2 / 40

    def test_the_scores_of_real_clips_are_kept_at_each_percent(self, monkeypatch, pairs):
        scores, fake = pairs
        quantiles = self.choose(monkeypatch, scores, fake).real_scores
        assert quantiles == pytest.approx([np.quantile(scores[~fake], q / 100) for q in range(101)])
        assert self.choose(monkeypatch, scores[31:], fake[31:]).real_scores == ()

    @pytest.mark.parametrize("method", ["temperature", "isotonic"])
    def test_calibration_is_measured_before_and_after(self, monkeypatch, pairs, method):
        metrics = self.choose(monkeypatch, *pairs, calibration=method).metrics
        assert metrics["clip_ece_calibrated"] < metrics["clip_ece_uncalibrated"] / 2

    def test_without_a_curve_there_is_no_figure_of_it(self, monkeypatch, pairs):
        point = self.choose(monkeypatch, *pairs)
        assert point.calibration == Calibration()
        assert "clip_ece_calibrated" not in point.metrics
