"""Tests of the overview panel, called as the browser calls it."""

import pytest

from ..asking import OVERVIEW, TIMELINE, ask


def test_the_overview_counts_what_is_in_view(evaluated):
    response, _ = ask(OVERVIEW, "summary", evaluated.limit(1))
    assert response["overview"]["num_clips"] == 1
    assert (response["fields"], response["field"]) == (["forgeries"], "forgeries")


def test_the_overview_of_clips_without_evaluation_says_so(named_dataset):
    response, _ = ask(OVERVIEW, "summary", named_dataset)
    assert response == {"fields": [], "field": None, "overview": None}


def test_what_is_clicked_becomes_the_view(evaluated):
    _, result = ask(OVERVIEW, "summary", evaluated, kind="verdict", value="fake")
    assert result == ["set_view"]
    _, result = ask(OVERVIEW, "summary", evaluated, kind="all")
    assert result == ["clear_view"]


def test_what_is_clicked_is_counted_before_it_is_the_view(evaluated):
    response, _ = ask(OVERVIEW, "summary", evaluated, kind="verdict", value="fake")
    assert (response["overview"]["num_clips"], response["overview"]["num_evaluated"]) == (2, 2)
    response, _ = ask(OVERVIEW, "summary", evaluated.limit(1), kind="all")
    assert response["overview"]["num_clips"] == 7


def test_the_queue_says_what_waits_and_how_far_one_is(evaluated):
    response, _ = ask(OVERVIEW, "queue", evaluated, reason="unlabelled")
    assert [(item["score"], item["starts_s"]) for item in response["items"]] == [(0.75, [0.5])] * 2
    counts = {item["name"]: item["count"] for item in response["reasons"]}
    assert counts == {
        "uncertain": 4,
        "unlabelled": 2,
        "missed": 0,
        "disagree": 2,
        "not_evaluated": 3,
        "changed": 0,
    }
    assert (response["num_reviewed"], response["num_clips"]) == (0, 7)

    result = response["items"][0]["sample_id"]
    ask(TIMELINE, "decide", evaluated, sample_id=result, decision={"action": "finish"})
    response, _ = ask(OVERVIEW, "queue", evaluated, reason="unlabelled")
    assert (len(response["items"]), response["num_reviewed"]) == (1, 1)


def test_precision_at_each_threshold_is_of_the_clips_with_a_ground_truth(evaluated_with_truth):
    evaluated_with_truth.clone_sample_field("truth", "ground_truth")
    response, _ = ask(OVERVIEW, "precisions", evaluated_with_truth)
    assert (response["tiou"], response["num_clips"]) == (0.5, 4)
    # At 0.5 the one hit of three true segments is there; at 0.8 nothing is.
    assert response["average_precisions"][100] == pytest.approx(1 / 3)
    assert response["average_precisions"][160] == 0.0


def test_without_a_ground_truth_no_precision_is_shown(evaluated):
    response, _ = ask(OVERVIEW, "precisions", evaluated)
    assert set(response["average_precisions"]) == {None}


def test_the_report_is_asked_for_in_its_own_form(evaluated):
    _, result = ask(OVERVIEW, "report", evaluated)
    assert result == ["prompt_user_for_operation"]
