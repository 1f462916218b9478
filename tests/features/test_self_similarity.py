"""Self-similarity of the moments of a clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.features.self_similarity import NUM_VALUES, self_similarity

NEAREST, MEAN, BEFORE, AFTER, SIDES = range(NUM_VALUES)


def unit_vectors(degrees):
    """Return vectors of length one at these angles; their products are cosines."""
    angles = np.radians(np.array(degrees, dtype=np.float32))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_a_moment_out_of_place_is_like_no_other():
    rows = unit_vectors([0] * 20 + [80] + [0] * 20)
    similarity = self_similarity(rows, stride_s=0.1, window_s=0.3)
    assert similarity[20, [NEAREST, MEAN]] == pytest.approx(np.cos(np.radians(80)), abs=1e-6)
    assert similarity[5, NEAREST] == pytest.approx(1.0)
    assert similarity[:, MEAN].argmin() == 20


def test_what_shares_audio_with_a_moment_is_not_compared_with_it():
    # Neighbours are the same, all others the opposite.
    similarity = self_similarity(unit_vectors([0] * 4 + [180] * 20), stride_s=0.1, window_s=0.4)
    assert (similarity[:4, NEAREST] == -1).all()


def test_sides_are_distinguished():
    similarity = self_similarity(unit_vectors([0] * 10 + [90] * 10), stride_s=0.1, window_s=0.2)
    assert similarity[10, BEFORE] == pytest.approx(0.0, abs=1e-6)
    assert similarity[9, AFTER] == pytest.approx(0.0, abs=1e-6)
    assert similarity[12, AFTER] == pytest.approx(1.0)
    assert similarity[:, SIDES].argmin() in (9, 10)


def test_a_lone_moment_has_nothing_to_be_like():
    assert self_similarity(unit_vectors([30]), stride_s=0.1, window_s=0.4)[0, :SIDES].tolist() == [
        0,
        0,
        0,
        0,
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 1300), st.sampled_from([0.04, 0.08, 0.2]))
def test_blocks_leave_no_joint_and_a_cosine_is_never_above_one(length, stride_s):
    degrees = np.random.default_rng(length).uniform(0, 90, size=length)
    similarity = self_similarity(unit_vectors(degrees), stride_s=stride_s, window_s=0.4)
    assert similarity.shape == (length, NUM_VALUES)
    assert np.abs(similarity).max() <= 1 + 1e-6
    picked = length // 2
    far = np.abs(np.arange(length) - picked) * stride_s
    others = np.cos(np.radians(degrees - degrees[picked]))[(far > 0.4) & (far <= 30)]
    if others.size:
        assert similarity[picked, NEAREST] == pytest.approx(others.max(), abs=1e-5)
        assert similarity[picked, MEAN] == pytest.approx(others.mean(), abs=1e-5)
