"""Patches are blended into a frame without a visible edge."""

import numpy as np
import pytest

from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch, grain_like


def patch_on(shot):
    return Patch(shot, face_regions.whole_face(shot, size=0.8), 4.0)


def test_a_lamp_from_the_side_is_matched(clip):
    patch = patch_on(clip[0])
    lamp = np.linspace(-30, 40, patch.here.shape[1], dtype=np.float32)[None, :, None]
    lit = patch.in_light(patch.here + lamp)
    inside = patch.mask > 0.1
    assert np.abs(lit - patch.here)[inside].max() < 1


def test_hair_that_moved_does_not_colour_the_skin(clip):
    patch = patch_on(clip[0])
    hair = patch.here.copy()
    edge = (patch.mask > 0.02) & (patch.mask < 0.98)
    edge[:, patch.mask.shape[1] // 5 :] = False
    hair[edge] = 0
    shift = np.abs(patch.in_light(hair) - hair)[patch.mask > 0.9]
    # A plain fit would shift the skin by some 40 levels.
    assert shift.mean() < 5


def test_what_is_laid_as_it_is_changes_nothing(clip):
    patch = patch_on(clip[0])
    np.testing.assert_array_equal(patch.lay(patch.here), clip[0].rgb)
    np.testing.assert_allclose(patch.as_bright(patch.here), patch.here, rtol=1e-6)
    same = patch.bring(clip[0].rgb, np.eye(2, 3))
    np.testing.assert_array_equal(same, patch.here)


def test_grain_is_as_strong_as_that_of_the_frame():
    rng = np.random.default_rng(0)
    flat = np.full((120, 120, 3), 128, np.float32)
    for sigma in (2.0, 5.0, 10.0):
        here = flat + sigma * rng.standard_normal((120, 120, 1)).astype(np.float32)
        noise = grain_like(here, np.ones((120, 120), np.float32), rng)
        assert noise.std() == pytest.approx(sigma, rel=0.15)
    assert grain_like(flat, np.zeros((120, 120), np.float32), rng).std() > 0.5
