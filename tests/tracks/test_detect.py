"""Frames become people: found, followed, and cut out steadily."""

from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.tracks import models
from mmmsba_plugin.tracks.crop import FACE_SIZE_PX, LIPS_SIZE_PX, cut, fit_similarity
from mmmsba_plugin.tracks.detect import FaceDetector, anchors
from mmmsba_plugin.tracks.link import FACE_TOO_SMALL, NO_FACE, follow_main_face
from mmmsba_plugin.tracks.mesh import (
    EYE_CORNERS,
    LIPS_INNER,
    FaceMesh,
    apply_affine,
    roi_of_detection,
)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    from skimage import data

    return data.astronaut()


def shown(*images: np.ndarray) -> list[Frame]:
    return [Frame(0.04 * i, image) for i, image in enumerate(images)]


def empty(size_px: int = 512) -> np.ndarray:
    return np.full((size_px, size_px, 3), 90, dtype=np.uint8)


def test_the_shipped_models_are_the_ones_that_were_vendored():
    models.verify()


def test_a_model_file_that_was_changed_is_refused(monkeypatch):
    monkeypatch.setitem(models.SHA256, models.MESH, "0" * 64)
    with pytest.raises(ModelFileError, match="differs from the file that was bundled; reinstall"):
        models.verify()


def test_anchors_are_a_fine_grid_with_two_a_place_then_a_coarse_one_with_six():
    found = anchors()
    assert found.shape == (896, 2)
    assert found[0].tolist() == found[1].tolist() == [8, 8]
    assert found[512].tolist() == found[517].tolist() == [16, 16]


def test_the_detector_finds_the_one_face_of_a_portrait(portrait):
    faces = FaceDetector()(portrait)
    assert len(faces) == 1
    left, top, right, bottom = faces[0].box_xyxy_px
    # The astronaut's face, by eye.
    assert 160 < left < right < 290
    assert 50 < top < bottom < 215


@pytest.mark.parametrize("size", [(200, 512), (512, 200), (97, 131)])
def test_the_detector_finds_nothing_in_an_empty_frame_of_any_shape(size):
    assert FaceDetector()(np.full((*size, 3), 90, dtype=np.uint8)) == []


def test_a_box_follows_its_face_when_the_frame_is_shifted(portrait):
    [here] = FaceDetector()(portrait)
    [there] = FaceDetector()(np.roll(portrait, 64, axis=1))
    # Letterboxing halves 512 px, so the network sees a shift of 32 of its own pixels.
    assert there.box_xyxy_px - here.box_xyxy_px == pytest.approx([64, 0, 64, 0], abs=4)


def test_the_mesh_finds_eyes_and_mouth_whichever_way_the_head_is_turned(portrait):
    import cv2

    angle_deg = 25
    turn = cv2.getRotationMatrix2D((224, 130), angle_deg, 1.0)
    turned = cv2.warpAffine(portrait, turn, portrait.shape[1::-1])
    meshes = [
        FaceMesh()(image, roi_of_detection(FaceDetector()(image)[0]))
        for image in (portrait, turned)
    ]
    expected = apply_affine(turn, meshes[0].points_px)
    missed_px = np.linalg.norm(meshes[1].points_px - expected, axis=1)
    # 3 % of the height of this face, which is about what two looks at a still one differ by.
    assert np.median(missed_px) < 4.5
    assert min(mesh.confidence for mesh in meshes) > 0.99


def test_cuts_put_the_eyes_level_at_their_place_and_the_mouth_into_the_lips(portrait):
    [observation] = follow_main_face(shown(portrait))
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
    [still] = follow_main_face(shown(small))
    [after] = follow_main_face(shown(moved))
    difference = still.face.face.astype(int) - after.face.face.astype(int)
    untracked = small[66:194, 160:288].astype(int) - moved[66:194, 160:288].astype(int)
    assert np.abs(difference).mean() < 0.3 * np.abs(untracked).mean()


def test_a_similarity_is_recovered_exactly_from_points_that_it_made():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 2))
    known = np.array([[1.2, -0.7, 3.0], [0.7, 1.2, -2.0]])
    assert fit_similarity(points, apply_affine(known, points)) == pytest.approx(known, abs=1e-9)


def test_points_that_coincide_give_a_finite_map_and_no_warning():
    assert np.isfinite(fit_similarity(np.zeros((9, 2)), np.ones((9, 2)))).all()


