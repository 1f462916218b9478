"""Tests of the operator that imports a dataset."""

import fiftyone as fo
import fiftyone.operators as foo

from ..asking import asked_by_the_app


def test_the_operator_imports_and_says_how_many(talking_head_dataset, dataset):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/import_forgery_dataset")
    result = operator(f"lav-df={talking_head_dataset}", name="by-operator").result
    created = fo.load_dataset("by-operator")
    assert result == {"dataset": "by-operator", "added": len(created), "skipped": 0}
    created.delete()


def test_in_the_app_it_says_how_far_it_is_and_opens_the_data_set(dataset, talking_head_dataset):
    uri = "@mmmsba/fiftyone_ops/import_forgery_dataset"
    params = {"data": f"lav-df={talking_head_dataset}", "name": "in-the-app", "batch_size": 6}
    events = list(asked_by_the_app(uri, dataset, **params))
    created = fo.load_dataset("in-the-app")
    assert events[0].body.params["label"] == "6 samples added to 'in-the-app', 0 were there"
    assert [event.body.operator_uri for event in events[-2:]] == ["notify", "open_dataset"]
    assert events[-2].body.params["message"].startswith(f"{len(created)} samples added")
    created.delete()
