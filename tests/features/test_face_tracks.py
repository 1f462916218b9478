"""The face tracks of a chunk."""

import numpy as np
import pytest

from mmmsba_plugin.features.chunks import Chunk
from mmmsba_plugin.features.face_tracks import ChunkTracks, TrackCollector, TrackRun
from mmmsba_plugin.structures import AudioBlock, FaceCrop, Frame
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.link import FaceObservation, OtherFace

FRAME_S = 0.04
IMAGE = np.zeros((100, 200, 3), np.uint8)


def chunk(keep_start: int = 0, keep_stop: int = 100) -> Chunk:
    return Chunk(Grid(stride_s=0.2), 0, keep_stop + 25, keep_start, keep_stop)


def face(pts_s: float, track: int, left_px: float = 20.0, opening_px: float = 0.0) -> FaceCrop:
    points = np.tile(np.arange(468, dtype=np.float32)[:, None] % 50, (1, 2))
    points[78:96] += opening_px
    return FaceCrop(
        pts_s=pts_s,
        track=track,
        face=IMAGE,
        lips=IMAGE,
        points=points,
        native=IMAGE,
        to_native=np.eye(2, 3),
        to_face=np.eye(2, 3),
        box_xyxy_px=(left_px, 10.0, left_px + 40.0, 60.0),
        confidence=1.0,
    )


def observation(
    index: int, main: int | None = 1, others: tuple[int, ...] = (), *, num_faces: int = 0
) -> FaceObservation:
    pts_s = index * FRAME_S
    return FaceObservation(
        Frame(pts_s, IMAGE),
        None if main is None else face(pts_s, 0),
        None,
        num_faces or len(others) + 1,
        main,
        tuple(
            OtherFace(lane, face(pts_s, track, left_px=100.0 * lane))
            for lane, track in enumerate(others, start=1)
        ),
    )


def collected(observations, *, audio=(), max_faces=4, within: Chunk | None = None) -> ChunkTracks:
    collector = TrackCollector(within or chunk(), max_faces=max_faces)
    for each in observations:
        collector.add(each)
    return collector.finish(audio)


def spans(tracks: ChunkTracks) -> list[tuple[int, int, float, float]]:
    return [(r.track, r.lane, round(r.start_s, 2), round(r.end_s, 2)) for r in tracks.runs]


def test_a_run_lasts_as_long_as_one_face_is_followed_in_one_lane():
    tracks = collected(
        [observation(i, 1 if i < 50 else 2, (2,) if i < 50 else ()) for i in range(100)]
    )
    assert spans(tracks) == [(2, 1, 0.0, 2.0), (1, 0, 0.0, 2.0), (2, 0, 2.0, 4.0)]
    assert (tracks.num_frames, tracks.num_at_once, tracks.other_lanes) == (100, 2, [1])


def test_a_blink_of_the_tracker_ends_no_run_and_a_longer_gap_does():
    absent = {10, 11, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39}
    tracks = collected([observation(i, None if i in absent else 1) for i in range(60)])
    assert spans(tracks) == [(1, 0, 0.0, 1.2), (1, 0, 1.6, 2.4)]


def test_frames_that_belong_to_another_chunk_are_not_counted():
    tracks = collected([observation(i) for i in range(200)], within=chunk(5, 10))
    assert spans(tracks) == [(1, 0, 1.0, 2.0)]
    assert tracks.num_frames == 25


def test_the_box_is_a_part_of_the_frame_and_does_not_leave_it():
    tracks = collected([observation(0, 1, (2,))])
    boxes = {run.track: run.box_xywh for run in tracks.runs}
    assert boxes[1] == pytest.approx((0.1, 0.1, 0.2, 0.5))
    assert boxes[2] == pytest.approx((0.5, 0.1, 0.2, 0.5))
    off_screen = FaceObservation(Frame(0.0, IMAGE), face(0.0, 0, left_px=-10.0), None, 1, track=1)
    assert collected([off_screen]).runs[0].box_xywh == pytest.approx((0.0, 0.1, 0.15, 0.5))


def test_faces_beyond_those_that_are_followed_are_counted():
    tracks = collected([observation(0, 1, (2,), num_faces=5)], max_faces=2)
    assert (tracks.num_at_once, tracks.num_left_out) == (2, 3)
    assert collected([observation(0, 1, num_faces=5)], max_faces=2).num_left_out == 0


def test_each_snippet_of_a_lane_has_the_track_that_is_seen_at_its_middle():
    run = TrackRun(3, 1, 0.4, 1.1, 17, 0.7, (0.0, 0.0, 1.0, 1.0), None)
    tracks = ChunkTracks((run,), 50, 2, 0)
    assert tracks.track_ids(1, Grid(stride_s=0.2), 8).tolist() == [0, 0, 3, 3, 3, 0, 0, 0]
    assert not tracks.track_ids(0, Grid(stride_s=0.2), 8).any()


def test_the_mouth_that_moves_with_the_audio_agrees_with_it():
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.integers(0, 2, 20), 10)
    audio = (0.1 * rng.standard_normal(200 * 640) * loud.repeat(640)).astype(np.float32)
    blocks = [AudioBlock(i / 1.0, audio[i * 16_000 : (i + 1) * 16_000], 16_000) for i in range(8)]
    collector = TrackCollector(chunk(), max_faces=2)
    for i, is_loud in enumerate(loud):
        pts_s = i * FRAME_S
        opening_px = 3.0 * is_loud * (i % 2)
        still = OtherFace(1, face(pts_s, 2, left_px=100.0))
        speaking = face(pts_s, 0, opening_px=opening_px)
        frame = Frame(pts_s, IMAGE)
        collector.add(FaceObservation(frame, speaking, None, 2, 1, (still,)))
    agreements = {run.track: run.agreement for run in collector.finish(blocks).runs}
    assert agreements[1] > 0.5
    assert agreements[2] == 0
    assert collector.finish([]).runs[0].agreement is None


def test_tracks_come_back_from_json_as_they_were():
    tracks = collected([observation(i, 1, (2,)) for i in range(5)])
    assert ChunkTracks.from_json(tracks.to_json()) == tracks


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": [{}]}', '{"runs": 3}'])
def test_what_is_no_tracks_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - some are JSON's own
        ChunkTracks.from_json(text)
