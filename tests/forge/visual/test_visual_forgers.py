"""What every forger of frames promises, and what each does to a face."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import FACE_MARGIN, Patch, grain_like
from mmmsba_plugin.forge.visual.face_swap import (
    OtherFace,
    OtherFaceConfig,
    OtherMouth,
    OtherMouthConfig,
    unlikeness,
)
from mmmsba_plugin.forge.visual.freeze import Freeze, FreezeConfig
from mmmsba_plugin.forge.visual.inpaint import Inpaint, InpaintConfig
from mmmsba_plugin.forge.visual.lowres_mouth import LowresMouth, LowresMouthConfig
from mmmsba_plugin.forge.visual.morph import Flow, FlowConfig
from mmmsba_plugin.forge.visual.mouth_swap import MouthSwap
from mmmsba_plugin.forge.visual.self_blend import SelfBlend, SelfBlendConfig
from mmmsba_plugin.forger import FaceFrame, FrameJob, needs_other_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.plugins import entries, lookup
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.testing import ForgerContract, samples

FPS_HZ = 25
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
NOSE_TIP, UPPER_LIP, BROW = 1, 0, 9


def followed(path):
    frames = list(FrameReader(probe(path)))
    face = trace_face(frames, fps_hz=FPS_HZ, config=TracksConfig())
    return [face.face_frame(i, frame) for i, frame in enumerate(frames)]


@pytest.fixture(scope="session")
def clip(talking_clip):
    """A talking portrait, frame by frame."""
    return followed(talking_clip)


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory):
    """Another: seen from the other side, in another light and size."""
    path = tmp_path_factory.mktemp("other") / "other.mp4"
    return followed(make_talking_clip(path, seconds=1.5, seed=4, size_px=224).path)


@pytest.fixture(scope="session")
def job(clip, other_clip):
    """Draws jobs: a start and a number of frames."""

    def draw(start=5, count=6):
        donors = clip[start + 25 : start + 25 + count]
        strangers = other_clip[start % 8 : start % 8 + count]
        return FrameJob(tuple(clip[start : start + count]), FPS_HZ, donors, strangers)

    return draw


def forge(forger, job, seed=0):
    return forger.forge_frames(job, np.random.default_rng(seed))


def everywhere(job, change):
    """Return the job with every shot of it changed."""
    return FrameJob(
        tuple(map(change, job.frames)),
        job.fps_hz,
        tuple(map(change, job.donors)),
        tuple(map(change, job.other_clip_donors)),
    )


def moved(shot, affine, size_px):
    """Return a shot whose frame and landmarks were moved alike."""
    affine = np.asarray(affine, dtype=np.float64)
    rgb = cv2.warpAffine(shot.rgb, affine, size_px, flags=cv2.INTER_AREA)
    return FaceFrame(shot.pts_s, rgb, shot.points_px @ affine[:, :2].T + affine[:, 2])


def cropped(shot, left, top, right, bottom):
    rgb = np.ascontiguousarray(shot.rgb[top:bottom, left:right])
    return FaceFrame(shot.pts_s, rgb, shot.points_px - (left, top))


def outside_of_the_face(shot):
    """Where nothing may change: beyond the mesh's box and the margin that is promised."""
    low, high = shot.points_px.min(axis=0), shot.points_px.max(axis=0)
    margin = FACE_MARGIN * (high - low)
    outside = np.ones(shot.rgb.shape[:2], dtype=bool)
    (left, top), (right, bottom) = low - margin - 1, high + margin + 2
    outside[max(0, int(top)) : max(0, int(bottom)), max(0, int(left)) : max(0, int(right))] = False
    return outside


def keeps_its_promises(job, fake):
    assert len(fake) == len(job.frames)
    for shot, rgb in zip(job.frames, fake, strict=True):
        assert rgb.shape == shot.rgb.shape
        assert rgb.dtype == np.uint8
        assert rgb is not shot.rgb
        changed = (rgb != shot.rgb).any(axis=-1)
        assert changed.any(), "an unaltered frame would be a false truth"
        assert not (changed & outside_of_the_face(shot)).any()


def fake_or_refused(way, job):
    """Return the frames, or None where the forger says that one would stay as it is."""
    try:
        return forge(WAYS[way](), job)
    except ForgeError as error:
        if "forge another segment" not in str(error):
            raise
        return None


def around_lips(shot, spread=1.0):
    mask = np.zeros(shot.rgb.shape[:2], np.uint8)
    corners = face_regions.mouth(shot, face_regions.lips(shot), spread=spread)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask.astype(bool)


def sharpness(rgb, where):
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return cv2.Laplacian(grey, cv2.CV_64F)[where].var()


