"""Structures that pass from stage to stage, and what they refuse."""

import numpy as np
import pytest

from mmmsba_plugin.errors import FeatureError, ShapeError
from mmmsba_plugin.structures import AudioBlock, ClipFeatures, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid


def rows_of(values, present) -> FeatureRows:
    return FeatureRows(np.array(values, np.float32), np.array(present, bool))


def test_feature_rows_know_their_length_and_dim():
    rows = rows_of([[1, 2, 3], [0, 0, 0]], [True, False])
    assert (len(rows), rows.dim) == (2, 3)
    assert repr(rows) == "FeatureRows(2 x 3, 50% present)"


@pytest.mark.parametrize(("values", "present"), [([1.0, 2.0], [True]), ([[1.0], [2.0]], [True])])
def test_feature_rows_of_shapes_that_disagree_are_refused(values, present):
    with pytest.raises(ShapeError, match=r"values of shape \(snippet, feature\)") as error:
        rows_of(values, present)
    assert error.value.shape == np.shape(values)


def test_feature_rows_that_are_not_finite_are_refused():
    with pytest.raises(FeatureError, match="hold NaN or infinity"):
        rows_of([[np.nan]], [False])


def test_clip_features_have_a_snippet_for_each_cell_up_to_the_end():
    features = ClipFeatures(Grid(start_s=0.4, stride_s=0.2), 1.0, {})
    assert features.num_snippets == 3


def test_structures_print_their_size_and_no_array():
    frame = Frame(1.5, np.zeros((120, 160, 3), np.uint8))
    assert repr(frame) == "Frame(pts_s=1.500, 160x120)"
    block = AudioBlock(0.25, np.zeros(80, np.float32), 16_000)
    assert repr(block) == "AudioBlock(start_s=0.250, 80 at 16000 Hz)"
