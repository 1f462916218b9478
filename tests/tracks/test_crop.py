"""Faces and mouths, cut out of a frame steadily."""

import numpy as np
import pytest

from mmmsba_plugin.tracks.crop import FACE_SIZE_PX, LIPS_SIZE_PX, cut, fit_similarity
from mmmsba_plugin.tracks.detect import FaceDetector
from mmmsba_plugin.tracks.link import follow_main_face
from mmmsba_plugin.tracks.mesh import (
    EYE_CORNERS,
    LIPS_INNER,
    FaceMesh,
    apply_affine,
    roi_of_detection,
)

from .frames import frames_of


def test_cuts_put_the_eyes_level_at_their_place_and_the_mouth_into_the_lips(portrait):
    [observation] = follow_main_face(frames_of(portrait))
    face = observation.face
    assert face.face.shape == (*FACE_SIZE_PX[::-1], 3)
    assert face.lips.shape == (*LIPS_SIZE_PX[::-1], 3)
    right, left = face.points[list(EYE_CORNERS)].reshape(2, 2, 2).mean(axis=1)
    assert right == pytest.approx([64 - 22, 42], abs=2.5)
    assert left == pytest.approx([64 + 22, 42], abs=2.5)
    mouth = face.points[list(LIPS_INNER)].mean(axis=0)
    # In the face cut the lips cut is 52.8 wide and 35.2 high around (64, 93.9).
    assert abs(mouth[0] - 64) < 10
    assert abs(mouth[1] - 93.9) < 10


def test_a_head_that_moves_nears_and_tilts_leaves_the_cut_still(portrait):
    import cv2

    small, moved = (
        cv2.warpAffine(portrait, cv2.getRotationMatrix2D((224, 130), a, s), portrait.shape[1::-1])
        for a, s in ((0, 1.0), (8, 1.2))
    )
    [still] = follow_main_face(frames_of(small))
    [after] = follow_main_face(frames_of(moved))
    difference = still.face.face.astype(int) - after.face.face.astype(int)
    untracked = small[66:194, 160:288].astype(int) - moved[66:194, 160:288].astype(int)
    assert np.abs(difference).mean() < 0.3 * np.abs(untracked).mean()


def test_a_similarity_is_recovered_exactly_from_points_that_it_made():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 2))
    similarity = np.array([[1.2, -0.7, 3.0], [0.7, 1.2, -2.0]])
    assert fit_similarity(points, apply_affine(similarity, points)) == pytest.approx(
        similarity, abs=1e-9
    )


def test_points_that_coincide_give_a_finite_map_and_no_warning():
    assert np.isfinite(fit_similarity(np.zeros((9, 2)), np.ones((9, 2)))).all()


def test_the_map_to_the_face_leads_from_the_frame_to_the_cut(portrait):
    [observation] = follow_main_face(frames_of(portrait))
    face = observation.face
    [detection] = FaceDetector()(portrait)
    mesh = FaceMesh()(portrait, roi_of_detection(detection))
    again = cut(portrait, mesh, pts_s=0.0, track=0)
    assert apply_affine(again.to_face, mesh.points_px) == pytest.approx(face.points, abs=1e-3)


def test_the_native_pixels_are_those_of_the_frame_and_the_points_lie_in_them(portrait):
    [observation] = follow_main_face(frames_of(portrait))
    face = observation.face
    left, top, right, bottom = (round(edge) for edge in face.box_xyxy_px)
    assert (face.native == portrait[top:bottom, left:right]).all()
    there = apply_affine(face.to_native, face.points)
    # The box is rounded to whole pixels.
    assert there.min(axis=0) == pytest.approx([0, 0], abs=0.6)
    assert there.max(axis=0) == pytest.approx(face.native.shape[1::-1], abs=0.6)


def test_a_face_that_leaves_the_frame_still_has_native_pixels(portrait):
    cut_off = [portrait[:, :235], portrait[:170], portrait[:, 205:]]
    faces = [s.face for image in cut_off for s in follow_main_face(frames_of(image)) if s.face]
    assert faces
    assert all(face.native.size for face in faces)
