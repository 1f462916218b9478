"""The part of a report about face tracks."""

import pytest

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import FaceTrackError
from mmmsba_plugin.features.face_tracks import ChunkTracks, TrackRun
from mmmsba_plugin.report.face_tracks import face_track_reports, left_out, require_track
from mmmsba_plugin.schema import Media

BOX = (0.0, 0.1, 0.2, 0.3)


def run(track, start_s, end_s, *, agreement=None, box=BOX) -> TrackRun:
    num_frames = round(25 * (end_s - start_s))
    middle_s = (start_s + end_s) / 2
    return TrackRun(track, track - 1, start_s, end_s, num_frames, middle_s, box, agreement)


def chunk(*runs, num_at_once=2, num_left_out=0, num_frames=250) -> ChunkTracks:
    return ChunkTracks(runs, num_frames, num_at_once, num_left_out)


def reports(*chunks, highest=None):
    return face_track_reports(chunks, highest or {}, calibration=Calibration())


def test_a_track_is_reported_from_its_first_sight_to_its_last_over_all_chunks():
    larger = (0.5, 0.1, 0.2, 0.3)
    first, second = reports(
        chunk(run(1, 0, 10), run(2, 8, 10)),
        chunk(run(2, 10, 16, box=larger), run(1, 12, 14)),
        highest={1: 0.8},
    )
    assert (first.track, first.start_s, first.end_s, first.share) == (1, 0, 14, 0.6)
    assert (second.track, second.start_s, second.end_s, second.share) == (2, 8, 16, 0.4)
    assert (second.box_xywh, second.box_time_s) == (larger, 13)
    assert (first.score, second.score) == (0.8, None)


def test_where_one_face_is_seen_at_a_time_there_are_no_reports():
    assert reports(chunk(run(1, 0, 5), run(2, 5, 10), num_at_once=1)) == ()
    assert reports() == ()


@pytest.mark.parametrize(
    ("agreements", "speaks"),
    [
        ((0.4, 0.0), [True, False]),
        ((0.4, 0.3), [True, True]),
        ((0.4, 0.15), [True, False]),
        ((0.05, -0.2), [False, False]),
        ((None, 0.3), [None, True]),
    ],
)
def test_who_moves_the_mouth_with_the_audio_speaks(agreements, speaks):
    both = reports(chunk(*(run(i, 0, 10, agreement=a) for i, a in enumerate(agreements, 1))))
    assert [report.speaks for report in both] == speaks
    assert [report.lip_audio_agreement for report in both] == list(agreements)


def test_agreement_is_the_mean_by_time_of_what_is_known():
    [first, _] = reports(
        chunk(
            run(1, 0, 3, agreement=0.4), run(1, 4, 10, agreement=0.1), run(1, 11, 12), run(2, 0, 1)
        )
    )
    assert first.lip_audio_agreement == pytest.approx(0.2)


def test_faces_that_were_not_followed_are_said():
    assert left_out([chunk(), chunk(num_at_once=4, num_left_out=2)]) == (
        "6 faces in view at once; 4 of them were evaluated",
    )
    assert left_out([chunk()]) == left_out([]) == ()


def test_a_track_that_is_not_there_is_an_error_that_names_those_that_are():
    both = reports(chunk(run(1, 0, 10), run(2, 8, 10)))
    media = Media(path="clip.mp4")
    require_track(2, both, media)
    with pytest.raises(FaceTrackError, match=r"no face track 3; choose from 1, 2") as error:
        require_track(3, both, media)
    assert error.value.track == 3
    with pytest.raises(FaceTrackError, match="leave the number out"):
        require_track(1, (), media)
