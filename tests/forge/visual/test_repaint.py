"""The lower face, painted anew by an enhancer."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual.repaint import Repaint, RepaintConfig

from .enhancer_weights import write_weights
from .faces import around_lips, forge, keeps_its_promises, sharpness


@pytest.fixture(scope="module")
def make_repaint(tmp_path_factory):
    """Return a maker of repainters whose network adds a little texture of its own."""
    path = write_weights(tmp_path_factory.mktemp("enhancer") / "weights.bin", scale=0.05)
    return lambda **settings: Repaint(RepaintConfig(weights=path, **settings))


def test_the_lower_face_is_repainted_and_the_eyes_stay(job, make_repaint):
    work = job(count=3)
    fake = forge(make_repaint(other_moment=0), work)
    keeps_its_promises(work, fake)
    for shot, rgb in zip(work.frames, fake, strict=True):
        above = int(shot.points_px[5, 1])
        np.testing.assert_array_equal(rgb[:above], shot.rgb[:above])


def test_lips_of_another_moment_need_a_donor(job, make_repaint):
    work = job(count=3)
    forger = make_repaint(other_moment=1)
    assert forger.needs_donor
    assert not make_repaint(other_moment=0).needs_donor
    keeps_its_promises(work, forge(forger, work))
    with pytest.raises(ForgeError, match="as many donors"):
        forge(forger, replace(work, donors=()))


def test_a_smaller_face_inside_loses_more_detail(job, make_repaint):
    work = job(count=1)
    where = around_lips(work.frames[0])
    left = [
        sharpness(
            forge(make_repaint(smallest_px=px, largest_px=px, other_moment=0), work)[0], where
        )
        for px in (24, 60)
    ]
    assert left[0] < left[1]


def test_the_same_seed_paints_the_same(job, make_repaint):
    work = job(count=2)
    first, again = (forge(make_repaint(), work, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
