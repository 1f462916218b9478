"""Faces that are morphed from one moment to another."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual.morph import Flow, FlowConfig
from mmmsba_plugin.forger import FaceFrame, FrameJob

from .faces import FPS_HZ, forge


def test_a_morph_puts_what_moves_between_its_two_ends(clip):
    rng = np.random.default_rng(0)
    skin = cv2.GaussianBlur(rng.normal(150, 60, (320, 320, 3)).astype(np.float32), (0, 0), 4)
    middle = clip[0].points_px.mean(axis=0)

    def with_spot(x):
        rgb = np.clip(skin, 60, 255).astype(np.uint8)
        cv2.circle(rgb, (round(middle[0] + x), round(middle[1])), 10, (0, 0, 0), -1)
        return FaceFrame(0.0, rgb, clip[0].points_px)

    # Where the spot is between the ends must not matter; it is made from them alone.
    shots = [with_spot(x) for x in (-4, 20, -20, 20, 4)]
    fake = forge(Flow(FlowConfig(fewest=5, most=5)), FrameJob(shots, FPS_HZ))
    offsets = []
    for rgb in fake:
        _, columns = np.nonzero((rgb < 30).all(axis=-1))
        offsets.append(columns.mean() - middle[0])
    # Six parts of eight pixels; a pixel is what a flow at a coarse scale may miss.
    np.testing.assert_allclose(offsets, [-4 + 8 * i / 6 for i in range(1, 6)], atol=1.0)


@given(count=st.integers(2, 40), fewest=st.integers(2, 12), most=st.integers(2, 12))
@settings(max_examples=40)
def test_morphs_tile_a_segment_and_none_is_of_one_frame(count, fewest, most):
    cuts = Flow(FlowConfig(fewest=fewest, most=most)).draw_cuts(count, np.random.default_rng(0))
    assert (cuts[0], cuts[-1]) == (0, count)
    assert np.diff(cuts).min() >= 2


def test_a_morph_between_two_equal_frames_is_refused(clip):
    with pytest.raises(ForgeError, match=r"the frame at 0\.40 s would stay as it is"):
        forge(Flow(), FrameJob([clip[10]] * 3, FPS_HZ))
