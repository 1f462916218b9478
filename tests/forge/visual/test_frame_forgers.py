"""Promises that every forger of frames keeps."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.visual.face_swap import (
    OtherFace,
    OtherMouth,
)
from mmmsba_plugin.forge.visual.freeze import Freeze, FreezeConfig
from mmmsba_plugin.forge.visual.inpaint import Inpaint, InpaintConfig
from mmmsba_plugin.forge.visual.lowres_mouth import LowresMouth, LowresMouthConfig
from mmmsba_plugin.forge.visual.morph import Flow
from mmmsba_plugin.forge.visual.mouth_swap import MouthSwap
from mmmsba_plugin.forge.visual.self_blend import SelfBlend
from mmmsba_plugin.forger import FrameJob, needs_other_clip
from mmmsba_plugin.plugins import entries, lookup
from mmmsba_plugin.testing import ForgerContract, samples

from .faces import (
    FPS_HZ,
    cropped,
    everywhere,
    followed,
    forge,
    keeps_its_promises,
    moved,
)

NAMES = (
    "mouth", "lowres-mouth", "self-blend", "stranger-mouth", "stranger-face",
    "freeze", "inpaint", "flow",
)  # fmt: skip


#: Every forger, and every way of those that have several.
WAYS: dict[str, Callable[[], object]] = {
    "mouth": MouthSwap,
    "lowres-mouth": LowresMouth,
    "lowres-mouth, own lips": lambda: LowresMouth(LowresMouthConfig(other_moment=0)),
    "self-blend": SelfBlend,
    "stranger-mouth": OtherMouth,
    "stranger-face": OtherFace,
    "flow": Flow,
    **{
        f"freeze, {kind} {area}": lambda kind=kind, area=area: Freeze(
            FreezeConfig(kind=kind, area=area)
        )
        for kind in ("hold", "drop", "reverse", "warp")
        for area in ("mouth", "face")
    },
    **{
        f"inpaint, {method} {area}": lambda method=method, area=area: Inpaint(
            InpaintConfig(method=method, area=area)
        )
        for method in ("telea", "navier-stokes", "smooth")
        for area in ("lips", "lower-face")
    },
}


every_way = pytest.mark.parametrize("way", WAYS)


def fake_or_refused(way, job):
    """Return the frames, or None where the forger says that one would stay as it is."""
    try:
        return forge(WAYS[way](), job)
    except ForgeError as error:
        if "forge another segment" not in str(error):
            raise
        return None


def test_they_are_all_offered():
    offered = {o.name for o in entries("forgers") if o.entry and o.entry.modality == "visual"}
    assert offered.issuperset(NAMES)


@every_way
@given(seed=st.integers(0, 2**32), start=st.integers(0, 30), count=st.integers(2, 12))
@settings(max_examples=8)
def test_every_frame_changes_and_nothing_but_the_face(way, job, seed, start, count):
    work = job(start, count)
    keeps_its_promises(work, forge(WAYS[way](), work, seed))


@every_way
@given(seed=st.integers(0, 2**32))
@settings(max_examples=3)
def test_the_same_seed_gives_the_same_frames(way, job, seed):
    first, second = (forge(WAYS[way](), job(), seed) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["lowres-mouth", "self-blend", "freeze", "inpaint", "flow"])
def test_another_seed_gives_other_frames(name, job):
    entry = lookup("forgers", name)
    outputs = {forge(entry.build(entry.config()), job(count=12), s)[3].tobytes() for s in range(6)}
    assert len(outputs) > 1


@every_way
def test_no_frame_is_written_to(way, job):
    def locked(shot):
        rgb = shot.rgb.copy()
        rgb.flags.writeable = False
        return replace(shot, rgb=rgb)

    work = everywhere(job(), locked)
    before = [shot.rgb.copy() for shot in (*work.frames, *work.donors, *work.other_clip_donors)]
    for rgb in forge(WAYS[way](), work):
        assert rgb.flags.writeable
        assert not any(np.shares_memory(rgb, shot.rgb) for shot in work.frames)
    after = [shot.rgb for shot in (*work.frames, *work.donors, *work.other_clip_donors)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


@every_way
def test_the_edge_of_what_changes_is_too_soft_to_see(way, job):
    work = job()
    for shot, rgb in zip(work.frames, forge(WAYS[way](), work), strict=True):
        change = rgb.astype(int) - shot.rgb
        changed = (change != 0).any(axis=-1).astype(np.uint8)
        # Filled, since inside a patch some pixels may happen to stay as they were.
        outlines, _ = cv2.findContours(changed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        rim = np.concatenate(outlines)[:, 0]
        step = np.abs(change[rim[:, 1], rim[:, 0]]).max(axis=-1)
        # The first levels of a change are its edge; grain makes single pixels rougher.
        assert np.percentile(step, 95) <= 4


@every_way
@given(side=st.sampled_from(["left", "top", "right", "bottom"]), share=st.floats(0.25, 0.75))
@settings(max_examples=6)
def test_a_face_that_the_frame_cuts_is_no_error(way, job, side, share):
    work = job()

    def cut(shot):
        height, width = shot.rgb.shape[:2]
        low, high = shot.points_px.min(axis=0), shot.points_px.max(axis=0)
        x, y = (low + share * (high - low)).astype(int)
        box = {
            "left": (x, 0, width, height),
            "top": (0, y, width, height),
            "right": (0, 0, x, height),
            "bottom": (0, 0, width, y),
        }[side]
        return cropped(shot, *box)

    work = everywhere(work, cut)
    if way == "mouth":
        # It says nothing where the mouth lies beyond the border; it must only not fall.
        assert len(forge(MouthSwap(), work)) == len(work.frames)
    elif (fake := fake_or_refused(way, work)) is not None:
        keeps_its_promises(work, fake)


@every_way
@pytest.mark.parametrize("face_px", [12, 24])
def test_a_tiny_face_is_no_error(way, job, face_px):
    work = job()
    scale = face_px / np.ptp(work.frames[0].points_px[:, 1])
    size_px = tuple(round(scale * side) for side in work.frames[0].rgb.shape[1::-1])
    work = everywhere(work, lambda shot: moved(shot, scale * np.eye(2, 3), size_px))
    fake = fake_or_refused(way, work)
    # In so few pixels a face may look the same from frame to frame.
    assert fake is not None or way.startswith(("freeze", "flow"))
    if fake is not None:
        keeps_its_promises(work, fake)


@every_way
def test_a_large_face_is_worked_on_as_well(way, job):
    work = everywhere(job(count=2), lambda s: moved(s, 3.0 * np.eye(2, 3), (960, 960)))
    keeps_its_promises(work, forge(WAYS[way](), work))


@every_way
def test_a_portrait_frame_is_no_error(way, job):
    work = everywhere(job(), lambda s: moved(s, [[0.6, 0, 0], [0, 0.6, 120]], (190, 400)))
    assert work.frames[0].rgb.shape == (400, 190, 3)
    keeps_its_promises(work, forge(WAYS[way](), work))


@every_way
def test_a_head_that_lies_is_no_error(way, job):
    work = everywhere(job(), lambda s: moved(s, [[0, -1, 319], [1, 0, 0]], (320, 320)))
    keeps_its_promises(work, forge(WAYS[way](), work))


@pytest.mark.parametrize("way", [w for w in WAYS if w != "mouth"])
def test_a_face_beyond_the_frame_is_refused(way, job):
    work = everywhere(job(), lambda s: replace(s, points_px=s.points_px + 2000))
    with pytest.raises(ForgeError, match="forge another segment"):
        forge(WAYS[way](), work)


@pytest.mark.parametrize(
    ("forger", "lent"),
    [
        (MouthSwap(), "donors, got 2; take a segment of the same length from another moment"),
        (LowresMouth(LowresMouthConfig(other_moment=1)), "donors, got 2"),
        (OtherMouth(), "donors, got 2; .* from another clip"),
        (OtherFace(), "donors, got 2; .* from another clip"),
    ],
)
def test_a_forger_says_how_many_donors_it_needs(forger, lent, job):
    work = job(count=3)
    work = replace(work, donors=work.donors[:2], other_clip_donors=work.other_clip_donors[:2])
    with pytest.raises(ForgeError, match=f"3 frames need as many {lent}"):
        forge(forger, work)


@pytest.mark.parametrize("name", NAMES)
def test_only_forgers_with_donors_of_another_clip_need_one(name):
    entry = lookup("forgers", name)
    assert needs_other_clip(entry.build(entry.config())) == name.startswith("stranger")


class TestEveryFrameForger(ForgerContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request, monkeypatch):
        self._current = lookup("forgers", request.param)
        job_of_clip = samples.frame_job()
        with_donors = replace(job_of_clip, other_clip_donors=job_of_clip.donors)
        monkeypatch.setattr(samples, "frame_job", lambda: with_donors)

    @property
    def entry(self):
        return self._current


@pytest.fixture(scope="session")
def real_job(shared):
    """A segment of a real clip, with another moment and with another speaker."""
    shots = followed(shared / "footage/train/grid_swiz3n.mp4")
    other_donors = followed(shared / "footage/train/orig_jen_i_have_to_go_to_the_pharmacy.mp4")
    return FrameJob(shots[10:16], FPS_HZ, shots[40:46], other_donors[10:16])


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", NAMES)
def test_a_real_clip_is_fake_in_a_small_part_of_the_frame(name, real_job):
    entry = lookup("forgers", name)
    fake = forge(entry.build(entry.config()), real_job)
    keeps_its_promises(real_job, fake)
    for shot, rgb in zip(real_job.frames, fake, strict=True):
        assert (rgb != shot.rgb).any(axis=-1).mean() < 0.35, "the face alone, and not all of it"
