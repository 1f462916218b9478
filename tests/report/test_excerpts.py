"""Excerpts of a clip: what is shown of a segment, and what it is compared with."""

import itertools
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.report.excerpts import (
    NUM_MOUTHS,
    ExcerptReader,
    comparison_span,
    probabilities_in,
    span_to_show,
)
from mmmsba_plugin.schema import Curves, FakeSegment, Media, OptOut
from mmmsba_plugin.segment import Segment, overlap_s

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()


def segment(start_s, end_s):
    return FakeSegment(start_s=start_s, end_s=end_s, score=0.9)


def changed(**fields):
    return REPORT.model_copy(update={"curves": None, "modalities": {}, **fields})


def test_a_segment_is_shown_with_what_lies_around_it():
    assert span_to_show(segment(2.0, 3.0), None, 10.0) == Segment(1.75, 3.25)
    assert span_to_show(segment(2.0, 4.0), None, 10.0) == Segment(1.6, 4.4)
    assert span_to_show(segment(0.0, 0.5), None, 0.6) == Segment(0.0, 0.6)


def test_of_a_long_segment_the_seconds_around_its_highest_score_are_shown():
    assert span_to_show(segment(0.0, 100.0), None, 100.0) == Segment(47.0, 53.0)
    score = (0.1,) * 70 + (0.9,) + (0.1,) * 29
    curves = Curves(start_s=0.0, stride_s=1.0, score=score)
    assert span_to_show(segment(0.0, 100.0), curves, 100.0) == Segment(67.0, 73.0)
    assert span_to_show(segment(60.0, 72.0), curves, 100.0) == Segment(66.0, 72.0)


@given(st.floats(0, 90), st.floats(0.01, 90), st.floats(0.1, 100))
def test_what_is_shown_overlaps_its_segment_and_is_short(start_s, length_s, end_s):
    fake = segment(start_s, start_s + length_s)
    span = span_to_show(fake, None, end_s)
    assert span.start_s >= 0
    assert span.duration_s <= 6.0 + 1e-9
    assert overlap_s(span, Segment(fake.start_s, fake.end_s)) > 0


def test_a_segment_is_compared_with_the_nearest_part_that_is_not_flagged():
    report = changed(segments=(segment(4.0, 5.0), segment(6.0, 7.0)))
    assert comparison_span(report, report.segments[0], 1.5) == Segment(2.25, 3.75)
    assert comparison_span(report, report.segments[1], 1.5) == Segment(7.25, 8.75)


def test_what_was_not_evaluated_or_reaches_the_threshold_is_no_comparison():
    hidden = (OptOut(start_s=2.0, end_s=3.9, reason="no face"),)
    modalities = {"lips": REPORT.modalities["lips"].model_copy(update={"opt_outs": hidden})}
    report = changed(segments=(segment(4.0, 5.0),), modalities=modalities)
    assert comparison_span(report, report.segments[0], 1.5) == Segment(5.25, 6.75)
    curves = Curves(start_s=0.0, stride_s=1.0, score=(0.1,) * 6 + (0.5, None, 0.1, 0.1))
    report = report.model_copy(update={"curves": curves})
    assert comparison_span(report, report.segments[0], 1.5) == Segment(0.5, 2.0)
    assert comparison_span(report, report.segments[0], 2.0) == Segment(0.0, 2.0)
    late = changed(segments=(segment(1.0, 5.0),), curves=curves)
    assert comparison_span(late, late.segments[0], 1.5) == Segment(8.0, 9.5)


def test_a_short_part_is_better_than_none_to_compare_with():
    media = Media(path="a.mp4", duration_s=6.0)
    report = changed(segments=(segment(0.0, 5.0),), media=media)
    assert comparison_span(report, report.segments[0], 6.0) == Segment(5.25, 6.0)
    report = changed(segments=(segment(0.0, 5.6),), media=media)
    assert comparison_span(report, report.segments[0], 6.0) is None


def test_each_modality_says_its_highest_probability_in_a_span():
    curves = Curves(
        start_s=0.0, stride_s=1.0, score=(0.1, 0.7, 0.2), by_modality={"lips": (None, None, 0.3)}
    )
    report = changed(curves=curves)
    assert probabilities_in(report, Segment(0.5, 2.0)) == {"all together": 0.7, "lips": None}
    assert probabilities_in(report, Segment(1.5, 3.0)) == {"all together": 0.7, "lips": 0.3}
    assert probabilities_in(changed(), Segment(0.0, 1.0)) == {}


def test_mouths_and_spectrogram_are_of_the_span_that_is_shown(talking_clip):
    fake = segment(1.0, 1.6)
    report = changed(media=probe(talking_clip), segments=(fake,), face_tracks=())
    excerpts = ExcerptReader(report).read(fake)
    mouths = excerpts.segment.mouths
    assert len(mouths) == NUM_MOUTHS
    assert all(mouth.image.startswith("data:image/jpeg;base64,") for mouth in mouths)
    assert [mouth.is_within for mouth in mouths] == [1.0 <= m.time_s < 1.6 for m in mouths]
    gaps_s = [b.time_s - a.time_s for a, b in itertools.pairwise(mouths)]
    assert max(gaps_s) < 0.2
    assert excerpts.segment.spectrogram.startswith("data:image/jpeg;base64,")
    assert excerpts.segment.left == pytest.approx(100 * 0.25 / 1.1)
    assert excerpts.segment.width == pytest.approx(100 * 0.6 / 1.1)
    assert excerpts.comparison.span == Segment(1.85, 2.95)
    assert not any(mouth.is_within for mouth in excerpts.comparison.mouths)


def test_the_mouth_is_of_the_face_that_the_segment_is_about(pair_clip):
    media = probe(pair_clip)
    boxes = {1: (0.1, 0.2, 0.3, 0.5), 2: (0.6, 0.2, 0.3, 0.5)}
    tracks = tuple(
        REPORT.face_tracks[0].model_copy(update={"track": number, "box_xywh": box})
        for number, box in boxes.items()
    )
    fakes = [segment(1.4, 2.4).model_copy(update={"track": number}) for number in boxes]
    reader = ExcerptReader(changed(media=media, segments=tuple(fakes), face_tracks=tracks))
    talking, still = ({mouth.image for mouth in reader.read(fake).segment.mouths} for fake in fakes)
    assert talking.isdisjoint(still)


def test_what_is_absent_is_left_out(silent_clip):
    fake = segment(1.0, 1.6)
    report = changed(media=probe(silent_clip), segments=(fake,), face_tracks=())
    assert ExcerptReader(report).read(fake).segment.spectrogram is None
    audio_alone = report.media.model_copy(update={"video": None})
    report = report.model_copy(update={"media": audio_alone})
    assert ExcerptReader(report).read(fake).segment.mouths == ()
