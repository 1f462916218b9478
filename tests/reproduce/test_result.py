"""A measured cell: the mean and the range of its seeds."""

import math

import pytest

from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.reproduce.result import Cell


def interval(value):
    return Interval(value, math.nan, math.nan)


def test_seeds_have_a_mean_and_a_range():
    cell = Cell("auc", tuple(map(interval, (0.75, 0.5, 1.0))))
    assert cell.mean == pytest.approx(0.75)
    assert cell.sd == pytest.approx(0.25)
    assert cell.span == (0.5, 1.0)


def test_one_seed_is_its_own_mean_and_range():
    cell = Cell("auc", (interval(0.75),))
    assert (cell.mean, cell.span) == (0.75, (0.75, 0.75))
    assert math.isnan(cell.sd)


def test_what_was_not_measured_is_not_defined():
    cell = Cell("auc")
    assert math.isnan(cell.mean)
    assert all(map(math.isnan, cell.span))


def test_a_mean_with_a_seed_that_is_not_defined_is_not_defined():
    cell = Cell("auc", (interval(0.75), interval(math.nan)))
    assert math.isnan(cell.mean)
    assert math.isnan(cell.sd)