# --- all -----------------------------------------------------------------------------------


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
    made = {forge(entry.build(entry.config()), job(count=12), s)[3].tobytes() for s in range(6)}
    assert len(made) > 1


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
def test_only_those_who_lay_strangers_over_faces_need_them(name):
    entry = lookup("forgers", name)
    assert needs_other_clip(entry.build(entry.config())) == name.startswith("stranger")


class TestEveryFrameForger(ForgerContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request, monkeypatch):
        self._current = lookup("forgers", request.param)
        plain = samples.frame_job()
        with_strangers = replace(plain, other_clip_donors=plain.donors)
        monkeypatch.setattr(samples, "frame_job", lambda: with_strangers)

    @property
    def entry(self):
        return self._current


@pytest.fixture(scope="session")
def real_job(shared):
    """A segment of real footage, with another moment and with another person."""
    shots = followed(shared / "footage/train/grid_swiz3n.mp4")
    strangers = followed(shared / "footage/train/orig_jen_i_have_to_go_to_the_pharmacy.mp4")
    return FrameJob(shots[10:16], FPS_HZ, shots[40:46], strangers[10:16])


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", NAMES)
def test_real_footage_is_fake_in_a_small_part_of_the_frame(name, real_job):
    entry = lookup("forgers", name)
    fake = forge(entry.build(entry.config()), real_job)
    keeps_its_promises(real_job, fake)
    for shot, rgb in zip(real_job.frames, fake, strict=True):
        assert (rgb != shot.rgb).any(axis=-1).mean() < 0.35, "the face alone, and not all of it"


# --- lowres-mouth --------------------------------------------------------------------------


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
    seen = trace_face([Frame(0.0, fake)], fps_hz=FPS_HZ, config=TracksConfig())
    now = np.ptp(seen.face_frame(0, Frame(0.0, fake)).points_px[[13, 14], 1])
    assert now > gap[shut] + 0.5 * (gap[wide] - gap[shut])


def test_lips_of_its_own_need_no_donor(job):
    assert not own_lips(48).needs_donor
    assert LowresMouth().needs_donor
    work = replace(job(), donors=())
    keeps_its_promises(work, forge(own_lips(48), work))


def test_the_size_of_the_waist_may_be_given_in_any_order(job):
    forger = LowresMouth(LowresMouthConfig(smallest_px=80, largest_px=40, other_moment=0))
    keeps_its_promises(job(), forge(forger, job()))


# --- self-blend ----------------------------------------------------------------------------


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
def test_a_self_blend_is_the_same_through_a_stretch_but_for_a_little(clip, seed):
    still = FrameJob([clip[10]] * 4, FPS_HZ)
    fake = np.array(forge(SelfBlend(), still, seed), dtype=float)
    between = np.abs(np.diff(fake, axis=0)).mean()
    assert 0 < between < 0.4 * np.abs(fake - clip[10].rgb).mean()


def test_a_self_blend_goes_as_far_as_it_is_told(job):
    def change(**config):
        fake = forge(SelfBlend(SelfBlendConfig(**config)), job(count=1))
        return np.abs(fake[0].astype(int) - job(count=1).frames[0].rgb).mean()

    still = {"shift": 0, "scale": 0, "contrast": 0, "detail": 1}
    assert change(**still, colour=2) < change(**still, colour=8) < change(**still, colour=40)
    assert change(**still) < change(**still | {"shift": 0.1})


# --- strangers -----------------------------------------------------------------------------


def spotted(shot, point, colour=(0, 0, 255)):
    rgb = shot.rgb.copy()
    center = tuple(int(c) for c in np.rint(shot.points_px[point]))
    cv2.circle(rgb, center, 3, colour, -1)
    return replace(shot, rgb=rgb)


@pytest.mark.parametrize(("forger", "point"), [(OtherFace(), NOSE_TIP), (OtherMouth(), UPPER_LIP)])
def test_a_stranger_s_landmarks_come_to_lie_where_the_face_has_them(forger, point, job):
    work = job()
    plain = forge(forger, work)
    spots = [spotted(s, point) for s in work.other_clip_donors]
    marked = forge(forger, replace(work, other_clip_donors=spots))
    for shot, with_spot, without in zip(work.frames, marked, plain, strict=True):
        apart = np.abs(with_spot.astype(float) - without).sum(axis=-1)
        rows, columns = np.indices(apart.shape)
        weight = np.where(apart > 0.5 * apart.max(), apart, 0)
        center = np.array([(weight * axis).sum() for axis in (columns, rows)]) / weight.sum()
        # A mouth moves as one piece, so the stranger's lips may be fuller; a face is bent.
        assert np.linalg.norm(center - shot.points_px[point]) < 0.05 * np.ptp(shot.points_px[:, 1])


