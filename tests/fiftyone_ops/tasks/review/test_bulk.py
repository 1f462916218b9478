"""Tests of decisions about many samples at once, and of taking them back as one."""

import pytest

from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.review.bulk import decide_many
from fiftyone_ops.tasks.review.decide import decide
from mmmsba_plugin.errors import ConfigError


def labels(dataset) -> list[str | None]:
    dataset.reload()
    return [review and review.label for review in dataset.values("forgeries_review")]


def test_segments_above_a_score_are_accepted_in_many_samples(evaluated):
    ids = evaluated.values("id")
    bulk = decide_many(evaluated, ids, action="accept", min_score=0.7, by="ada")
    # Two clips have a segment, of 0.75; of the others it is said why they stay as they are.
    assert bulk.decided == ids[:2]
    assert set(bulk.left) == set(ids[2:])
    assert "no undecided segment has a score of 0.7 or more" in bulk.left[ids[2]]
    assert labels(evaluated) == ["fake", "fake", *[None] * 5]
    review = evaluated.first().forgeries_review
    assert (review.by, review.history[0]["batch"]) == ("ada", bulk.batch)


def test_segments_below_the_score_stay_undecided(evaluated):
    bulk = decide_many(evaluated, evaluated.values("id"), action="reject", min_score=0.8)
    assert (bulk.decided, len(bulk.left)) == ([], 7)
    assert set(labels(evaluated)) == {None}


def test_many_decisions_are_taken_back_at_once_but_not_what_was_decided_since(evaluated):
    first, second, *_ = ids = evaluated.values("id")
    decide(evaluated, first, action="accept")
    bulk = decide_many(evaluated, ids[:4], action="finish", by="ada")
    assert bulk.decided == ids[:4]
    assert labels(evaluated)[:4] == ["fake", "real", "real", "real"]
    decide(evaluated, second, action="add", start_s=0.2, end_s=0.6, modality="audio", by="bob")
    undone = decide_many(evaluated, bulk.decided, action="undo", batch=bulk.batch)
    assert undone.decided == [first, *ids[2:4]]
    assert "decided about since" in undone.left[second]
    # What was there before the bulk decision is there again.
    assert labels(evaluated)[:4] == ["fake", "fake", "open", "open"]


def test_what_could_not_be_evaluated_is_not_finished_as_real_by_the_dozen(evaluated):
    ids = evaluated.values("id")
    bulk = decide_many(evaluated, ids, action="finish")
    assert (bulk.decided, list(bulk.left)) == (ids[:4], ids[4:])
    assert all("cannot be finished as real" in why for why in bulk.left.values())


def test_a_decision_that_makes_no_sense_is_refused_before_anything_is_written(evaluated):
    with pytest.raises(ConfigError, match="min_score"):
        decide_many(evaluated, evaluated.values("id"), action="accept", min_score=7)
    with pytest.raises(TargetError, match="no predictions in 'nobodys' to review"):
        decide_many(evaluated, evaluated.values("id"), label_field="nobodys", action="accept")
    assert not evaluated.has_field("forgeries_review")
