"""Tests of predictions and reviews, which are known by their fields."""

import pytest

from fiftyone_ops.dataset import runs, store
from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.errors import FieldTakenError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.review.decide import decide


def rename(dataset, before: str, after: str) -> None:
    """Rename the fields of predictions, as a person would; their run keeps its name."""
    pairs = zip(Fields(before).predicted, Fields(after).predicted, strict=True)
    dataset.rename_sample_fields(dict(pairs))


def test_predictions_are_found_under_another_name_and_without_a_run(evaluated, toy):
    annotate(evaluated.limit(1), detector=toy, label_field="newer")
    assert runs.prediction_fields(evaluated) == ["forgeries", "newer"]
    rename(evaluated, "newer", "renamed")
    assert runs.prediction_fields(evaluated) == ["renamed", "forgeries"]
    evaluated.delete_run("forgeries")
    assert set(runs.prediction_fields(evaluated)) == {"renamed", "forgeries"}
    evaluated.delete_sample_fields(list(Fields("forgeries").predicted))
    assert runs.prediction_fields(evaluated) == ["renamed"]


def test_what_was_renamed_goes_on_where_it_was(evaluated, toy):
    rename(evaluated, "forgeries", "renamed")
    summary = annotate(evaluated, detector=toy, label_field="renamed")
    # Two failed, and those are run anew.
    assert summary.skipped == 5
    (maker,) = {v.made_by for v in evaluated.values("renamed_verdict")}
    assert store.makers_of(evaluated, Fields("renamed"))[maker]["name"] == "toy"


def test_all_runs_share_the_review_of_a_clip_unless_they_have_their_own(evaluated, toy):
    assert runs.fields_of_run(evaluated, "forgeries").review == "forgeries_review"
    annotate(evaluated.limit(1), detector=toy, label_field="newer")
    decide(evaluated, evaluated.first().id, action="cannot_tell")
    assert runs.fields_of_run(evaluated, "newer").review == "forgeries_review"
    evaluated.clone_sample_field("forgeries_review", "newer_review")
    evaluated.clone_sample_field("forgeries_reviewed", "newer_reviewed")
    assert runs.review_stems(evaluated) == ["forgeries", "newer"]
    assert runs.fields_of_run(evaluated, "newer").review == "newer_review"


def test_fields_of_ours_get_their_runs_back_and_no_others(evaluated, fake, toy):
    decide(evaluated, fake.id, action="accept")
    for run in ("forgeries", "forgeries_review"):
        evaluated.delete_run(run)
    runs.adopt(evaluated, Fields("forgeries"))
    assert {run: store.method_of(evaluated, run) for run in evaluated.list_runs()} == {
        "forgeries": store.DETECT,
        "forgeries_review": store.REVIEW,
    }
    evaluated.clone_sample_field("forgeries", "stranger")
    with pytest.raises(FieldTakenError, match="'stranger' that no run of ours made"):
        annotate(evaluated, detector=toy, label_field="stranger")
