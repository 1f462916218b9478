"""The faces of a clip, followed from frame to frame."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.tracks.link import FACE_TOO_SMALL, NO_FACE, follow_faces, follow_main_face
from mmmsba_plugin.tracks.mesh import FaceMesh

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


def side_by_side(*images: np.ndarray, size_px: int = 300) -> np.ndarray:
    import cv2

    return np.concatenate([cv2.resize(image, (size_px, size_px)) for image in images], axis=1)


def tracks_of(observation) -> list[int]:
    return [observation.track, *(other.face.track for other in observation.others)]


def test_every_face_is_followed_and_counted_up_to_the_most_that_may_be(portrait):
    frames = frames_of(*[side_by_side(*[portrait] * 4)] * 3)
    for max_faces, num_faces in ((8, 4), (3, 3), (1, 1)):
        for observation in follow_faces(frames, max_faces=max_faces):
            assert observation.num_faces == 4
            assert tracks_of(observation) == list(range(1, num_faces + 1))


def test_beside_others_the_main_face_is_the_same_as_alone(portrait):
    frames = frames_of(*[side_by_side(portrait, portrait, empty())] * 3)
    for alone, together in zip(
        follow_main_face(frames), follow_faces(frames, max_faces=4), strict=True
    ):
        assert np.array_equal(alone.face.points, together.face.points)
        assert alone.face.track == together.face.track
        assert (alone.others, len(together.others)) == ((), 1)


def test_a_lone_face_costs_no_further_look(portrait, monkeypatch):
    looks = []
    look = FaceMesh.__call__

    def counted(self, rgb, roi):
        looks.append(roi)
        return look(self, rgb, roi)

    monkeypatch.setattr(FaceMesh, "__call__", counted)
    frames = frames_of(*[portrait] * 5)
    list(follow_main_face(frames))
    num_alone = len(looks)
    list(follow_faces(frames, max_faces=4))
    assert len(looks) == 2 * num_alone


def test_a_track_is_kept_when_its_face_becomes_the_main_one(portrait):
    both = side_by_side(portrait, portrait)
    left, right = side_by_side(portrait, empty()), side_by_side(empty(), portrait)
    observations = list(follow_faces(frames_of(*[both] * 3, *[right] * 3, left), max_faces=4))
    (main,), (other,) = ({o.track for o in observations[:3]}, {2})
    assert main == 1
    is_left_main = observations[0].face.box_xyxy_px[0] < 300
    later = observations[3:6] if is_left_main else observations[6:]
    assert {o.track for o in later} == {other}
    assert all(o.others == () for o in later)


def test_a_face_that_comes_later_is_found_within_a_second(portrait):
    alone, both = side_by_side(portrait, empty()), side_by_side(portrait, portrait)
    observations = list(follow_faces(frames_of(*[alone] * 3, *[both] * 26), max_faces=2))
    assert [tracks_of(o) for o in observations[:3]] == [[1]] * 3
    assert tracks_of(observations[-1]) == [1, 2]


def test_small_faces_beside_the_main_one_are_neither_followed_nor_counted(portrait):
    import cv2

    frame = side_by_side(portrait, empty())
    frame[:64, 400:464] = cv2.resize(portrait, (64, 64))
    [observation] = follow_faces(frames_of(frame), max_faces=4)
    assert (observation.others, observation.num_faces) == ((), 1)


@pytest.mark.parametrize(
    ("name", "num_faces"), [("train/avobjects_demo.mp4", 4), ("train/marlin_video01.mp4", 1)]
)
def test_real_faces_are_counted_right_in_every_frame(shared: Path, name: str, num_faces: int):
    frames = FrameReader(probe(shared / "footage" / name))
    observations = islice(follow_faces(frames, max_faces=8), 60)
    assert {len(tracks_of(observation)) for observation in observations} == {num_faces}
