"""Tests of the fields and values of a dataset: declaration, bulk writes, and ownership."""

from concurrent.futures import ThreadPoolExecutor

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.core.odm import get_db_conn

from fiftyone_ops.errors import FieldTakenError, WriteError
from fiftyone_ops.tasks.detect import annotate


def test_the_app_can_make_its_annotation_schemas_of_our_fields(evaluated):
    # It does so whenever a sample is opened; over an array declared within a document it raises.
    uri = "@voxel51/operators/get_label_schemas"
    # In a thread: beside a browser that runs here, FiftyOne would only promise an answer.
    with ThreadPoolExecutor() as aside:
        result = aside.submit(foo.execute_operator, uri, {"dataset": evaluated}).result()
    assert result.error is None


def test_a_field_that_is_not_ours_is_left_as_it_is(named_dataset, toy):
    truth = fo.TemporalDetections(detections=[fo.TemporalDetection(label="x", support=[1, 5])])
    named_dataset.set_values("ground_truth", [truth] * 7)
    with pytest.raises(FieldTakenError, match="such as ground_truth_2"):
        annotate(named_dataset, detector=toy, label_field="ground_truth")
    assert named_dataset.first().ground_truth.detections[0].support == [1, 5]
    assert named_dataset.list_runs() == []


def test_a_read_only_field_is_named(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    field = named_dataset.get_field("forgeries")
    field.read_only = True
    field.save()
    with pytest.raises(FieldTakenError, match=r"'forgeries' of .* is read-only"):
        annotate(named_dataset, detector=toy)


def test_a_locked_dataset_is_named_and_keeps_its_fields(named_dataset, toy):
    annotate(named_dataset.limit(2), detector=toy, batch_size=1)
    # A real refusal of the database: it takes no more verdicts.
    few = {"validator": {"forgeries_verdict.label": {"$exists": False}}}
    get_db_conn().command("collMod", named_dataset._sample_collection_name, **few)
    with pytest.raises(WriteError, match=r"does not let .* be written to: "):
        annotate(named_dataset, detector=toy)
    assert named_dataset.exists("forgeries_verdict").count() == 2


def test_a_run_gives_former_verdicts_the_words_of_today(evaluated, toy):
    former = ["forged"] * 2 + ["genuine"] * 2 + ["abstained"] + ["error"] * 2
    evaluated.set_values("forgeries_verdict.label", former)
    annotate(evaluated, detector=toy, existing="skip")
    assert evaluated.values("forgeries_verdict.label") == [
        *["fake"] * 2,
        *["not flagged"] * 2,
        "abstained",
        *["error"] * 2,
    ]


def test_a_color_that_somebody_gave_a_former_verdict_stays_under_the_word_of_today(evaluated, toy):
    scheme = evaluated.app_config.color_scheme
    (verdict,) = [field for field in scheme.fields if field["path"] == "forgeries_verdict"]
    verdict["valueColors"] = [{"value": "forged", "color": "#123456"}]
    scheme.fields = [verdict]
    evaluated.save()
    annotate(evaluated, detector=toy, existing="skip")
    evaluated.reload()
    (verdict,) = [
        field
        for field in evaluated.app_config.color_scheme.fields
        if field["path"] == "forgeries_verdict"
    ]
    assert verdict["valueColors"] == [{"value": "fake", "color": "#123456"}]
