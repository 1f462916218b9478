"""Mouths and faces of another clip."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual.face_swap import (
    OtherFace,
    OtherFaceConfig,
    OtherMouth,
    OtherMouthConfig,
    unlikeness,
)
from mmmsba_plugin.forger import FrameJob

from .faces import (
    FPS_HZ,
    NOSE_TIP,
    UPPER_LIP,
    forge,
    keeps_its_promises,
    moved,
)


def spotted(shot, point, colour=(0, 0, 255)):
    rgb = shot.rgb.copy()
    center = tuple(int(c) for c in np.rint(shot.points_px[point]))
    cv2.circle(rgb, center, 3, colour, -1)
    return replace(shot, rgb=rgb)


@pytest.mark.parametrize(("forger", "point"), [(OtherFace(), NOSE_TIP), (OtherMouth(), UPPER_LIP)])
def test_a_donor_s_landmarks_come_to_lie_where_the_face_has_them(forger, point, job):
    work = job()
    unmarked = forge(forger, work)
    spots = [spotted(s, point) for s in work.other_clip_donors]
    marked = forge(forger, replace(work, other_clip_donors=spots))
    for shot, with_spot, without in zip(work.frames, marked, unmarked, strict=True):
        apart = np.abs(with_spot.astype(float) - without).sum(axis=-1)
        rows, columns = np.indices(apart.shape)
        weight = np.where(apart > 0.5 * apart.max(), apart, 0)
        center = np.array([(weight * axis).sum() for axis in (columns, rows)]) / weight.sum()
        # A mouth moves as one piece, so the donor's lips may be fuller; a face is bent.
        assert np.linalg.norm(center - shot.points_px[point]) < 0.05 * np.ptp(shot.points_px[:, 1])


@pytest.mark.parametrize("forger", [OtherFace(), OtherMouth()])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_donors_of_any_size_fit(forger, scale, job):
    work = job()
    side = round(224 * scale)
    sized = [moved(s, scale * np.eye(2, 3), (side, side)) for s in work.other_clip_donors]
    fake, unmarked = forge(forger, replace(work, other_clip_donors=sized)), forge(forger, work)
    for a, b in zip(fake, unmarked, strict=True):
        # What is left is resampling: a level or two on the whole.
        assert np.abs(a.astype(int) - b).mean() < 1.5


@pytest.mark.parametrize("tint", [(0.5, 0.5, 0.5), (1.0, 0.8, 0.6), (0.6, 0.8, 1.0)])
def test_a_donor_takes_on_the_complexion_of_the_face(tint, clip):
    work = FrameJob(clip[5:8], FPS_HZ, (), [
        replace(s, rgb=(s.rgb * tint).astype(np.uint8)) for s in clip[40:43]
    ])  # fmt: skip
    for shot, rgb in zip(work.frames, forge(OtherFace(), work), strict=True):
        cheeks = np.zeros(rgb.shape[:2], np.uint8)
        for point in (50, 280):
            center = tuple(int(c) for c in shot.points_px[point])
            cv2.circle(cheeks, center, 6, 1, -1)
        was, now = (p[cheeks > 0].mean(axis=0) for p in (shot.rgb, rgb))
        # Unmatched they would be off by 40 to 90 levels.
        assert np.abs(was - now).max() < 14


def test_a_head_that_is_held_otherwise_is_refused(job):
    work = job()
    turned = [replace(s, points_px=s.points_px * (0.6, 1.0)) for s in work.other_clip_donors]
    assert unlikeness(turned, work.frames) > 0.05
    for forger in (OtherFace(), OtherMouth()):
        with pytest.raises(ForgeError, match=r"otherwise by 0\.\d+ heights .* at most 0\.04 is"):
            forge(forger, replace(work, other_clip_donors=turned))
    anyone = OtherFace(OtherFaceConfig(most_unlike=1))
    keeps_its_promises(work, forge(anyone, replace(work, other_clip_donors=turned)))


def test_a_donor_in_too_different_a_light_is_refused(job):
    work = job()
    lamp = np.array([1.0, 0.6, 0.15])
    orange = [replace(s, rgb=(s.rgb * lamp).astype(np.uint8)) for s in work.other_clip_donors]
    work = replace(work, other_clip_donors=orange)
    for forger in (OtherFace(), OtherMouth()):
        with pytest.raises(ForgeError, match=r"become \d\.\d times as bright, at most 2\.5 is"):
            forge(forger, work)
    keeps_its_promises(work, forge(OtherFace(OtherFaceConfig(most_lifted=20)), work))
    keeps_its_promises(work, forge(OtherMouth(OtherMouthConfig(most_lifted=20)), work))


@given(turn_rad=st.floats(-3, 3), scale=st.floats(0.2, 5), x=st.floats(-500, 500))
def test_how_a_head_is_held_is_not_a_matter_of_size_place_or_tilt(clip, turn_rad, scale, x):
    cos, sin = scale * np.cos(turn_rad), scale * np.sin(turn_rad)
    turned = replace(clip[0], points_px=clip[0].points_px @ [[cos, sin], [-sin, cos]] + (x, 3))
    assert unlikeness([turned], [clip[0]]) == pytest.approx(0, abs=1e-9)
