"""Detail of faces at their native resolution."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.features import native_detail, texture
from mmmsba_plugin.tracks.mesh import LIPS_OUTER, apply_affine


@pytest.fixture(scope="module")
def face():
    """The astronaut's."""
    from skimage import data

    from mmmsba_plugin.structures import Frame
    from mmmsba_plugin.tracks.link import follow_main_face

    [observation] = follow_main_face([Frame(0.0, data.astronaut())])
    return observation.face


class TestNative:
    def test_a_softened_mouth_has_less_detail_than_before_and_than_its_face(self, face):
        import cv2

        points = apply_affine(face.to_native, face.points[list(LIPS_OUTER)])
        (left, top), (right, bottom) = (
            points.min(axis=0).astype(int),
            points.max(axis=0).astype(int),
        )
        softened = face.native.copy()
        mouth = softened[top:bottom, left:right]
        softened[top:bottom, left:right] = cv2.GaussianBlur(mouth, (0, 0), 0.7)
        sharp = native_detail.native_detail(face)
        soft = native_detail.native_detail(replace(face, native=softened))
        curvature_of_mouth, against_face = 0, native_detail.NUM_VALUES - 6
        assert soft[curvature_of_mouth] < sharp[curvature_of_mouth] - 0.5
        assert soft[against_face] < sharp[against_face] - 0.4

    def test_a_face_of_a_few_pixels_gives_finite_values(self, face):
        speck = replace(
            face, native=face.native[:3, :2], to_native=face.to_native * np.array([[0.01], [0.01]])
        )
        assert np.isfinite(native_detail.native_detail(speck)).all()

    def test_looking_for_a_slide_leaves_the_frames_as_they_were(self):
        # OpenCV multiplies its window into frames whose sides suit its transform.
        images = np.random.default_rng(0).uniform(0, 255, (2, 64, 96)).astype(np.float32)
        before, now = images.copy()
        texture.slid(before, now)
        assert (np.stack([before, now]) == images).all()

    def test_a_cut_that_slid_is_measured_to_a_fraction_of_a_pixel(self):
        import cv2

        rng = np.random.default_rng(0)
        image = cv2.GaussianBlur(rng.normal(size=(64, 96)).astype(np.float32), (0, 0), 3) * 50
        moved = cv2.warpAffine(image, np.array([[1, 0, 1.5], [0, 1, -0.5]]), (96, 64))
        shift, match = texture.slid(image, moved)
        assert shift == pytest.approx([1.5, -0.5], abs=0.2)
        assert match > 0.5
