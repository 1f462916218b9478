"""The mesh of a face, and the models that find it."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.tracks import models
from mmmsba_plugin.tracks.detect import FaceDetector
from mmmsba_plugin.tracks.mesh import (
    EYE_CORNERS,
    FaceMesh,
    Mesh,
    apply_affine,
    roi_of_detection,
)


def test_the_shipped_models_are_the_ones_that_were_vendored():
    models.verify()


def test_a_model_file_that_was_changed_is_refused(monkeypatch):
    monkeypatch.setitem(models.SHA256, models.MESH, "0" * 64)
    with pytest.raises(ModelFileError, match="differs from the file that was bundled; reinstall"):
        models.verify()


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


def test_the_square_around_a_mesh_holds_its_box_and_has_its_turn():
    points = np.zeros((468, 2))
    points[:, 0], points[:, 1] = np.linspace(100, 180, 468), np.linspace(40, 140, 468)
    points[list(EYE_CORNERS)] = [(120, 80), (130, 85), (150, 95), (160, 100)]
    mesh = Mesh(points, confidence=1.0)
    assert mesh.box_xyxy_px == (100, 40, 180, 140)
    assert mesh.area_px == 80 * 100
    roi = mesh.roi()
    assert roi.center_px == (140, 90)
    assert roi.side_px == 1.5 * 100
    assert roi.angle_rad == pytest.approx(np.arctan2(15, 30))
    # The middle of the square is that of the input.
    assert apply_affine(roi.to_input(), np.array([roi.center_px])) == pytest.approx(96.0)
