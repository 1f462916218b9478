"""What panels answer, asked as the browser asks: through their methods, by name."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.labels import Fields
from fiftyone_ops.panels.overview_data import narrowed, overview_of
from fiftyone_ops.panels.timeline_data import MAX_POINTS, clip_of, frames_of, highest
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.metadata import PLAYABLE_PATH
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.transcode import write_proxy

from ..asking import ask

OVERVIEW = "@mmmsba/fiftyone_ops/forgery_overview"
TIMELINE = "@mmmsba/fiftyone_ops/forgery_timeline"
FIELDS = Fields("forgeries")
PLUGIN = Path(__file__).resolve().parents[3] / "fiftyone_ops"


@pytest.fixture
def judged(named_dataset, toy):
    """The small videos, judged: two forged, two real, one abstained, two failed."""
    annotate(named_dataset, detector=toy)
    return named_dataset


def fake(dataset) -> fo.Sample:
    return dataset.match(F("forgeries_verdict.label") == "forged").first()


def test_the_app_finds_both_panels():
    assert {OVERVIEW, TIMELINE} <= {panel.uri for panel in foo.list_operators(type="panel")}


def test_the_script_was_built_of_the_sources_beside_it():
    # Else: npm ci && npm run build, in fiftyone_ops/panel.
    told = hashlib.sha256()
    for source in sorted((PLUGIN / "panel" / "src").iterdir()):
        told.update(source.read_bytes())
    first, _ = (PLUGIN / "dist" / "index.umd.js").read_text(encoding="utf-8").split("\n", 1)
    assert first == f"/* built of src/ {told.hexdigest()} */"


@pytest.mark.parametrize("uri", [OVERVIEW, TIMELINE])
def test_a_panel_names_the_methods_that_its_drawing_asks_for(uri):
    panel = foo.get_operator(uri)
    view = panel.render(None).to_json()["view"]
    assert view["component"].startswith("Mmmsba")
    methods = {name: told for name, told in view.items() if "#" in str(told)}
    assert {told.partition("#")[0] for told in methods.values()} == {uri}
    assert all(callable(getattr(panel, told.partition("#")[2])) for told in methods.values())


# One clip


def test_a_clip_is_told_in_seconds(judged):
    told = clip_of(fake(judged), FIELDS, truth_field="ground_truth")
    assert (told["duration_s"], told["fps_hz"]) == (2.0, 25.0)
    assert (told["verdict"], told["score"], told["threshold"]) == ("forged", 0.75, 0.5)
    (segment,) = told["predicted"]
    assert (segment["start_s"], segment["end_s"]) == (0.5, 1.013)
    assert (segment["label"], segment["score"], segment["source"]) == ("audio", 0.75, None)
    assert told["reference"] is None


def test_a_clip_has_a_curve_a_modality_with_gaps_where_it_was_not_judged(judged):
    curves = clip_of(fake(judged), FIELDS, truth_field=None)["curves"]
    assert curves["score"] == [0.25, 0.75, 0.25, None]
    assert curves["by_modality"]["audio"] == [0.25, 0.75, 0.25, 0.25]
    modalities = clip_of(fake(judged), FIELDS, truth_field=None)["modalities"]
    by_name = {one["name"]: one for one in modalities}
    assert by_name["lips"]["opt_outs"] == [{"start_s": 1.5, "end_s": 2.0, "reason": "no face"}]
    assert by_name["audio"] == {"name": "audio", "score": 0.75, "opt_outs": []}


def test_where_the_zero_lies_on_the_player_s_clock_is_told(judged, late_clip, tmp_path):
    sample = fake(judged)
    assert clip_of(sample, FIELDS, truth_field=None)["zero_s"] == 0
    sample.filepath = str(late_clip)
    assert clip_of(sample, FIELDS, truth_field=None)["zero_s"] == probe(late_clip).zero_s > 0.9
    # What is played is the copy, where there is one.
    write_proxy(late_clip, tmp_path / "copy.mp4")
    sample[PLAYABLE_PATH] = str(tmp_path / "copy.mp4")
    assert clip_of(sample, FIELDS, truth_field=None)["zero_s"] == 0
    sample[PLAYABLE_PATH] = sample.filepath = str(tmp_path / "gone.mp4")
    assert clip_of(sample, FIELDS, truth_field=None)["zero_s"] == 0


def test_a_long_clip_sends_no_more_points_than_a_screen_shows(judged):
    sample = fake(judged)
    num_snippets = 90_000
    scores = np.zeros(num_snippets)
    scores[12_345] = 0.9
    sample.forgeries_curves = fo.DynamicEmbeddedDocument(start_s=0.0, stride_s=0.04, score=scores)
    curves = clip_of(sample, FIELDS, truth_field=None)["curves"]
    assert len(curves["score"]) <= MAX_POINTS
    point = curves["score"].index(0.9)
    assert point * curves["stride_s"] <= 12_345 * 0.04 < (point + 1) * curves["stride_s"]
    assert curves["stride_s"] == 0.04 * curves["snippets_a_point"]


def test_a_point_without_any_score_is_a_gap():
    assert highest(np.array([np.nan, np.nan, 0.2]), 2) == [None, 0.2]
    assert highest(np.array([]), 1) == []


def test_a_clip_that_was_not_judged_is_still_shown(named_dataset):
    told = clip_of(named_dataset.first(), FIELDS, truth_field="ground_truth")
    assert (told["verdict"], told["curves"], told["predicted"]) == (None, None, [])


def test_a_clip_that_could_not_be_judged_says_why(judged):
    sample = judged.match(F("forgeries_verdict.label") == "abstained").first()
    told = clip_of(sample, FIELDS, truth_field=None)
    assert (told["verdict"], told["score"]) == ("abstained", None)
    assert told["reason"] == "nobody is seen or heard"


def test_a_clip_whose_file_is_gone_is_still_shown(judged):
    sample = judged.match(F("filepath").ends_with("missing.mp4")).first()
    assert clip_of(sample, FIELDS, truth_field=None)["verdict"] == "error"
    assert list(frames_of(sample, FIELDS)) == []


def test_truth_that_has_frames_alone_is_told_in_seconds(judged):
    sample = fake(judged)
    label = fo.TemporalDetection(label="both", support=[26, 50])
    sample["ground_truth"] = fo.TemporalDetections(detections=[label])
    (segment,) = clip_of(sample, FIELDS, truth_field="ground_truth")["reference"]
    assert (segment["start_s"], segment["end_s"]) == pytest.approx((1.0, 2.0))


def test_each_segment_has_a_frame_from_its_middle(judged):
    sample = fake(judged)
    (frame,) = frames_of(sample, FIELDS)
    assert frame["segment_id"] == str(sample.forgeries.detections[0].id)
    assert frame["src"].startswith("data:image/jpeg;base64,/9j/")
    # Frames are 40 ms apart; the one shown at 0.7565 s began at 0.72 s.
    assert frame["caption"] == "0:00.72"


def test_a_panel_says_what_is_wrong_and_stays(judged):
    answer, _ = ask(TIMELINE, "load", judged, sample_id="000000000000000000000000")
    assert "was deleted" in answer["problem"]


def test_the_app_can_make_its_annotation_schemas_of_our_fields(judged):
    # It does so whenever a sample is opened; over an array declared within a document it raises.
    uri = "@voxel51/operators/get_label_schemas"
    # In a thread: beside a browser that runs here, FiftyOne would only promise an answer.
    with ThreadPoolExecutor() as aside:
        told = aside.submit(foo.execute_operator, uri, {"dataset": judged}).result()
    assert told.error is None


# A dataset


def test_counts_and_bars_are_what_they_say(judged):
    told = overview_of(judged, FIELDS)
    assert told["num_clips"] == 7
    assert {bar["low"]: bar["count"] for bar in told["bars"] if bar["count"]} == {0.25: 2, 0.75: 2}
    assert told["threshold"] == 0.5
    tallies = {tally["kind"]: tally["counts"] for tally in told["tallies"]}
    assert [(one["value"], one["count"]) for one in tallies["verdict"]] == [
        ("forged", 2),
        ("genuine", 2),
        ("abstained", 1),
        ("error", 2),
    ]
    assert tallies["modality"] == [{"value": "audio", "count": 2}]


@pytest.mark.parametrize("score", [0.0, 0.05, 0.3, 0.35, 0.55, 0.7, 0.95, 1.0])
def test_a_bar_leads_to_the_clips_that_it_counts(judged, score):
    judged.set_values("forgeries_verdict.confidence", [score] * 4 + [None] * 3)
    (bar,) = (one for one in overview_of(judged, FIELDS)["bars"] if one["count"])
    assert bar["count"] == 4
    assert bar["low"] <= score <= bar["high"]
    assert len(narrowed(judged, FIELDS, kind="score", value=bar["low"])) == 4


def test_a_count_leads_to_the_clips_that_it_counts(judged):
    judged.set_values("split", ["train"] * 5 + ["test"] * 2)
    for tally in overview_of(judged, FIELDS)["tallies"]:
        assert tally["counts"]
        for one in tally["counts"]:
            found = narrowed(judged, FIELDS, kind=tally["kind"], value=one["value"])
            assert len(found) == one["count"]


def test_without_a_field_of_splits_tags_tell_them(judged):
    judged.limit(3).tag_samples("held-out")
    told = overview_of(judged, FIELDS)["tallies"][-1]
    assert {"value": "held-out", "count": 3} in told["counts"]
    assert len(narrowed(judged, FIELDS, kind="split", value="held-out")) == 3


def test_the_overview_counts_what_is_in_view(judged):
    answer, _ = ask(OVERVIEW, "summary", judged.limit(1))
    assert answer["num_clips"] == 1
    assert (answer["fields"], answer["field"]) == (["forgeries"], "forgeries")


def test_the_overview_of_clips_that_nobody_judged_says_so(named_dataset):
    answer, _ = ask(OVERVIEW, "summary", named_dataset)
    assert answer == {"fields": [], "field": None}


def test_what_is_clicked_becomes_the_view(judged):
    _, result = ask(OVERVIEW, "show", judged, kind="verdict", value="forged")
    assert result == ["set_view"]
    _, result = ask(OVERVIEW, "show", judged, kind="all")
    assert result == ["clear_view"]


# A review


def test_a_decision_is_kept_and_told(judged):
    sample = fake(judged)
    predicted = str(sample.forgeries.detections[0].id)
    decision = {"action": "adjust", "label_id": predicted, "start_s": 0.6, "end_s": 0.9}
    told, result = ask(TIMELINE, "decide", judged, sample_id=sample.id, decision=decision)
    (kept,) = told["reviewed"]
    assert (kept["source"], kept["start_s"], kept["end_s"]) == (predicted, 0.6, 0.9)
    assert told["review"]["decided"] == {predicted: "accepted"}
    assert (told["review"]["label"], told["review"]["num_decisions"]) == ("forged", 1)
    assert told["review"]["by"]
    assert result == []


def test_a_decision_that_makes_no_sense_is_told_in_words(judged):
    decision = {"action": "add", "start_s": 1.0, "end_s": 0.5, "modality": "audio"}
    told, _ = ask(TIMELINE, "decide", judged, sample_id=judged.first().id, decision=decision)
    assert "must end after it starts" in told["problem"]


def test_whoever_is_done_with_a_clip_gets_the_next(judged):
    first = judged.first().id
    _, result = ask(TIMELINE, "decide", judged, sample_id=first, decision={"action": "finish"})
    assert result == ["open_sample"]


def test_the_queue_says_what_waits_and_how_far_one_is(judged):
    told, _ = ask(OVERVIEW, "queue", judged, reason="unlabelled")
    assert [(one["score"], one["at_s"]) for one in told["items"]] == [(0.75, [0.5])] * 2
    counts = {one["name"]: one["count"] for one in told["reasons"]}
    assert counts == {"uncertain": 4, "unlabelled": 2, "missed": 0, "disagree": 2}
    assert (told["num_reviewed"], told["num_clips"]) == (0, 7)

    result = told["items"][0]["sample_id"]
    ask(TIMELINE, "decide", judged, sample_id=result, decision={"action": "finish"})
    told, _ = ask(OVERVIEW, "queue", judged, reason="unlabelled")
    assert (len(told["items"]), told["num_reviewed"]) == (1, 1)


def test_along_a_queue_the_next_clip_is_the_queues(judged):
    waiting, _ = ask(OVERVIEW, "queue", judged, reason="unlabelled")
    for left, item in zip(("open_sample", None), waiting["items"], strict=True):
        said = {"sample_id": item["sample_id"], "reason": "unlabelled"}
        _, result = ask(TIMELINE, "decide", judged, decision={"action": "finish"}, **said)
        assert result == ([left] if left else [])
