"""Faces, detected in frames."""

import numpy as np
import pytest

from mmmsba_plugin.tracks.detect import FaceDetector, anchors, letterbox


def test_anchors_are_a_fine_grid_with_two_a_place_then_a_coarse_one_with_six():
    centres = anchors()
    assert centres.shape == (896, 2)
    assert centres[0].tolist() == centres[1].tolist() == [8, 8]
    assert centres[512].tolist() == centres[517].tolist() == [16, 16]


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


@pytest.mark.parametrize(("height", "width", "margins"), [(100, 200, (0, 64)), (200, 100, (64, 0))])
def test_a_letterbox_keeps_the_aspect_and_centres_the_frame(height, width, margins):
    square, scale, shift_px = letterbox(np.full((height, width, 3), 255, dtype=np.uint8))
    assert square.shape == (1, 3, 256, 256)
    assert scale == 256 / 200
    assert tuple(shift_px) == margins
    white = square[0, 0] > 0
    assert white.any(axis=1).sum() == round(height * scale)
    assert white.any(axis=0).sum() == round(width * scale)
