"""Moments in which the face is not shown."""

import numpy as np
import pytest

from mmmsba_plugin.forge.augment.cutaway import find_cutaway, show_cutaway
from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.structures import Frame

SIZE_PX = (320, 240)


def face(left, top, right, bottom, num_frames=10):
    corners = np.array([[left, top], [right, bottom]], np.float32)
    points = np.resize(corners, (468, 2))
    return FaceTrace(
        edges_s=np.arange(num_frames + 1) / 25,
        track=np.zeros(num_frames, np.int64),
        points=np.tile(points, (num_frames, 1, 1)),
        to_face=np.tile(np.eye(2, 3), (num_frames, 1, 1)),
    )


@pytest.mark.parametrize(
    "box", [(20, 60, 120, 180), (200, 60, 300, 180), (100, 10, 200, 90), (100, 150, 200, 230)]
)
def test_the_face_is_not_in_what_is_shown(box):
    cutaway = find_cutaway(face(*box), range(2, 6), SIZE_PX)
    left, top, right, bottom = box
    is_beside = cutaway.left >= right or cutaway.left + cutaway.width <= left
    is_above_or_below = cutaway.top >= bottom or cutaway.top + cutaway.height <= top
    assert is_beside or is_above_or_below
    assert 0 <= cutaway.left <= SIZE_PX[0] - cutaway.width
    assert 0 <= cutaway.top <= SIZE_PX[1] - cutaway.height
    assert cutaway.width / cutaway.height == pytest.approx(4 / 3, rel=0.05)


def test_a_face_that_fills_the_frame_or_is_not_seen_has_no_cutaway():
    assert find_cutaway(face(10, 10, 310, 230), range(2, 6), SIZE_PX) is None
    unseen = face(20, 60, 120, 180)
    unseen.track[2:6] = -1
    assert find_cutaway(unseen, range(2, 6), SIZE_PX) is None


def test_frames_of_a_cutaway_are_of_the_same_size_and_the_others_stay():
    rgb = np.zeros((240, 320, 3), np.uint8)
    rgb[60:180, 20:120] = 255
    frames = [Frame(i / 25, rgb) for i in range(10)]
    cutaway = find_cutaway(face(20, 60, 120, 180), range(2, 6), SIZE_PX)
    edited = list(show_cutaway(frames, cutaway))
    assert [f.pts_s for f in edited] == [f.pts_s for f in frames]
    assert [bool(f.rgb.any()) for f in edited] == [not 2 <= i < 6 for i in range(10)]
    assert {f.rgb.shape for f in edited} == {rgb.shape}
    assert all(f is g for f, g in zip(show_cutaway(frames, None), frames, strict=True))
