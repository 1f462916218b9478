"""Time: indices, stamps and samples become seconds in one way, and come back."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import GridError
from mmmsba_plugin.timebase import (
    EDGE_TOLERANCE,
    Grid,
    clock,
    frames_to_s,
    hops_per_cell,
    pts_to_s,
    s_to_pts,
    s_to_samples,
    samples_to_s,
    vtt_clock,
)

#: From below one audio sample to ten seconds: wider than any setting allows.
strides_s = st.floats(min_value=1e-5, max_value=10.0)
#: A day of 1 ms cells.
indices = st.integers(min_value=-1_000_000, max_value=86_400_000)
grids = st.builds(
    Grid, start_s=st.floats(min_value=-100.0, max_value=100.0).map(lambda s: round(s, 3)),
    stride_s=st.floats(min_value=1e-3, max_value=10.0),
)  # fmt: skip
times_s = st.floats(min_value=-200.0, max_value=200.0)


@given(strides_s, indices)
def test_the_start_of_a_cell_lies_in_that_cell(stride_s, index):
    grid = Grid(stride_s=stride_s)
    assert grid.index_at(grid.cell(index)[0]) == index


@given(grids, st.integers(-100_000, 100_000))
def test_the_start_of_a_cell_lies_in_it_wherever_the_grid_begins(grid, index):
    assert grid.index_at(grid.cell(index)[0]) == index


@given(grids, indices)
def test_cells_tile_time(grid, index):
    assert grid.cell(index)[1] == grid.cell(index + 1)[0]


@given(grids, st.integers(-1000, 1000))
def test_a_cell_holds_its_middle_and_lasts_a_stride(grid, index):
    start_s, end_s = grid.cell(index)
    assert grid.index_at((start_s + end_s) / 2) == index
    assert end_s - start_s == pytest.approx(grid.stride_s, rel=1e-6)


@given(grids, st.lists(times_s, max_size=20))
def test_many_times_are_looked_up_as_one_is(grid, times):
    assert grid.indices_at(np.array(times)).tolist() == [grid.index_at(t) for t in times]


@given(grids, st.integers(0, 50))
def test_many_middles_are_those_of_the_cells(grid, num_snippets):
    middles_s = [sum(grid.cell(i)) / 2 for i in range(num_snippets)]
    np.testing.assert_allclose(grid.centers_s(num_snippets), middles_s, atol=1e-9)


@given(grids, times_s, st.floats(min_value=0.0, max_value=2.0))
def test_overlapping_finds_the_cells_a_slow_look_finds(grid, start_s, length_s):
    end_s = start_s + length_s
    near = range(grid.index_at(start_s) - 2, grid.index_at(end_s) + 3)
    shared_s = {i: min(end_s, grid.cell(i)[1]) - max(start_s, grid.cell(i)[0]) for i in near}
    # An overlap of up to two tolerances may be rounding, so either answer will do there.
    least_s = 2 * EDGE_TOLERANCE * grid.stride_s
    overlapping = grid.overlapping(start_s, end_s)
    assert {i for i in near if shared_s[i] > least_s} <= set(overlapping)
    assert all(shared_s[i] > -least_s for i in overlapping)


@given(grids, st.integers(-500, 500), st.integers(1, 100))
def test_a_run_of_whole_cells_overlaps_exactly_those(grid, first, num_cells):
    start_s, end_s = grid.cell(first)[0], grid.cell(first + num_cells - 1)[1]
    assert grid.overlapping(start_s, end_s) == range(first, first + num_cells)


@given(grids, times_s)
def test_a_segment_without_length_overlaps_nothing(grid, time_s):
    assert not grid.overlapping(time_s, time_s)
    assert not grid.overlapping(time_s, time_s - 1.0)


@given(grids, st.integers(0, 10_000))
def test_as_many_snippets_as_cells_fit(grid, num_snippets):
    end_s = grid.cell(num_snippets)[0]
    assert grid.num_snippets(end_s) == num_snippets
    assert grid.num_snippets(end_s + grid.stride_s / 2) == num_snippets + 1
    assert grid.num_snippets(grid.start_s - 1.0) == 0


@given(grids, st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), max_size=10))
def test_cells_become_seconds_and_come_back(grid, num_cells):
    back = grid.s_to_cells(grid.cells_to_s(np.array(num_cells)))
    # Two roundings of float64; numbers so small that they lose digits are no durations.
    np.testing.assert_allclose(back, num_cells, rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("stride_s", [0.0, -0.2, math.inf])
def test_a_grid_without_a_stride_is_refused(stride_s):
    with pytest.raises(GridError, match=f"stride_s must be a positive number of.*got {stride_s}"):
        Grid(stride_s=stride_s)


@pytest.mark.parametrize("start_s", [math.nan, math.inf])
def test_a_grid_that_starts_nowhere_is_refused(start_s):
    with pytest.raises(GridError, match="start_s must be a finite number of seconds"):
        Grid(start_s=start_s)


@given(
    st.integers(-(10**9), 10**9),
    st.sampled_from([Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 1000)]),
    st.integers(-3600, 3600),
)
def test_a_stamp_becomes_seconds_and_comes_back(pts, time_base, zero_s):
    assert s_to_pts(pts_to_s(pts, time_base, zero_s=zero_s), time_base, zero_s=zero_s) == pts


@given(st.integers(0, 10**10), st.sampled_from([8_000, 16_000, 44_100, 48_000, 192_000]))
def test_samples_become_seconds_and_come_back(num_audio_samples, sample_rate_hz):
    seconds = samples_to_s(num_audio_samples, sample_rate_hz)
    assert s_to_samples(seconds, sample_rate_hz) == num_audio_samples


def test_frames_last_as_long_as_their_rate_says():
    assert frames_to_s(30_000, Fraction(30_000, 1001)) == 1001.0


@given(st.integers(1, 500), st.sampled_from([0.0025, 0.005, 0.01, 0.0125, 0.02]))
def test_a_whole_number_of_hops_fills_a_cell(num_hops, hop_s):
    assert hops_per_cell(num_hops * hop_s, hop_s) == num_hops


def test_a_stride_that_hops_drift_against_is_refused_and_the_nearest_is_named():
    with pytest.raises(GridError, match=r"0\.045 s is not a whole number of hops of 0\.01 s"):
        hops_per_cell(0.045, 0.01)
    with pytest.raises(GridError, match=r"choose a multiple, such as 0\.01 s"):
        hops_per_cell(0.001, 0.01)


@given(st.floats(min_value=-10_000, max_value=10_000))
def test_a_clock_reads_back_to_the_hundredth(time_s):
    sign = -1 if clock(time_s).startswith("-") else 1
    minutes, seconds = clock(time_s).removeprefix("-").split(":")
    assert float(seconds) < 60
    # Half of the last digit shown, and a rounding.
    assert sign * (int(minutes) * 60 + float(seconds)) == pytest.approx(time_s, abs=0.00501)


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.0, "0:00.00"), (59.999, "1:00.00"), (3600.0, "60:00.00"), (-0.001, "0:00.00")],
)
def test_clock_carries_over(time_s, text):
    assert clock(time_s) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "00:00:00.000"),
        (-3.0, "00:00:00.000"),
        (59.9996, "00:01:00.000"),
        (359_999.999, "99:59:59.999"),
        (360_000.0, "100:00:00.000"),
    ],
)
def test_vtt_clock_carries_over_and_never_goes_below_zero(time_s, text):
    assert vtt_clock(time_s) == text


@given(st.floats(min_value=0, max_value=1e6))
def test_a_vtt_clock_reads_back_to_the_millisecond(time_s):
    hours, minutes, seconds = vtt_clock(time_s).split(":")
    read_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    assert read_s == pytest.approx(time_s, abs=0.000501)
