"""The lower face, painted anew through a narrow waist."""

from dataclasses import replace

import numpy as np

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.visual.lowres_mouth import LowresMouth, LowresMouthConfig
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.structures import Frame

from .faces import (
    FPS_HZ,
    around_lips,
    everywhere,
    forge,
    keeps_its_promises,
    moved,
    sharpness,
)


def own_lips(size_px, **changes):
    config = {"smallest_px": size_px, "largest_px": size_px, "other_moment": 0} | changes
    return LowresMouth(LowresMouthConfig(**config))


def test_a_narrow_waist_costs_the_mouth_its_detail_and_the_eyes_nothing(job):
    work = job()
    for shot, rgb in zip(work.frames, forge(own_lips(32), work), strict=True):
        assert sharpness(rgb, around_lips(shot)) < 0.5 * sharpness(shot.rgb, around_lips(shot))
        above = int(shot.points_px[5, 1])
        np.testing.assert_array_equal(rgb[:above], shot.rgb[:above])


def test_a_narrower_waist_costs_more(job):
    work = job(count=2)
    where = around_lips(work.frames[0])
    # The same draws otherwise, since the width alone is not drawn from two equal bounds.
    left = [sharpness(forge(own_lips(px), work, seed=3)[0], where) for px in (24, 48, 90)]
    assert left == sorted(left)


def test_a_face_smaller_than_the_waist_loses_detail_all_the_same(job):
    work = everywhere(job(count=2), lambda s: moved(s, 0.3 * np.eye(2, 3), (96, 96)))
    fake = forge(own_lips(96), work)
    where = around_lips(work.frames[0])
    assert sharpness(fake[0], where) < 0.8 * sharpness(work.frames[0].rgb, where)


def test_lips_of_another_moment_pass_through_the_waist(clip):
    gap = [np.ptp(s.points_px[[13, 14], 1]) for s in clip]
    shut, wide = int(np.argmin(gap)), int(np.argmax(gap))
    work = FrameJob([clip[shut]] * 2, FPS_HZ, [clip[wide]] * 2)
    forger = LowresMouth(LowresMouthConfig(smallest_px=90, largest_px=90, other_moment=1))
    (fake, _) = forge(forger, work)
    face_trace = trace_face([Frame(0.0, fake)], fps_hz=FPS_HZ, config=TracksConfig())
    now = np.ptp(face_trace.face_frame(0, Frame(0.0, fake)).points_px[[13, 14], 1])
    assert now > gap[shut] + 0.5 * (gap[wide] - gap[shut])


def test_lips_of_its_own_need_no_donor(job):
    assert not own_lips(48).needs_donor
    assert LowresMouth().needs_donor
    work = replace(job(), donors=())
    keeps_its_promises(work, forge(own_lips(48), work))


def test_the_size_of_the_waist_may_be_given_in_any_order(job):
    forger = LowresMouth(LowresMouthConfig(smallest_px=80, largest_px=40, other_moment=0))
    keeps_its_promises(job(), forge(forger, job()))
