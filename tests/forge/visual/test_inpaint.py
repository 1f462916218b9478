"""Mouths that are painted away."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.inpaint import Inpaint, InpaintConfig

from .faces import around_lips, everywhere, forge, sharpness


@pytest.mark.parametrize("method", ["telea", "navier-stokes", "smooth"])
def test_nothing_is_left_of_lips_that_were_painted_away(method, job):
    def made_up(shot):
        rgb = shot.rgb.copy()
        cv2.fillPoly(rgb, [np.rint(face_regions.lips(shot)).astype(np.int32)], (0, 40, 255))
        return replace(shot, rgb=rgb)

    work = everywhere(job(), made_up)
    forger = Inpaint(InpaintConfig(method=method, area="lips"))
    for shot, rgb in zip(work.frames, forge(forger, work), strict=True):
        lips, around = around_lips(shot), around_lips(shot, 1.8) & ~around_lips(shot, 1.4)
        skin = shot.rgb[around].mean(axis=0)
        assert (shot.rgb[lips] == (0, 40, 255)).all(axis=-1).mean() > 0.7
        # Skin is not one colour around a mouth: 20 levels; the paint is 150 away.
        assert np.abs(rgb[lips].mean(axis=0) - skin).max() < 20
        assert np.abs(rgb[lips].astype(float) - (0, 40, 255)).max(axis=-1).min() > 60


def test_grain_hides_that_what_is_filled_has_no_detail(job):
    work = job()
    bare, grained = (
        forge(Inpaint(InpaintConfig(method="smooth", area="lips", grain=grain)), work)
        for grain in (0, 1)
    )
    for shot, smooth, rough in zip(work.frames, bare, grained, strict=True):
        lips = around_lips(shot, 0.8)
        assert sharpness(smooth, lips) < sharpness(rough, lips) < sharpness(shot.rgb, lips)
