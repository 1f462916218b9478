"""Tests of the operators of a review: the queue as a view, and decisions."""

import fiftyone.operators as foo


def test_the_operator_saves_it_as_a_view_and_says_how_many_wait(evaluated):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/review_forgeries")
    result = operator(evaluated, reason="unlabelled").result
    assert (result["view"], result["queued"]) == ("review-unlabelled", 2)
    assert result["waiting"] == {
        "uncertain": 4,
        "unlabelled": 2,
        "missed": 0,
        "disagree": 2,
        "not_evaluated": 3,
        "changed": 0,
    }
    assert evaluated.load_saved_view("review-unlabelled").count() == 2


def test_the_operator_that_decides_predictions_with_how_the_sample_stands(evaluated, fake):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/decide_forgery")
    result = operator(evaluated, fake.id, action="accept", by="ada").result
    assert (result["label"], result["segments"][0]["by"]) == ("forged", "ada")
