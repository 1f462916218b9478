"""The modalities of a clip, combined on one grid."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.features.combine import LEADING_SILENCE, combine
from mmmsba_plugin.features.walk import NO_AUDIO
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.timebase import Grid


def test_opt_outs_that_reach_into_the_cut_are_shortened_and_later_ones_kept():
    entries = {
        "audio": (
            CacheEntry(
                FeatureRows(np.ones((5, 2), np.float32), np.ones(5, bool)),
                tuple(
                    OptOut(start_s=a, end_s=b, reason=why)
                    for a, b, why in [(0.0, 0.3, "a"), (0.4, 0.9, "b"), (1.0, 1.1, "c")]
                ),
                end_s=1.5, afterwards=NO_AUDIO, warnings=(),
            ),
            Grid(start_s=0.5, stride_s=0.2),
        ),
    }  # fmt: skip
    features = combine(entries, Grid(start_s=0.5, stride_s=0.2), is_trimmed=True)
    opt_outs = [(o.start_s, o.end_s, o.reason) for o in features.opt_outs["audio"]]
    assert opt_outs == [(0.0, 0.5, LEADING_SILENCE), (0.5, 0.9, "b"), (1.0, 1.1, "c")]


@given(
    st.integers(0, 40),
    st.floats(0.01, 12),
    st.sampled_from([0.04, 0.08, 0.1, 0.2]),
    st.floats(0.01, 12),
)
def test_rows_fit_the_grid_wherever_it_starts(first, end_s, stride_s, audio_end_s):
    def stored(grid, until_s):
        num = grid.num_snippets(until_s)
        rows = FeatureRows(np.ones((num, 1), np.float32), np.ones(num, bool))
        return CacheEntry(rows, (), until_s, NO_AUDIO, ()), grid

    whole = Grid(stride_s=stride_s)
    behind = Grid(whole.cell(first)[0], stride_s)
    entries = {"face": stored(whole, end_s), "audio": stored(behind, audio_end_s)}
    features = combine(entries, behind)
    assert {len(rows) for rows in features.rows.values()} == {features.num_snippets}
    missing = whole.num_snippets(max(end_s, audio_end_s)) - first
    assert features.num_snippets == max(0, missing)
