"""Rows of any rate on the cells of a grid, and their deviation from the clip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.features.align import HOLD_S, rows_on_grid, with_deviation
from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.timebase import Grid


def rows_at(*times_s: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.array(times_s)
    return times[:, None].astype(np.float32), times


class TestAlign:
    def test_a_cell_takes_the_mean_of_its_frames(self):
        rows = rows_on_grid(*rows_at(0.0, 0.04, 0.08, 0.12), Grid(stride_s=0.08), 2)
        assert rows.values[:, 0] == pytest.approx([0.02, 0.10])

    def test_a_frame_on_an_edge_belongs_to_the_cell_that_starts_there(self):
        rows = rows_on_grid(*rows_at(0.3), Grid(stride_s=0.1), 5, hold_s=0.0)
        assert rows.present.tolist() == [False, False, False, True, False]

    def test_a_cell_without_a_frame_borrows_the_nearest_but_not_from_afar(self):
        rows = rows_on_grid(*rows_at(0.0, 1.0), Grid(stride_s=0.1), 10)
        near = np.abs(Grid(stride_s=0.1).centers_s(10)[:, None] - [0.0, 1.0]).min(axis=1)
        assert rows.present.tolist() == (near <= HOLD_S).tolist()
        assert rows.values[1, 0] == 0.0
        assert rows.values[9, 0] == 1.0

    def test_no_frames_at_all_give_rows_that_are_not_present(self):
        empty = rows_on_grid(np.zeros((0, 3), np.float32), np.zeros(0), Grid(stride_s=0.1), 4)
        assert empty.values.shape == (4, 3)
        assert not empty.present.any()

    @given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.sampled_from([0.04, 0.08, 0.2]))
    def test_no_row_is_invented(self, times, stride_s):
        values, times_s = rows_at(*sorted(times))
        rows = rows_on_grid(values, times_s, Grid(stride_s=stride_s), 30)
        inside = rows.values[rows.present, 0]
        # float32 holds these times to 3e-7 of 5 s.
        assert ((inside >= times_s.min() - 2e-6) & (inside <= times_s.max() + 2e-6)).all()
        assert (rows.values[~rows.present] == 0).all()

    def test_deviation_is_from_the_clips_own_median_of_what_is_present(self):
        values = np.array([[1.0], [2.0], [9.0], [77.0]], dtype=np.float32)
        present = np.array([True, True, True, False])
        rows = with_deviation(FeatureRows(values, present))
        # Their middle is 2, and 1 the median of how far they are from it.
        spread = 1.4826 + 0.1
        expected = np.array([[1, -1 / spread], [2, 0], [9, 7 / spread], [0, 0]])
        assert rows.values == pytest.approx(expected, rel=1e-6)

    @given(st.floats(1.0, 100.0))
    def test_how_much_a_face_moves_does_not_count_but_rounding_never_does(self, gain):
        values = np.random.default_rng(1).normal(size=(50, 1)).astype(np.float32)
        here = np.ones(50, dtype=bool)
        calm, lively, still = (
            with_deviation(FeatureRows((values * factor).astype(np.float32), here)).values[:, 1]
            for factor in (10.0, 10.0 * gain, 1e-6)
        )
        assert lively == pytest.approx(calm, rel=0.03, abs=0.01)
        assert np.abs(still).max() < 1e-4

    def test_one_wild_frame_cannot_drown_the_others(self):
        values = np.array([[0.0], [1.0], [2.0], [1e6]], dtype=np.float32)
        rows = with_deviation(FeatureRows(values, np.ones(4, dtype=bool)))
        assert np.abs(rows.values[:, 1]).max() == 8.0
