"""A face blended with itself of another frame."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual.self_shift_blend import SelfShiftBlend, SelfShiftBlendConfig
from mmmsba_plugin.forger import FrameJob
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract

from ..clips import shots


class TestSelfShiftBlendContract(ForgerContract):
    entry = lookup("forgers", "self-shift-blend")


def forge(frames, seed=0, **config):
    forger = SelfShiftBlend(SelfShiftBlendConfig(**config))
    return forger.forge_frames(FrameJob(frames, 25), np.random.default_rng(seed))


def test_it_is_faded_in_and_out(talking):
    frames = shots(talking, range(20, 44))
    # Frames that alternate between dark and light change by the gate alone.
    lit = [replace(f, rgb=np.full_like(f.rgb, 60 + 80 * (i % 2))) for i, f in enumerate(frames)]
    fake = forge(lit, max_shift=1, least_opacity=1)
    changes = [np.abs(rgb.astype(int) - f.rgb).max() for rgb, f in zip(fake, lit, strict=True)]
    assert changes[:6] == sorted(changes[:6])
    assert changes[-6:] == sorted(changes[-6:], reverse=True)
    assert 0 < changes[0] < 20
    assert max(changes) > 70


def test_the_rest_of_the_frame_stays(talking):
    frames = shots(talking, range(20, 26))
    for rgb, frame in zip(forge(frames), frames, strict=True):
        low, high = frame.points_px.min(axis=0), frame.points_px.max(axis=0)
        margin = 0.1 * (high - low)
        (left, top), (right, bottom) = (low - margin).astype(int), (high + margin).astype(int) + 2
        outside = np.ones(rgb.shape[:2], dtype=bool)
        outside[max(0, top) : bottom, max(0, left) : right] = False
        np.testing.assert_array_equal(rgb[outside], frame.rgb[outside])


def test_one_frame_or_a_still_face_is_refused(talking):
    frames = shots(talking, range(20, 24))
    with pytest.raises(ForgeError, match="another frame"):
        forge(frames[:1])
    with pytest.raises(ForgeError, match="would stay as it is"):
        forge([frames[0]] * 4)
    assert len(forge(frames[:2], max_shift=2)) == 2
