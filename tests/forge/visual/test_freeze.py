"""A segment's own frames at the wrong time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.visual.freeze import Freeze, FreezeConfig
from mmmsba_plugin.forge.visual.morph import Flow
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Frame

from .faces import (
    FPS_HZ,
    forge,
    keeps_its_promises,
)


def order_of(kind, job, seed=0):
    """Find the frame of the segment that is shown at each place."""
    fake = forge(Freeze(FreezeConfig(kind=kind, area="frame")), job, seed)
    return [
        next(i for i, shot in enumerate(job.frames) if np.array_equal(shot.rgb, rgb))
        for rgb in fake
    ]


def test_a_held_segment_stands_still_from_its_second_frame_on(job):
    assert order_of("hold", job(count=6)) == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("count", "order"), [(4, [3, 2, 1, 0]), (5, [4, 3, 1, 1, 0]), (2, [1, 0])])
def test_a_reversed_segment_ends_with_its_first_frame(count, order, job):
    assert order_of("reverse", job(count=count)) == order


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_dropped_frames_leave_fewer_that_come_late(job, seed):
    order = order_of("drop", job(count=12), seed)
    assert len(set(order)) <= 7
    assert order[1:] == sorted(order[1:])
    assert all(i < place for place, i in enumerate(order[1:], start=1))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_warped_time_never_runs_backwards_but_where_a_frame_would_show_itself(job, seed):
    order = np.array(order_of("warp", job(count=12), seed))
    assert (order != np.arange(12)).all()
    assert np.diff(order).min() >= -1
    early = (order[2:-2] < np.arange(2, 10)).all()
    late = (order[2:-2] > np.arange(2, 10)).all()
    assert early or late, "first too slow and then too fast, or the other way round"


def test_a_frame_never_shows_one_that_looks_the_same(job):
    work = job(count=6)
    twice = [work.frames[i // 2 * 2] for i in range(6)]
    fake = forge(Freeze(FreezeConfig(kind="hold", area="face")), replace(work, frames=twice))
    keeps_its_promises(replace(work, frames=twice), fake)


def test_a_segment_in_which_nothing_moves_cannot_be_shown_at_another_time(clip):
    still = FrameJob([clip[10]] * 4, FPS_HZ)
    with pytest.raises(ForgeError, match=r"nothing moves in a segment of 4 frames at 0\.40 s"):
        forge(Freeze(), still)


def test_one_frame_has_no_other_time_and_no_morph(job):
    with pytest.raises(ForgeError, match="nothing moves in a segment of 1 frames"):
        forge(Freeze(), job(count=1))
    with pytest.raises(ForgeError, match="a morph needs two frames at least, got one"):
        forge(Flow(), job(count=1))


def test_a_frozen_face_hides_what_the_lips_say(clip):
    work = FrameJob(clip[20:32], FPS_HZ)
    fake = forge(Freeze(FreezeConfig(kind="hold", area="face")), work)
    frames = [Frame(s.pts_s, rgb) for s, rgb in zip(work.frames, fake, strict=True)]
    face_trace = trace_face(frames, fps_hz=FPS_HZ, config=TracksConfig())
    opening = lambda shots: [np.ptp(s.points_px[[13, 14], 1]) for s in shots]  # noqa: E731
    after = [face_trace.face_frame(i, frame) for i, frame in enumerate(frames)]
    assert np.std(opening(after)[1:]) < 0.4 * np.std(opening(work.frames)[1:])
