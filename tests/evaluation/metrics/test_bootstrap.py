"""Intervals: they cover what they say they cover, and draw identities, not clips."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.evaluation.metrics import bootstrap
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw
from mmmsba_plugin.evaluation.metrics.detection import Ranking


def bootstrap_one(metric, **settings):
    return bootstrap.bootstrap({"it": metric}, **settings)["it"]


def mean_of(values):
    return lambda draw: float(np.mean(values[draw.clips]))


def width(interval):
    return interval.high - interval.low


def draws_of(**settings) -> list[tuple[int, ...]]:
    draws = []
    bootstrap_one(lambda draw: float(draws.append(tuple(draw.clips.tolist())) or 0), **settings)
    return draws


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        interval = bootstrap_one(
            mean_of(rng.normal(3.0, 1.0, 40)), clusters=[None] * 40, num_resamples=300, seed=trial
        )
        hits += interval.low <= 3.0 <= interval.high
    # 200 draws of 0.95 scatter by 0.015; the percentile interval of 40 clips covers a bit less
    # than it says, about 0.93.
    assert 0.88 <= hits / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    metric = mean_of(np.random.default_rng(2).random(30))
    first = bootstrap_one(metric, clusters=[None] * 30, seed=7)
    assert bootstrap_one(metric, clusters=[None] * 30, seed=7) == first
    assert bootstrap_one(metric, clusters=[None] * 30, seed=8) != first
    assert first.low < first.value < first.high


def test_clips_of_one_identity_tell_less_than_clips_of_many():
    rng = np.random.default_rng(3)
    identity = np.repeat(np.arange(10), 12)
    values = rng.normal(size=10)[identity] + rng.normal(scale=0.1, size=120)
    by_clip = bootstrap_one(mean_of(values), clusters=[None] * 120)
    by_identity = bootstrap_one(mean_of(values), clusters=identity.tolist())
    assert by_identity.value == by_clip.value
    # Twelve clips that say nearly the same make the interval up to sqrt(12) = 3.5 times wider.
    assert width(by_identity) > 2 * width(by_clip)


def test_clips_of_one_identity_are_drawn_together():
    for draw in draws_of(clusters=["a", "b", "a"]):
        assert draw.count(0) == draw.count(2)


@given(st.lists(st.sampled_from([None, "ann", "bob", 3]), min_size=1, max_size=12))
def test_each_draw_holds_as_many_clusters_as_there_are(clusters):
    sizes = {name: clusters.count(name) for name in clusters}
    num_clusters = len(set(clusters) - {None}) + clusters.count(None)
    for draw in draws_of(clusters=clusters, num_resamples=5):
        shares = [1 / (1 if clusters[clip] is None else sizes[clusters[clip]]) for clip in draw]
        assert sum(shares) == pytest.approx(num_clusters)


def test_clips_of_nobody_known_are_drawn_one_by_one():
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == set(draws_of(clusters=[None, None]))


def test_all_metrics_see_the_same_draws_so_differences_are_paired():
    values = np.random.default_rng(4).random(20)
    intervals = bootstrap.bootstrap(
        {"a": mean_of(values), "b": mean_of(values + 1), "gain": lambda draw: 1.0},
        clusters=[None] * 20,
        num_resamples=50,
    )
    assert intervals["b"].low - intervals["a"].low == pytest.approx(intervals["gain"].low)


def test_draws_without_a_number_are_left_out():
    scores, labels = np.array([0.9, 0.1]), np.array([True, False])
    interval = bootstrap_one(
        lambda draw: Ranking.of(scores[draw.clips], labels[draw.clips]).auc,
        clusters=[None, None],
        num_resamples=50,
    )
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_one_identity_alone_gives_no_interval():
    interval = bootstrap_one(mean_of(np.arange(4.0)), clusters=["ann"] * 4)
    assert interval.value == 1.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_no_draws_give_the_number_alone():
    interval = bootstrap_one(mean_of(np.arange(4.0)), clusters=[None] * 4, num_resamples=0)
    assert interval.value == 1.5
    assert math.isnan(interval.low)


def test_a_metric_that_is_never_defined_gives_no_interval():
    interval = bootstrap_one(lambda _: math.nan, clusters=[None, None], num_resamples=10)
    assert math.isnan(interval.low)


def test_a_draw_counts_its_clips_and_the_whole_needs_no_counting():
    assert Draw(np.array([0, 2, 2])).counts(4).tolist() == [1, 0, 2, 0]
    assert Draw(np.arange(3), whole=True).counts(3) is None


def test_some_of_the_clips_of_a_draw_can_be_kept():
    mask = np.array([True, False, True])
    assert Draw(np.array([0, 1, 2, 2])).within(mask).clips.tolist() == [0, 2, 2]
    whole = Draw(np.arange(3), whole=True)
    assert whole.within(np.ones(3, dtype=bool)).whole
    assert not whole.within(mask).whole


@pytest.mark.parametrize("setting", [{"num_resamples": -1}, {"level": 1.0}, {"level": 0.0}])
def test_settings_of_the_bootstrap_out_of_bounds_are_refused(setting):
    with pytest.raises(ConfigError, match=r"num_resamples of 0 or more"):
        bootstrap_one(lambda _: 0.0, clusters=[None, None], **setting)


def test_no_clips_to_draw_from_are_refused():
    with pytest.raises(DatasetError, match="no clips to draw from"):
        bootstrap_one(lambda _: 0.0, clusters=[])


class TestWilson:
    @given(st.integers(0, 60), st.integers(1, 60))
    def test_the_ends_are_the_shares_that_the_count_is_just_bearable_for(self, hits, num):
        hits = min(hits, num)
        interval = bootstrap.wilson(hits, num)
        assert 0 <= interval.low <= interval.value == hits / num <= interval.high <= 1
        for end in {interval.low, interval.high} - {0.0, 1.0}:
            # Wilson's definition: the count lies 1.96 standard deviations of its own mean off.
            off = abs(hits - num * end) / np.sqrt(num * end * (1 - end))
            assert off == pytest.approx(1.959964, rel=1e-5)

    def test_a_count_of_nothing_has_no_share(self):
        interval = bootstrap.wilson(0, 0)
        assert np.isnan([interval.value, interval.low, interval.high]).all()

    @pytest.mark.parametrize(("hits", "num"), [(3, 2), (-1, 4)])
    def test_more_than_all_cannot_be_counted(self, hits, num):
        with pytest.raises(ConfigError, match=f"got {hits} of {num} clips"):
            bootstrap.wilson(hits, num)
