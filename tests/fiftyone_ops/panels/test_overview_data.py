"""Tests of the data of the overview: counts, and the samples that each count leads to."""

import pytest

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.panels.overview_data import narrowed, overview_of, queue_of
from fiftyone_ops.responses import Count

FIELDS = Fields("forgeries")


def test_counts_and_bars_are_what_they_say(evaluated):
    response = overview_of(evaluated, FIELDS)
    assert response.num_clips == 7
    assert {bar.low: bar.count for bar in response.bars if bar.count} == {
        0.25: 2,
        0.75: 2,
    }
    assert response.threshold == 0.5
    tallies = {tally.kind: tally.counts for tally in response.tallies}
    assert [(item.value, item.count) for item in tallies["verdict"]] == [
        ("fake", 2),
        ("not flagged", 2),
        ("abstained", 1),
        ("error", 2),
    ]
    assert tallies["modality"] == (Count(value="audio", count=2),)


@pytest.mark.parametrize("score", [0.0, 0.05, 0.3, 0.35, 0.55, 0.7, 0.95, 1.0])
def test_a_bar_leads_to_the_clips_that_it_counts(evaluated, score):
    evaluated.set_values("forgeries_verdict.confidence", [score] * 4 + [None] * 3)
    (bar,) = (item for item in overview_of(evaluated, FIELDS).bars if item.count)
    assert bar.count == 4
    assert bar.low <= score <= bar.high
    assert len(narrowed(evaluated, FIELDS, kind="score", value=bar.low)) == 4


def test_a_count_leads_to_the_clips_that_it_counts(evaluated):
    evaluated.set_values("split", ["train"] * 5 + ["test"] * 2)
    for tally in overview_of(evaluated, FIELDS).tallies:
        assert tally.counts
        for item in tally.counts:
            matches = narrowed(evaluated, FIELDS, kind=tally.kind, value=item.value)
            assert len(matches) == item.count


def test_verdicts_of_earlier_versions_count_under_todays_words(evaluated):
    former = ["forged"] * 2 + ["genuine"] * 2 + ["abstained"] + ["error"] * 2
    evaluated.set_values("forgeries_verdict.label", former)
    (tally, *_) = overview_of(evaluated, FIELDS).tallies
    assert Count(value="fake", count=2) in tally.counts
    assert len(narrowed(evaluated, FIELDS, kind="verdict", value="not flagged")) == 2


def test_clips_that_no_run_saw_are_counted_apart(evaluated):
    evaluated.limit(1).clear_sample_field("forgeries_verdict")
    (tally, *_) = overview_of(evaluated, FIELDS).tallies
    assert tally.counts[-1] == Count(value="never evaluated", count=1)
    assert len(narrowed(evaluated, FIELDS, kind="verdict", value="never evaluated")) == 1


def test_warnings_are_counted_and_so_are_clips_with_a_score(evaluated):
    texts = [["a demonstrator"]] * 3 + [["a demonstrator", "cut short"]] + [None] * 3
    evaluated.set_values("forgeries_verdict.warnings", texts)
    response = overview_of(evaluated, FIELDS)
    assert [(item.text, item.count) for item in response.warnings] == [
        ("a demonstrator", 4),
        ("cut short", 1),
    ]
    assert (response.num_evaluated, response.num_clips) == (4, 7)


def test_a_clip_without_a_score_waits_with_the_reason(evaluated):
    waits = queue_of(evaluated, FIELDS, reason="not_evaluated", truth_field="ground_truth").items
    assert {item.verdict for item in waits} == {"abstained", "error"}
    assert waits[-1].reason == "nobody is seen or heard"


def test_without_a_field_of_splits_tags_tell_them(evaluated):
    evaluated.limit(3).tag_samples("held-out")
    tally = overview_of(evaluated, FIELDS).tallies[-1]
    assert Count(value="held-out", count=3) in tally.counts
    assert len(narrowed(evaluated, FIELDS, kind="split", value="held-out")) == 3


def test_the_queue_lists_clips_with_the_starts_of_their_segments(evaluated):
    queue = queue_of(evaluated, FIELDS, reason="unlabelled", truth_field="ground_truth")
    assert [item.name for item in queue.items] == ["forged-1.mp4", "forged-2.mp4"]
    assert [item.starts_s for item in queue.items] == [(0.5,), (0.5,)]
    assert {reason.name: reason.count for reason in queue.reasons}["unlabelled"] == 2
