"""Tests of the data of the timeline: a clip in seconds, its curves, and frames of its segments."""

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.dataset.metadata import PLAYABLE_PATH
from fiftyone_ops.panels.timeline_data import MAX_POINTS, clip_of, frames_of, highest
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.transcode import write_proxy

FIELDS = Fields("forgeries")


def clip_json(sample: fo.Sample, truth_field: str | None = None) -> dict:
    """Return the timeline of a clip as the browser gets it."""
    return clip_of(sample, FIELDS, truth_field=truth_field).model_dump(mode="json")


def test_a_timeline_is_in_seconds(fake):
    response = clip_json(fake, "ground_truth")
    assert (response["duration_s"], response["fps_hz"]) == (2.0, 25.0)
    assert (response["verdict"], response["score"], response["threshold"]) == ("fake", 0.75, 0.5)
    (segment,) = response["predicted"]
    assert (segment["start_s"], segment["end_s"]) == (0.5, 1.013)
    assert (segment["label"], segment["score"], segment["source"]) == ("audio", 0.75, None)
    assert response["reference"] is None


def test_a_clip_has_a_curve_a_modality_with_gaps_where_it_was_not_evaluated(fake):
    curves = clip_json(fake)["curves"]
    assert curves["score"] == [0.25, 0.75, 0.25, None]
    assert curves["by_modality"]["audio"] == [0.25, 0.75, 0.25, 0.25]
    modalities = clip_json(fake)["modalities"]
    by_name = {item["name"]: item for item in modalities}
    assert by_name["lips"]["opt_outs"] == [{"start_s": 1.5, "end_s": 2.0, "reason": "no face"}]
    assert by_name["audio"] == {"name": "audio", "score": 0.75, "opt_outs": []}


def test_a_timeline_has_the_offset_of_the_players_clock(fake, late_clip, tmp_path):
    assert clip_json(fake)["zero_s"] == 0
    fake.filepath = str(late_clip)
    assert clip_json(fake)["zero_s"] == probe(late_clip).zero_s > 0.9
    # What is played is the copy, where there is one.
    write_proxy(late_clip, tmp_path / "copy.mp4")
    fake[PLAYABLE_PATH] = str(tmp_path / "copy.mp4")
    assert clip_json(fake)["zero_s"] == 0
    fake[PLAYABLE_PATH] = fake.filepath = str(tmp_path / "gone.mp4")
    assert clip_json(fake)["zero_s"] == 0


def test_a_long_clip_sends_no_more_points_than_a_screen_shows(fake):
    num_snippets = 90_000
    scores = np.zeros(num_snippets)
    scores[12_345] = 0.9
    fake.forgeries_curves = fo.DynamicEmbeddedDocument(start_s=0.0, stride_s=0.04, score=scores)
    curves = clip_json(fake)["curves"]
    assert len(curves["score"]) <= MAX_POINTS
    point = curves["score"].index(0.9)
    assert point * curves["stride_s"] <= 12_345 * 0.04 < (point + 1) * curves["stride_s"]
    assert curves["stride_s"] == 0.04 * curves["snippets_a_point"]


def test_a_point_without_any_score_is_a_gap():
    assert highest(np.array([np.nan, np.nan, 0.2]), 2) == [None, 0.2]
    assert highest(np.array([]), 1) == []


def test_a_clip_that_was_not_evaluated_is_still_shown(named_dataset):
    response = clip_json(named_dataset.first(), "ground_truth")
    assert (response["verdict"], response["curves"], response["predicted"]) == (None, None, [])


def test_a_clip_that_could_not_be_evaluated_has_the_reason(evaluated):
    sample = evaluated.match(F("forgeries_verdict.label") == "abstained").first()
    response = clip_json(sample)
    assert (response["verdict"], response["score"]) == ("abstained", None)
    assert response["reason"] == "nobody is seen or heard"


def test_a_clip_whose_file_is_gone_is_still_shown(evaluated):
    sample = evaluated.match(F("filepath").ends_with("missing.mp4")).first()
    assert clip_json(sample)["verdict"] == "error"
    assert list(frames_of(sample, FIELDS)) == []


def test_a_clip_has_its_warnings_and_todays_word_for_its_verdict(fake):
    fake.forgeries_verdict.warnings = ["a demonstrator"]
    fake.forgeries_verdict.label = "genuine"
    response = clip_json(fake)
    assert (response["warnings"], response["verdict"]) == (["a demonstrator"], "not flagged")


def test_truth_that_has_frames_alone_is_in_seconds(fake):
    label = fo.TemporalDetection(label="both", support=[26, 50])
    fake["ground_truth"] = fo.TemporalDetections(detections=[label])
    (segment,) = clip_json(fake, "ground_truth")["reference"]
    assert (segment["start_s"], segment["end_s"]) == pytest.approx((1.0, 2.0))


def test_each_segment_has_a_frame_from_its_middle(fake):
    (frame,) = frames_of(fake, FIELDS)
    assert frame.segment_id == str(fake.forgeries.detections[0].id)
    assert frame.src.startswith("data:image/jpeg;base64,/9j/")
    # Frames are 40 ms apart; the one shown at 0.7565 s began at 0.72 s.
    assert frame.caption == "0:00.72"
