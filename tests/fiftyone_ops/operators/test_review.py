"""Tests of the operators of a review: the queue as a view, and decisions."""

import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionError

from mmmsba_plugin.files import sha256_of

from ..asking import asked_by_the_app


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
    assert (result["label"], result["segments"][0]["by"]) == ("fake", "ada")


def test_the_operator_that_reports_says_where_the_page_is_and_its_hash(evaluated, fake, tmp_path):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/decide_forgery")
    operator(evaluated, fake.id, action="accept", by="ada")
    file = tmp_path / "review.html"
    operator = foo.get_operator("@mmmsba/fiftyone_ops/report_review")
    result = operator(evaluated, file=str(file)).result
    assert result == {"file": str(file), "clips": 1, "sha256": sha256_of(file)}
    # It is refused before anything is shown, since there is such a file now.
    with pytest.raises(ExecutionError, match="a report replaces none"):
        asked_by_the_app("@mmmsba/fiftyone_ops/report_review", evaluated, file=str(file))
