"""Mouths of another moment of the clip."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.errors import (
    ForgeError,
)
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.plan import (
    PlannedSegment,
    SegmentConfig,
    find_donor,
    plan_segments,
    propose_frames,
)
from mmmsba_plugin.forge.visual.mouth_swap import MouthSwap, fit_anchors
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.tracks.mesh import LIPS_OUTER

from ..clips import RATE_HZ, shots


def test_the_mouth_of_another_moment_shows_in_every_frame(talking):
    _, face = talking
    here = range(10, 16)
    there = find_donor(face, here, gap_s=0.3, rng=np.random.default_rng(0))
    job = FrameJob(shots(talking, here), 25, shots(talking, there))
    fake = MouthSwap().forge_frames(job, np.random.default_rng(0))
    fake_trace = trace_face(
        [Frame(p.pts_s, rgb) for p, rgb in zip(job.frames, fake, strict=True)],
        fps_hz=25,
        config=TracksConfig(),
    )
    opening = lambda points: np.linalg.norm(points[:, 13] - points[:, 14], axis=1)  # noqa: E731
    was, lent, now = (
        opening(p) for p in (face.points[here], face.points[there], fake_trace.points)
    )
    assert np.abs(now - lent).mean() < 0.5 * np.abs(now - was).mean()
    for shot, rgb in zip(job.frames, fake, strict=True):
        assert not np.array_equal(shot.rgb, rgb)


def test_nothing_but_the_mouth_changes(talking):
    job = FrameJob(shots(talking, [10]), 25, shots(talking, [50]))
    (fake,) = MouthSwap().forge_frames(job, np.random.default_rng(0))
    shot = job.frames[0]
    rows, columns = np.nonzero((fake != shot.rgb).any(axis=-1))
    lips = shot.points_px[list(LIPS_OUTER)]
    width = np.ptp(lips[:, 0])
    # The patch is 1.35 times the lips and starts below the nose; its edge is a Gaussian of 8 %
    # of their width, whose last visible trace is some 2.5 of that away.
    assert rows.min() > shot.points_px[2, 1] - 0.2 * width
    assert columns.min() > lips[:, 0].min() - 0.5 * width
    assert columns.max() < lips[:, 0].max() + 0.5 * width


def test_a_mouth_laid_over_itself_hardly_shows(talking):
    same = shots(talking, [20, 21])
    fake = MouthSwap().forge_frames(FrameJob(same, 25, same), np.random.default_rng(0))
    for shot, rgb in zip(same, fake, strict=True):
        assert np.abs(rgb.astype(int) - shot.rgb).max() <= 1


def test_another_light_is_matched(talking):
    here, there = shots(talking, [20]), shots(talking, [20])
    dim = replace(there[0], rgb=(0.6 * there[0].rgb).astype(np.uint8))
    (fake,) = MouthSwap().forge_frames(FrameJob(here, 25, [dim]), np.random.default_rng(0))
    lips = here[0].points_px[list(LIPS_OUTER)]
    low, high = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    mouth = (slice(low[1], high[1]), slice(low[0], high[0]))
    # Dimmed by 40 % it would be darker by 60; what remains is contrast, not light.
    assert abs(fake[mouth].mean() - here[0].rgb[mouth].mean()) < 12


def test_an_affine_move_of_the_face_is_undone(talking):
    (shot,) = shots(talking, [5])
    move = np.array([[1.1, -0.2, 14.0], [0.15, 0.9, -3.0]])
    moved = replace(shot, points_px=shot.points_px @ move[:, :2].T + move[:, 2])
    np.testing.assert_allclose(fit_anchors(shot, moved), move, atol=1e-6)


def test_a_mouth_at_the_frame_s_border_is_no_error(talking):
    (shot,) = shots(talking, [5])
    cut = int(shot.points_px[14, 1])
    low = FaceFrame(0.0, np.ascontiguousarray(shot.rgb[:cut]), shot.points_px)
    (fake,) = MouthSwap().forge_frames(FrameJob([low], 25, [low]), np.random.default_rng(0))
    assert fake.shape == low.rgb.shape


def test_a_swap_says_how_many_donors_it_needs(talking):
    job = FrameJob(shots(talking, [1, 2]), 25, shots(talking, [9]))
    with pytest.raises(ForgeError, match="2 frames need as many donors, got 1"):
        MouthSwap().forge_frames(job, np.random.default_rng(0))


@pytest.mark.needs_shared
def test_a_mouth_is_swapped_in_a_real_clip(shared):
    media = probe(shared / "footage/train/grid_swiz3n.mp4")
    frames = list(FrameReader(media))
    face = trace_face(frames, fps_hz=25, config=TracksConfig())
    rng = np.random.default_rng(0)
    propose = propose_frames(face, SegmentConfig(), needs_donor=True, audio=None, rate_hz=RATE_HZ)
    segments = plan_segments(propose, duration_s=3.0, config=SegmentConfig(), rng=rng)
    assert segments
    segment: PlannedSegment = segments[0]
    clip = (frames, face)
    job = FrameJob(shots(clip, segment.frames), 25, shots(clip, segment.donors))
    fake = MouthSwap().forge_frames(job, rng)
    for shot, rgb in zip(job.frames, fake, strict=True):
        changed = (rgb != shot.rgb).any(axis=-1)
        assert 0 < changed.mean() < 0.1, "a mouth is a small part of the frame"