@pytest.mark.parametrize("forger", [OtherFace(), OtherMouth()])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_strangers_of_any_size_fit(forger, scale, job):
    work = job()
    side = round(224 * scale)
    sized = [moved(s, scale * np.eye(2, 3), (side, side)) for s in work.other_clip_donors]
    fake, plain = forge(forger, replace(work, other_clip_donors=sized)), forge(forger, work)
    for a, b in zip(fake, plain, strict=True):
        # What is left is resampling: a level or two on the whole.
        assert np.abs(a.astype(int) - b).mean() < 1.5


@pytest.mark.parametrize("tint", [(0.5, 0.5, 0.5), (1.0, 0.8, 0.6), (0.6, 0.8, 1.0)])
def test_a_stranger_takes_on_the_complexion_of_the_face(tint, clip):
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


def test_a_stranger_in_too_different_a_light_is_refused(job):
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


# --- freeze --------------------------------------------------------------------------------


def shown(kind, job, seed=0):
    """Return which frame of the segment is shown at each place."""
    fake = forge(Freeze(FreezeConfig(kind=kind, area="frame")), job, seed)
    return [
        next(i for i, shot in enumerate(job.frames) if np.array_equal(shot.rgb, rgb))
        for rgb in fake
    ]


def test_a_held_stretch_stands_still_from_its_second_frame_on(job):
    assert shown("hold", job(count=6)) == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("count", "order"), [(4, [3, 2, 1, 0]), (5, [4, 3, 1, 1, 0]), (2, [1, 0])])
def test_a_reversed_stretch_ends_with_its_first_frame(count, order, job):
    assert shown("reverse", job(count=count)) == order


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_dropped_frames_leave_fewer_that_come_late(job, seed):
    order = shown("drop", job(count=12), seed)
    assert len(set(order)) <= 7
    assert order[1:] == sorted(order[1:])
    assert all(i < place for place, i in enumerate(order[1:], start=1))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_warped_time_never_runs_backwards_but_where_a_frame_would_show_itself(job, seed):
    order = np.array(shown("warp", job(count=12), seed))
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


def test_a_stretch_in_which_nothing_moves_cannot_be_shown_at_another_time(clip):
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
    seen = trace_face(frames, fps_hz=FPS_HZ, config=TracksConfig())
    opening = lambda shots: [np.ptp(s.points_px[[13, 14], 1]) for s in shots]  # noqa: E731
    after = [seen.face_frame(i, frame) for i, frame in enumerate(frames)]
    assert np.std(opening(after)[1:]) < 0.4 * np.std(opening(work.frames)[1:])


# --- inpaint -------------------------------------------------------------------------------


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
    for shot, plain, rough in zip(work.frames, bare, grained, strict=True):
        lips = around_lips(shot, 0.8)
        assert sharpness(plain, lips) < sharpness(rough, lips) < sharpness(shot.rgb, lips)


def test_grain_is_as_strong_as_that_of_the_frame():
    rng = np.random.default_rng(0)
    flat = np.full((120, 120, 3), 128, np.float32)
    for sigma in (2.0, 5.0, 10.0):
        here = flat + sigma * rng.standard_normal((120, 120, 1)).astype(np.float32)
        noise = grain_like(here, np.ones((120, 120), np.float32), rng)
        assert noise.std() == pytest.approx(sigma, rel=0.15)
    assert grain_like(flat, np.zeros((120, 120), np.float32), rng).std() > 0.5


# --- flow ----------------------------------------------------------------------------------


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
    found = []
    for rgb in fake:
        _, columns = np.nonzero((rgb < 30).all(axis=-1))
        found.append(columns.mean() - middle[0])
    # Six parts of eight pixels; a pixel is what a flow at a coarse scale may miss.
    np.testing.assert_allclose(found, [-4 + 8 * i / 6 for i in range(1, 6)], atol=1.0)


@given(count=st.integers(2, 40), fewest=st.integers(2, 12), most=st.integers(2, 12))
@settings(max_examples=40)
def test_morphs_tile_a_stretch_and_none_is_of_one_frame(count, fewest, most):
    cuts = Flow(FlowConfig(fewest=fewest, most=most)).draw_cuts(count, np.random.default_rng(0))
    assert (cuts[0], cuts[-1]) == (0, count)
    assert np.diff(cuts).min() >= 2


def test_a_morph_between_two_equal_frames_is_refused(clip):
    with pytest.raises(ForgeError, match=r"the frame at 0\.40 s would stay as it is"):
        forge(Flow(), FrameJob([clip[10]] * 3, FPS_HZ))


# --- blending ------------------------------------------------------------------------------


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
