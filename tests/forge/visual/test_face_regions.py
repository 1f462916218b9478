"""Regions of a face, as polygons in frame pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.tracks.mesh import LIPS_OUTER

CHIN, NOSE_FOOT = 152, 2


def test_lips_are_their_outer_outline(clip):
    lips = face_regions.lips(clip[0])
    np.testing.assert_array_equal(lips, clip[0].points_px[list(LIPS_OUTER)])


@pytest.mark.parametrize("spread", [1.0, 1.35, 2.0])
def test_a_mouth_holds_the_lips_and_stays_clear_of_nose_and_chin(clip, spread):
    shot = clip[0]
    mouth = face_regions.mouth(shot, face_regions.lips(shot), spread=spread)
    nose, chin = shot.points_px[NOSE_FOOT], shot.points_px[CHIN]
    depth = (mouth - nose) @ (chin - nose) / ((chin - nose) @ (chin - nose))
    # 6 % of the way from the foot of the nose to the chin, and no farther than the chin.
    assert depth.min() >= 0.06 - 1e-6
    assert depth.max() <= 1 + 1e-6
    lips = face_regions.lips(shot)
    assert mouth[:, 0].min() <= lips[:, 0].min() + 1e-3
    assert mouth[:, 0].max() >= lips[:, 0].max() - 1e-3


def test_a_lower_face_begins_where_it_is_asked_to(clip):
    shot = clip[0]
    high, low = (face_regions.lower_face(shot, top=top, size=1.0) for top in (-0.3, 0.1))
    assert high[:, 1].min() < low[:, 1].min()
    assert high[:, 1].max() == pytest.approx(low[:, 1].max())


@given(size=st.floats(0.1, 1))
def test_a_whole_face_shrinks_about_its_middle(clip, size):
    whole, small = (face_regions.whole_face(clip[0], size=s) for s in (1.0, size))
    np.testing.assert_allclose(np.ptp(small, axis=0), size * np.ptp(whole, axis=0), rtol=1e-6)
    middles = [(c.min(axis=0) + c.max(axis=0)) / 2 for c in (whole, small)]
    np.testing.assert_allclose(*middles, rtol=1e-6)


def test_a_hull_leaves_out_what_lies_inside():
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], dtype=float)
    corners = face_regions.hull(np.concatenate([square, [[2, 2], [1, 3]]]))
    assert sorted(map(tuple, corners)) == sorted(map(tuple, square))
