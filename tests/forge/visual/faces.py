"""Faces of talking clips, moved and measured, for the tests of frame forgers."""

import cv2
import numpy as np

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import FACE_MARGIN
from mmmsba_plugin.forger import FaceFrame, FrameJob
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

FPS_HZ = 25


NOSE_TIP, UPPER_LIP, BROW = 1, 0, 9


def followed(path):
    frames = list(FrameReader(probe(path)))
    face = trace_face(frames, fps_hz=FPS_HZ, config=TracksConfig())
    return [face.face_frame(i, frame) for i, frame in enumerate(frames)]


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
    """Mask the pixels that may not change: beyond the mesh's box and the promised margin."""
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


def around_lips(shot, spread=1.0):
    mask = np.zeros(shot.rgb.shape[:2], np.uint8)
    corners = face_regions.mouth(shot, face_regions.lips(shot), spread=spread)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask.astype(bool)


def sharpness(rgb, where):
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return cv2.Laplacian(grey, cv2.CV_64F)[where].var()
