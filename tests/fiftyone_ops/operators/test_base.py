"""Tests of what all operators share, by detection: calls from Python, the App, and a worker."""

import asyncio
import time
from types import SimpleNamespace

import fiftyone.core.utils as fou
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext, ExecutionError

from fiftyone_ops.tasks.review.decide import decide

from ..asking import asked_by_the_app

#: How far a run has come that has not begun.
NOTHING_YET = SimpleNamespace(progress=0)

URI = "@mmmsba/fiftyone_ops/detect_forgeries"


def test_the_manifest_names_what_is_registered():
    from fiftyone.plugins import get_plugin

    manifest = get_plugin("@mmmsba/fiftyone_ops").to_dict()
    names = [*manifest["operators"], *manifest["panels"]]
    registered = [
        operator.config.name
        for operator in foo.list_operators(enabled="all")
        if operator.uri.startswith("@mmmsba/fiftyone_ops/")
    ]
    assert sorted(registered) == sorted(names)


def test_every_form_reaches_the_app(evaluated, fake):
    decide(evaluated, fake.id, action="finish")
    request = {"dataset_name": evaluated.name, "view": [], "params": {}}
    for operator in foo.list_operators(enabled="all"):
        if operator.uri.startswith("@mmmsba/") and not isinstance(operator, foo.Panel):
            form = operator.resolve_input(ExecutionContext(request))
            answer = asyncio.run(fou.create_response({"form": form and form.to_json()}))
            assert answer.status_code == 200, operator.uri


def test_an_error_reaches_whoever_called(named_dataset, toy):
    with pytest.raises(ExecutionError, match="no detector is called 'none'"):
        foo.execute_operator(URI, {"dataset": named_dataset}, params={"detector": "none"})


def test_selected_samples_alone_are_evaluated(named_dataset, toy):
    chosen = named_dataset.limit(2).values("id")
    context = {"dataset": named_dataset, "selected": chosen}
    result = foo.execute_operator(URI, context, params={"detector": toy}).result
    assert result["total"] == 2


def test_in_the_app_it_shows_how_far_it_is_and_ends_with_what_it_did(named_dataset, toy):
    events = list(asked_by_the_app(URI, named_dataset, detector=toy))
    assert [event.body.operator_uri for event in events] == ["set_progress"] * 7 + [
        "notify",
        "reload_dataset",
    ]
    assert events[3].body.params["label"].startswith("4 of 7 videos evaluated, ")
    assert events[7].body.params["message"] == (
        "2 fake, 2 not flagged, 1 abstained, 2 error of 7 videos"
    )


def test_when_the_app_goes_away_what_was_done_is_kept(named_dataset, toy):
    events = asked_by_the_app(URI, named_dataset, detector=toy)
    for _ in range(3):
        next(events)
    events.close()
    assert named_dataset.exists("forgeries_verdict").count() == 3


def test_invalid_settings_are_refused_before_anything_is_shown(named_dataset, toy):
    with pytest.raises(ExecutionError, match="has no thresholds to choose from"):
        asked_by_the_app(URI, named_dataset, detector=toy, false_positive_rate=0.1)


def test_delegated_it_leaves_labels_progress_and_a_result(talking_dataset, checkpoint, worker):
    view = talking_dataset.limit(2)
    queued = foo.get_operator(URI)(view, delegate=True, checkpoint=str(checkpoint))
    result = worker(queued.result["id"])
    assert result.run_state == "completed", result.result.error
    assert result.result.result["total"] == 2
    assert result.status.label == "2 of 2 videos evaluated, 0 s left"
    assert view.exists("forgeries_verdict").count() == 2


def test_a_delegated_run_that_is_called_off_stops_and_keeps_what_was_done(
    talking_dataset, checkpoint, worker
):
    from fiftyone.operators.delegated import DelegatedOperationService

    service = DelegatedOperationService()
    queued = foo.get_operator(URI)(talking_dataset, delegate=True, checkpoint=str(checkpoint))
    started = queued.result["id"]
    while (service.get(started).status or NOTHING_YET).progress == 0:
        time.sleep(0.1)
    service.set_failed(started)
    assert worker(started).run_state == "failed"
    # The worker looks every second step, writes what it has, and is free for the next one.
    again = foo.get_operator(URI)(
        talking_dataset.limit(1), delegate=True, checkpoint=str(checkpoint)
    )
    assert worker(again.result["id"]).run_state == "completed"
    evaluated = talking_dataset.exists("forgeries_verdict").count()
    assert 1 <= evaluated < len(talking_dataset)
