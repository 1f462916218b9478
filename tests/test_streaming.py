"""Live sources: what becomes final stays, and all of it is seen."""

from itertools import pairwise

import numpy as np
import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features import chunks
from mmmsba_plugin.media.arrays import DecodedSource
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import ScoreThreshold, StreamUpdate


@pytest.fixture(autouse=True)
def short_context(monkeypatch):
    monkeypatch.setattr(chunks, "CONTEXT_S", 0.4)


@pytest.fixture
def updates(detector, talking_clip):
    return list(detector.stream(str(talking_clip), chunk_s=1.0))


@pytest.fixture(scope="module")
def lossless_clip(talking_clip, tmp_path_factory):
    """The talking clip, of which decoded arrays are the same as what the file holds."""
    media, path = probe(talking_clip), tmp_path_factory.mktemp("lossless") / "clip.mkv"
    write_clip(
        path,
        FrameReader(media),
        fps_hz=25,
        audio=read_audio(media).samples,
        audio_codec="pcm_s16le",
        video_codec="ffv1",
    )
    return path


def arrays_of(clip):
    media = probe(clip)
    return [frame.rgb for frame in FrameReader(media)], read_audio(media).samples


def test_updates_follow_each_other_up_to_the_end(updates, talking_clip):
    assert [update.is_last for update in updates] == [False] * (len(updates) - 1) + [True]
    assert updates[0].start_s == 0.0
    for before, after in pairwise(updates):
        assert after.start_s == before.final_s
    assert updates[-1].final_s == updates[-1].end_s
    assert updates[-1].end_s == pytest.approx(probe(talking_clip).duration_s, abs=0.1)


def test_no_update_reaches_behind_the_source(detector, talking_clip):
    duration_s = probe(talking_clip).duration_s
    first, last = detector.stream(str(talking_clip), chunk_s=duration_s - 0.2)
    assert first.end_s == last.end_s == pytest.approx(duration_s, abs=0.1)


def test_an_update_comes_before_the_source_has_ended(updates):
    assert len(updates) == 3
    assert updates[0].final_s == pytest.approx(1.0, abs=0.1)
    assert updates[0].end_s == pytest.approx(1.4, abs=0.1)


def test_curves_reach_from_the_start_of_an_update_to_its_end(updates):
    for update in updates:
        assert update.curves.start_s == update.start_s
        reach_s = update.start_s + len(update.curves.score) * update.curves.stride_s
        assert update.end_s <= reach_s < update.end_s + update.curves.stride_s


def test_the_score_is_the_highest_of_the_final_curve(updates):
    highest = 0.0
    for update in updates:
        num_final = round((update.final_s - update.start_s) / update.curves.stride_s)
        highest = max([highest, *update.curves.score[:num_final]])
        assert update.score == pytest.approx(highest)


def test_final_segments_never_overlap_and_none_is_told_twice(with_config, talking_clip, detector):
    scores = [s for s in detector.detect(talking_clip).curves.score if s is not None]
    low = detector.with_threshold(float(np.quantile(scores, 0.5)))
    replies = list(low.stream(str(talking_clip), chunk_s=1.0))
    segments = [segment for update in replies for segment in update.segments]
    assert segments
    for before, after in pairwise(segments):
        assert before.end_s <= after.start_s
    assert replies[-1].provisional == ()


def test_a_segment_that_lasts_stays_provisional_until_the_end(with_config, detector, talking_clip):
    config = detector.config.at_threshold(ScoreThreshold(value=0.0))
    everything = with_config(
        localization=config.localization.model_copy(update={"min_segment_s": 0.0}),
        score_threshold=config.score_threshold,
    )
    replies = list(everything.stream(str(talking_clip), chunk_s=1.0))
    assert all(update.segments == () for update in replies[:-1])
    assert len(replies[-1].segments) == 1
    assert [len(update.provisional) for update in replies] == [1, 1, 0]


def test_faces_that_were_left_out_are_said(detector, pair_clip):
    *_, last = detector.stream(str(pair_clip), chunk_s=1.0)
    assert any("2 faces in view; only the main one was judged" in w for w in last.warnings)


def test_each_update_carries_the_caution_of_the_weights(with_config, talking_clip):
    cautious = with_config(caution="Trained on one drawn face.")
    updates = list(cautious.stream(str(talking_clip), chunk_s=1.0))
    assert all("Trained on one drawn face." in update.warnings for update in updates)


def test_an_update_reads_back_as_it_was_written(updates):
    for update in updates:
        assert StreamUpdate.model_validate_json(update.model_dump_json()) == update


def test_pushed_frames_give_what_the_file_gives(detector, lossless_clip):
    rgb, samples = arrays_of(lossless_clip)
    pushed = DecodedSource(iter(rgb), 25, np.array_split(samples, 7), 16_000)
    of_file = list(detector.stream(str(lossless_clip), chunk_s=1.0))
    of_arrays = list(detector.stream(pushed, chunk_s=1.0))
    for ours, theirs in zip(of_arrays, of_file, strict=True):
        assert ours.curves.score == pytest.approx(theirs.curves.score, abs=1e-5)


def test_a_stream_of_one_chunk_gets_the_curve_of_its_file(detector, lossless_clip):
    (update,) = detector.stream(str(lossless_clip), chunk_s=60.0)
    report = detector.detect(lossless_clip)
    assert update.curves.score == pytest.approx(report.curves.score, abs=1e-5)
    assert update.score == pytest.approx(report.score, abs=1e-5)


def test_decoded_frames_get_the_report_of_their_file(detector, lossless_clip):
    rgb, samples = arrays_of(lossless_clip)
    report = detector.detect_frames(rgb, 25, samples, 16_000, name="camera 3")
    of_file = detector.detect(lossless_clip)
    assert report.curves.score == pytest.approx(of_file.curves.score, abs=1e-5)
    assert report.score == pytest.approx(of_file.score, abs=1e-5)
    assert report.media.path == "camera 3"
    assert report.media.container is report.media.sha256 is None
    assert any("container, encoding and hash are not known" in w for w in report.warnings)


def test_frames_without_audio_are_evaluated_by_what_there_is(detector, lossless_clip):
    rgb, _ = arrays_of(lossless_clip)
    report = detector.detect_frames(rgb, 25)
    assert report.status == "ok"
    assert report.modalities["audio"].score is None


@pytest.mark.parametrize("chunk_s", [0.0, -1.0, float("nan")])
def test_a_chunk_that_has_no_length_is_refused(detector, talking_clip, chunk_s):
    with pytest.raises(ConfigError, match="chunk_s must be at least 1 s"):
        next(detector.stream(str(talking_clip), chunk_s=chunk_s))


def test_decoded_frames_keep_their_leading_silence_and_the_report_says_so(
    detector, with_config, lossless_clip
):
    trimmed = detector.config.features.model_copy(update={"trim_silence": True})
    report = with_config(features=trimmed).detect_frames(*arrays_of(lossless_clip)[:1], 25)
    assert any("leading silence was not left out" in warning for warning in report.warnings)
