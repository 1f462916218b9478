"""A face, blended into itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.visual.self_blend import SelfBlend, SelfBlendConfig
from mmmsba_plugin.forger import FrameJob

from .faces import FPS_HZ, forge, outside_of_the_face


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_self_blended_face_is_nearly_the_same(job, seed):
    work = job(count=1)
    (fake,), shot = forge(SelfBlend(), work, seed), work.frames[0]
    inside = ~outside_of_the_face(shot)
    change = np.abs(fake.astype(int) - shot.rgb)[inside]
    # Eight levels of colour at most, 8 % of contrast, and edges that moved a little.
    assert 0.3 < change.mean() < 12


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_a_self_blend_is_the_same_through_a_segment_but_for_a_little(clip, seed):
    still = FrameJob([clip[10]] * 4, FPS_HZ)
    fake = np.array(forge(SelfBlend(), still, seed), dtype=float)
    between = np.abs(np.diff(fake, axis=0)).mean()
    assert 0 < between < 0.4 * np.abs(fake - clip[10].rgb).mean()


def test_a_self_blend_changes_more_with_larger_settings(job):
    def change(**config):
        fake = forge(SelfBlend(SelfBlendConfig(**config)), job(count=1))
        return np.abs(fake[0].astype(int) - job(count=1).frames[0].rgb).mean()

    still = {"shift": 0, "scale": 0, "contrast": 0, "detail": 1}
    assert change(**still, colour=2) < change(**still, colour=8) < change(**still, colour=40)
    assert change(**still) < change(**still | {"shift": 0.1})
