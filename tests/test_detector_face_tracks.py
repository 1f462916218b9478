"""Clips with several faces: each is evaluated with the audio, and one can be chosen."""

import pytest

from mmmsba_plugin import Detector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Report


@pytest.fixture(scope="module")
def tracks_cache(tmp_path_factory):
    return FeatureCache(tmp_path_factory.mktemp("tracks"))


@pytest.fixture(scope="module")
def cached(detector, tracks_cache):
    return Detector(detector.network, detector.config, cache=tracks_cache)


@pytest.fixture(scope="module")
def report(cached, pair_clip) -> Report:
    return cached.detect(pair_clip)


def test_each_face_is_named_with_its_place_its_time_and_its_score(report):
    first, second = report.face_tracks
    assert (first.track, second.track) == (1, 2)
    assert (first.start_s, first.share) == (0.0, 1.0)
    # It is found when the whole frame is next looked at.
    assert 1.0 <= second.start_s <= 2.0
    assert second.end_s == pytest.approx(3.0, abs=0.1)
    left, _, width, height = first.box_xywh
    assert left + width < 0.5 < second.box_xywh[0]
    assert height > second.box_xywh[3]
    assert first.score is not None
    assert second.score is not None


def test_the_verdict_rests_on_the_face_that_scores_highest(report):
    scores = {track.track: track.score for track in report.face_tracks}
    if report.verdict_track is not None:
        assert report.score == scores[report.verdict_track]
    assert report.score >= max(scores.values())
    assert not any("only the main one" in warning for warning in report.warnings)


def test_the_main_face_alone_is_evaluated_as_a_clip_of_one_face_is(cached, pair_clip, report):
    main = cached.detect(pair_clip, face_track="main")
    assert (main.face_tracks, main.verdict_track) == ((), None)
    assert "2 faces in view; only the main one was judged" in main.warnings
    both = zip(main.curves.score, report.curves.score, strict=True)
    assert all(alone <= together for alone, together in both if alone is not None)


def test_one_face_can_be_chosen_by_its_number(cached, pair_clip, report):
    second = cached.detect(pair_clip, face_track=2)
    track = report.face_tracks[1]
    assert (second.score, second.verdict_track) == (track.score, 2)
    assert second.face_tracks == report.face_tracks
    stride_s = second.curves.stride_s
    evaluated = [i * stride_s for i, score in enumerate(second.curves.score) if score is not None]
    assert min(evaluated) >= track.start_s - stride_s
    assert max(evaluated) <= track.end_s


def test_a_face_that_is_not_there_is_an_error_that_names_those_that_are(cached, pair_clip):
    report = cached.detect(pair_clip, face_track=3)
    assert (report.status, report.problem.kind) == ("error", "FaceTrackError")
    assert "choose from 1, 2" in report.problem.message


def test_fake_segments_name_the_face_with_the_highest_score_in_them(
    at_score, tracks_cache, pair_clip
):
    strict = at_score(0.0)
    strict = Detector(strict.network, strict.config, cache=tracks_cache)
    segments = strict.detect(pair_clip).segments
    assert segments
    assert {1} <= {segment.track for segment in segments} <= {1, 2, None}


def test_from_the_cache_the_report_is_the_same_and_nothing_is_decoded(
    cached, pair_clip, report, monkeypatch
):
    monkeypatch.setattr(FrameReader, "__iter__", None)
    again = cached.detect(pair_clip)
    for name in ("score", "curves", "face_tracks", "verdict_track", "segments", "warnings"):
        assert getattr(again, name) == getattr(report, name)


def test_a_cache_that_holds_the_main_face_alone_lacks_the_others(
    detector, pair_clip, report, tmp_path
):
    cached = Detector(detector.network, detector.config, cache=FeatureCache(tmp_path))
    cached.detect(pair_clip, face_track="main")
    later = cached.detect(pair_clip)
    assert (later.score, later.face_tracks) == (report.score, report.face_tracks)


def test_of_one_face_a_cache_with_the_main_one_lacks_nothing(
    detector, talking_clip, tmp_path, monkeypatch
):
    cached = Detector(detector.network, detector.config, cache=FeatureCache(tmp_path))
    main = cached.detect(talking_clip, face_track="main")
    monkeypatch.setattr(FrameReader, "__iter__", None)
    later = cached.detect(talking_clip)
    assert (later.score, later.curves) == (main.score, main.curves)
    assert later.face_tracks == ()


def test_a_clip_with_several_faces_is_decoded_once(detector, pair_clip, monkeypatch):
    walks = []
    for reader in (AudioReader, FrameReader):
        decode = reader.__iter__

        def counted(self, decode=decode):
            walks.append(type(self).__name__)
            return decode(self)

        monkeypatch.setattr(reader, "__iter__", counted)
    Detector(detector.network, detector.config).detect(pair_clip)
    assert sorted(walks) == ["AudioReader", "FrameReader"]


def test_faces_keep_their_numbers_from_chunk_to_chunk(detector, pair_clip, report, tmp_path):
    features = detector.config.features.model_copy(update={"chunk_s": 1.0})
    config = detector.config.model_copy(update={"features": features})
    cached = Detector(detector.network, config, cache=FeatureCache(tmp_path))
    for _ in range(2):
        chunked = cached.detect(pair_clip)
        assert chunked.windows.features_s == 1.0
        for cut, whole in zip(chunked.face_tracks, report.face_tracks, strict=True):
            assert (cut.track, cut.start_s, cut.share) == (
                whole.track,
                whole.start_s,
                pytest.approx(whole.share),
            )
            assert cut.end_s == pytest.approx(whole.end_s, abs=0.05)


def test_frames_that_were_decoded_elsewhere_have_face_tracks_too(detector, pair_clip):
    media = probe(pair_clip)
    frames = [frame.rgb for frame in FrameReader(media)]
    report = detector.detect_frames(frames, 25, read_audio(media).samples, 16_000)
    assert [track.track for track in report.face_tracks] == [1, 2]


def test_as_many_faces_are_evaluated_as_the_settings_allow(with_config, detector, pair_clip):
    features = detector.config.features.model_copy(update={"max_faces": 1})
    report = with_config(features=features).detect(pair_clip)
    assert report.face_tracks == ()
    assert "2 faces in view; only the main one was judged" in report.warnings


@pytest.mark.parametrize("track", [0, -1, 1.0, "2", "every", True])
def test_a_face_track_is_a_number_from_one_main_or_all(detector, pair_clip, track):
    with pytest.raises(ConfigError, match="a face track is a number from 1, 'main' or 'all'"):
        detector.detect(pair_clip, face_track=track)


def test_the_detector_says_that_it_heeds_the_choice_of_a_face(detector):
    assert "face_track" in detector.info["options"]


def test_four_faces_on_a_real_screen_are_four(shared):
    report = Detector.from_pretrained().detect(shared / "footage/train/avobjects_demo.mp4")
    assert [track.share for track in report.face_tracks] == [1.0] * 4
    # Those in the right half answer each other; the two others listen.
    speaking = {t.track for t in report.face_tracks if t.speaks}
    assert {t.track for t in report.face_tracks if t.box_xywh[0] > 0.5} == speaking
