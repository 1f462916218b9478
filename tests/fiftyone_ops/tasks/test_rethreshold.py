"""Tests of verdicts and segments at another threshold, from stored scores alone."""

import shutil

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.core.odm import get_db_conn

from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.rethreshold import rethreshold
from fiftyone_ops.tasks.review.decide import decide
from fiftyone_ops.tasks.review.queue import queue
from mmmsba_plugin.errors import ConfigError

from ...transcripts import put_srt
from ..toy_detector import Toy


def verdicts(dataset) -> list[tuple[str, float | None]]:
    dataset.reload()
    return list(
        zip(
            dataset.values("forgeries_verdict.label"),
            dataset.values("forgeries_verdict.threshold"),
            strict=True,
        )
    )


def segments(dataset) -> list[list[tuple]]:
    dataset.reload()
    return [
        [(label.label, label.start_s, label.end_s, label.confidence) for label in field.detections]
        for field in dataset.values("forgeries")
    ]


def test_a_higher_threshold_takes_verdicts_and_segments_back(evaluated):
    summary = rethreshold(evaluated, 0.8)
    assert (summary.num_clips, summary.num_changed, summary.verdicts) == (4, 2, {"not flagged": 4})
    assert verdicts(evaluated)[:4] == [("not flagged", 0.8)] * 4
    assert segments(evaluated)[:4] == [[]] * 4
    assert str(summary) == "4 clips at 0.8: 0 fake, 2 of another verdict than before"


def test_a_lower_threshold_finds_segments_where_the_curve_reaches_it(evaluated):
    rethreshold(evaluated, 0.8)
    rethreshold(evaluated, 0.6)
    # The curve is 0.75 from 0.5 to 1 s, as that of audio alone, and 0.25 elsewhere.
    assert segments(evaluated)[0] == [("audio", 0.5, 1.0, 0.75)]
    label = evaluated.first().forgeries.detections[0]
    assert label.support == [13, 25]
    rethreshold(evaluated, 0.2)
    # All along, but for the end, where nothing was evaluated.
    assert [(start_s, end_s) for _, start_s, end_s, _ in segments(evaluated)[0]] == [(0.0, 1.5)]
    assert [label for label, _ in verdicts(evaluated)[:4]] == ["fake"] * 4


def test_a_threshold_needs_no_file_since_the_clock_is_kept_with_the_curves(
    dataset, toy, late_clip, tmp_path
):
    # Its first frame is not at its zero, so neither is its frame number 1.
    clip = shutil.copy(late_clip, tmp_path / "forged-late.mp4")
    dataset.add_sample(fo.Sample(filepath=str(clip)))
    annotate(dataset, detector=toy)
    rethreshold(dataset, 0.6)
    (with_file,) = dataset.first().forgeries.detections
    clip.unlink()
    rethreshold(dataset, 0.7)
    (without_file,) = dataset.first().forgeries.detections
    assert without_file.support == with_file.support


def test_curves_of_earlier_versions_have_no_clock_and_the_file_tells(evaluated):
    samples = get_db_conn()[evaluated._sample_collection_name]
    clock = {f"forgeries_curves.{name}": 1 for name in ("num_frames", "frame_edges_s")}
    assert samples.update_many({}, {"$unset": clock}).modified_count == 4
    rethreshold(evaluated, 0.6)
    evaluated.reload()
    assert evaluated.first().forgeries.detections[0].support == [13, 25]


def test_segments_are_named_by_the_transcript_beside_the_clip(evaluated, tmp_path):
    clip = tmp_path / "clip.mp4"
    shutil.copy(evaluated.first().filepath, clip)
    put_srt(clip.with_suffix(".srt"), (0.4, 1.1, "said"))
    sample = evaluated.first()
    sample.filepath = str(clip)
    sample.save()
    rethreshold(evaluated, 0.6)
    assert [label.words for label in evaluated.first().forgeries.detections] == ["said"]


def test_what_was_not_evaluated_and_what_has_no_curve_stays(named_dataset, toy):
    annotate(named_dataset, detector=toy, curves=False)
    before = verdicts(named_dataset)
    summary = rethreshold(named_dataset, 0.9)
    assert (summary.num_clips, summary.num_without_curve) == (0, 4)
    assert verdicts(named_dataset) == before
    assert "4 without a stored curve stay as they are" in str(summary)


def test_segments_say_where_they_come_from_and_once(evaluated):
    for threshold in (0.6, 0.7):
        rethreshold(evaluated, threshold)
    warnings = evaluated.first().forgeries_verdict.warnings
    assert [text for text in warnings if "derived from stored scores" in text] == warnings[-1:]


def test_detection_at_that_threshold_finds_the_clips_done(evaluated):
    rethreshold(evaluated, 0.6)
    again = annotate(evaluated, detector="toy", threshold=0.6)
    assert again.skipped >= 4


def test_a_review_that_was_ended_comes_back_where_predictions_changed(evaluated, fake):
    decide(evaluated, fake.id, action="finish", by="ada")
    assert list(queue(evaluated, "changed")) == []
    rethreshold(evaluated, 0.8)
    assert [sample.id for sample in queue(evaluated, "changed")] == [fake.id]


def test_no_other_samples_and_no_other_fields_are_touched(evaluated):
    annotate(evaluated, detector="toy", label_field="other")
    rethreshold(evaluated.limit(1), 0.8)
    assert [threshold for _, threshold in verdicts(evaluated)[:2]] == [0.8, 0.5]
    assert evaluated.first().other_verdict.threshold == 0.5


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.5, float("nan")])
def test_a_threshold_that_is_none_is_refused(evaluated, threshold):
    with pytest.raises(ConfigError, match=r"a threshold lies in \(0, 1\]"):
        rethreshold(evaluated, threshold)


def test_the_toy_agrees_where_its_segment_ends_at_a_snippet(evaluated):
    # The same verdicts as if the detector had run at that threshold.
    rethreshold(evaluated, 0.6)
    at = {Toy(threshold=0.6).detect(sample.filepath).fake for sample in evaluated.limit(2)}
    assert at == {True}
    assert np.isfinite(evaluated.first().forgeries_curves.score[:3]).all()
    assert isinstance(evaluated.first().forgeries, fo.TemporalDetections)
