"""Clips with several audio tracks: one can be chosen, or all of them evaluated."""

import av
import numpy as np
import pytest

from mmmsba_plugin import Detector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features import walk
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Report

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def two_tracks(talking_clip, tmp_path_factory):
    """The talking clip with a track of noise before its own."""
    path = tmp_path_factory.mktemp("tracks") / "two.mkv"
    speech = read_audio(probe(talking_clip)).samples
    noise = np.random.default_rng(0).normal(0, 0.1, speech.size).astype(np.float32)
    with av.open(str(talking_clip)) as source, av.open(str(path), "w") as out:
        video = source.streams.video[0]
        copy = out.add_stream_from_template(video)
        streams = [out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono") for _ in range(2)]
        for packet in source.demux(video):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
        for stream, samples in zip(streams, (noise, speech), strict=True):
            frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
            frame.sample_rate = RATE_HZ
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def by_track(detector, two_tracks):
    """The report with each of the tracks."""
    return {n: detector.detect(two_tracks, audio_track=n) for n in (1, 2)}


def test_a_track_is_chosen_by_its_number(by_track):
    assert {n: report.media.audio.track for n, report in by_track.items()} == {1: 1, 2: 2}
    assert by_track[1].score != by_track[2].score
    for n, report in by_track.items():
        other = f"the audio track {3 - n} (pcm_s16le) of the file was not evaluated"
        assert other in report.warnings


def test_the_first_track_is_evaluated_if_none_is_chosen(detector, two_tracks, by_track):
    report = detector.detect(two_tracks)
    assert (report.media.audio.track, report.score) == (1, by_track[1].score)


def test_of_all_tracks_the_one_with_the_highest_score_is_reported(detector, two_tracks, by_track):
    report = detector.detect(two_tracks, audio_track="all")
    scores = {n: track_report.score for n, track_report in by_track.items()}
    worst = max(scores, key=scores.get)
    assert {track.track: track.score for track in report.audio_tracks} == scores
    assert (report.media.audio.track, report.score) == (worst, scores[worst])
    assert report.curves == by_track[worst].curves
    assert report.media.others == ()
    assert not any("was not evaluated" in warning for warning in report.warnings)
    assert any(f"track 1 {scores[1]:.2f}" in warning for warning in report.warnings)
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_tracks_are_kept_apart_in_the_cache(detector, two_tracks, by_track, tmp_path):
    cached = Detector(detector.network, detector.config, cache=FeatureCache(tmp_path))
    for n in (1, 2, 1):
        assert cached.detect(two_tracks, audio_track=n).score == by_track[n].score


def test_faces_are_followed_once_for_all_tracks(detector, two_tracks, monkeypatch):
    passes = []
    original = walk.follow_faces

    def follow(*arguments, **keywords):
        passes.append(1)
        return original(*arguments, **keywords)

    monkeypatch.setattr(walk, "follow_faces", follow)
    uncached = Detector(detector.network, detector.config)
    assert len(uncached.detect(two_tracks, audio_track="all").audio_tracks) == 2
    assert len(passes) == 1


@pytest.mark.parametrize("number", [3, 10**9])
def test_a_track_that_is_not_there_is_an_error_that_names_those_that_are(
    detector, two_tracks, number
):
    report = detector.detect(two_tracks, audio_track=number)
    assert (report.status, report.problem.kind) == ("error", "AudioTrackError")
    assert "choose from 1 (pcm_s16le), 2 (pcm_s16le)" in report.problem.message


def test_a_clip_without_audio_has_no_track_to_choose(detector, silent_clip):
    assert "has no audio" in detector.detect(silent_clip, audio_track=1).problem.message
    assert detector.detect(silent_clip, audio_track="all").status == "ok"


@pytest.mark.parametrize("track", [0, -1, 1.0, "2", "every"])
def test_a_track_is_a_number_from_one_or_all(detector, two_tracks, track):
    with pytest.raises(ConfigError, match="an audio track is a number from 1, or 'all'"):
        detector.detect(two_tracks, audio_track=track)


def test_the_detector_says_that_it_heeds_the_option(detector):
    assert "audio_track" in detector.info["options"]


def test_bytes_have_tracks_too(detector, two_tracks, by_track):
    report = detector.detect(two_tracks.read_bytes(), audio_track=2)
    assert report.score == by_track[2].score
