"""Face traces, and frames fetched and replaced by index."""

import numpy as np

from mmmsba_plugin.forge.face_trace import fetch_frames, replace_frames
from mmmsba_plugin.structures import Frame


def test_fetching_stops_behind_the_last_frame_that_is_needed():
    read = []

    def frames():
        for i in range(100):
            read.append(i)
            yield Frame(i / 25, np.zeros((2, 2, 3), np.uint8))

    assert fetch_frames(frames(), {3, 5}).keys() == {3, 5}
    assert len(read) == 6
    assert fetch_frames(frames(), set()) == {}
    new = Frame(0.04, np.ones((2, 2, 3), np.uint8))
    assert [p.rgb.max() for p in list(replace_frames(frames(), {1: new}))[:3]] == [0, 1, 0]
