"""The main person of a clip, followed from frame to frame."""

from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.tracks.link import FACE_TOO_SMALL, NO_FACE, follow_main_face

from .frames import frames_of


def empty(size_px: int = 512) -> np.ndarray:
    return np.full((size_px, size_px, 3), 90, dtype=np.uint8)


def test_every_frame_gets_an_observation_and_a_gap_has_a_reason(portrait):
    observations = list(
        follow_main_face(frames_of(portrait, portrait, *[empty()] * 12, *[portrait] * 8))
    )
    assert [s.reason for s in observations[:2]] == [None, None]
    assert {s.reason for s in observations[2:14]} == {NO_FACE}
    # Nobody is looked for in every frame once nobody was there, so a face may be has_face late.
    assert observations[-1].reason is None
    assert [s.frame.pts_s for s in observations] == pytest.approx([0.04 * i for i in range(22)])


def test_an_identity_that_comes_back_to_the_same_place_keeps_the_number(portrait):
    observations = list(follow_main_face(frames_of(portrait, empty(), *[portrait] * 5)))
    assert {s.face.track for s in observations if s.face} == {0}


def test_a_face_somewhere_else_is_somebody_new(portrait):
    elsewhere = np.roll(portrait, 200, axis=1)
    observations = list(follow_main_face(frames_of(portrait, empty(), *[elsewhere] * 5)))
    tracks = [s.face.track for s in observations if s.face]
    assert (tracks[0], tracks[-1]) == (0, 1)


def test_the_largest_of_two_faces_is_the_main_one(portrait):
    import cv2

    both = np.zeros((512, 1024, 3), dtype=np.uint8)
    both[:, 512:] = portrait
    both[128:384, :256] = cv2.resize(portrait, (256, 256))
    [observation] = follow_main_face(frames_of(both))
    assert observation.num_faces == 2
    assert observation.face.box_xyxy_px[0] > 512


def test_a_face_too_small_is_named_so_and_not_guessed(portrait):
    config = TracksConfig(min_face_px=400)
    [observation] = follow_main_face(frames_of(portrait), config)
    assert observation.face is None
    assert observation.reason == FACE_TOO_SMALL


def test_one_frame_is_held_at_a_time(portrait):
    num_read = 0

    def frames():
        nonlocal num_read
        for frame in frames_of(*[portrait] * 5):
            num_read += 1
            yield frame

    next(follow_main_face(frames()))
    assert num_read == 1


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
    has_face = [s.face is not None for s in follow_main_face(FrameReader(media))]
    assert not any(has_face[:100])
    assert all(has_face[500:750])