def test_the_map_to_the_face_leads_from_the_frame_to_the_cut(portrait):
    [observation] = follow_main_face(shown(portrait))
    face = observation.face
    [detection] = FaceDetector()(portrait)
    mesh = FaceMesh()(portrait, roi_of_detection(detection))
    again = cut(portrait, mesh, pts_s=0.0, track=0)
    assert apply_affine(again.to_face, mesh.points_px) == pytest.approx(face.points, abs=1e-3)


def test_the_native_pixels_are_those_of_the_frame_and_the_points_lie_in_them(portrait):
    [observation] = follow_main_face(shown(portrait))
    face = observation.face
    left, top, right, bottom = (round(edge) for edge in face.box_xyxy_px)
    assert (face.native == portrait[top:bottom, left:right]).all()
    there = apply_affine(face.to_native, face.points)
    # The box is rounded to whole pixels.
    assert there.min(axis=0) == pytest.approx([0, 0], abs=0.6)
    assert there.max(axis=0) == pytest.approx(face.native.shape[1::-1], abs=0.6)


def test_a_face_that_leaves_the_frame_still_has_native_pixels(portrait):
    cut_off = [portrait[:, :235], portrait[:170], portrait[:, 205:]]
    faces = [s.face for image in cut_off for s in follow_main_face(shown(image)) if s.face]
    assert faces
    assert all(face.native.size for face in faces)


def test_every_frame_gets_a_observation_and_a_gap_has_a_reason(portrait):
    observations = list(
        follow_main_face(shown(portrait, portrait, *[empty()] * 12, *[portrait] * 8))
    )
    assert [s.reason for s in observations[:2]] == [None, None]
    assert {s.reason for s in observations[2:14]} == {NO_FACE}
    # Nobody is looked for in every frame once nobody was there, so a face may be seen late.
    assert observations[-1].reason is None
    assert [s.frame.pts_s for s in observations] == pytest.approx([0.04 * i for i in range(22)])


def test_a_identity_who_comes_back_to_the_same_place_keeps_the_number(portrait):
    observations = list(follow_main_face(shown(portrait, empty(), *[portrait] * 5)))
    assert {s.face.track for s in observations if s.face} == {0}


def test_a_face_somewhere_else_is_somebody_new(portrait):
    elsewhere = np.roll(portrait, 200, axis=1)
    observations = list(follow_main_face(shown(portrait, empty(), *[elsewhere] * 5)))
    numbers = [s.face.track for s in observations if s.face]
    assert (numbers[0], numbers[-1]) == (0, 1)


def test_the_largest_of_two_faces_is_the_main_one(portrait):
    import cv2

    both = np.zeros((512, 1024, 3), dtype=np.uint8)
    both[:, 512:] = portrait
    both[128:384, :256] = cv2.resize(portrait, (256, 256))
    [observation] = follow_main_face(shown(both))
    assert observation.num_faces == 2
    assert observation.face.box_xyxy_px[0] > 512


def test_a_face_too_small_is_named_so_and_not_guessed(portrait):
    config = TracksConfig(min_face_px=400)
    [observation] = follow_main_face(shown(portrait), config)
    assert observation.face is None
    assert observation.reason == FACE_TOO_SMALL


def test_one_frame_is_held_at_a_time(portrait):
    taken = 0

    def frames():
        nonlocal taken
        for frame in shown(*[portrait] * 5):
            taken += 1
            yield frame

    next(follow_main_face(frames()))
    assert taken == 1


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("train/ltl_bill.mp4", 1.0),
        ("train/orig_jen_good_idea.mp4", 1.0),
        ("odd/pyfeat_no_face.mp4", 0),
    ],
)
def test_real_identities_are_followed_and_nobody_is_made_up(shared: Path, name: str, least: float):
    media = probe(shared / "footage" / name)
    observations = list(follow_main_face(FrameReader(media)))
    assert np.mean([s.face is not None for s in observations]) == least


def test_a_face_that_comes_and_goes_leaves_honest_gaps(shared: Path):
    media = probe(shared / "footage/odd/pyfeat_noface_face.mp4")
    seen = [s.face is not None for s in follow_main_face(FrameReader(media))]
    assert not any(seen[:100])
    assert all(seen[500:750])
