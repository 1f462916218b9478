"""Tests of the timeline panel: the methods that its browser half calls, and decisions."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from fiftyone_ops.tasks.detect import annotate

from ..asking import OVERVIEW, TIMELINE, ask

SOURCES = Path(__file__).parents[3] / "fiftyone_ops" / "panel" / "src"

#: A call of a panel's method from the browser, by the method's name.
CALL = re.compile(r'(?:call(?:<\w+>)?\(|useResponse<\w+>\(call, |change\()"(\w+)"')


@pytest.mark.parametrize(
    ("sources", "module", "panel", "names"),
    [
        (
            ("useClip.ts", "useAudio.ts", "TimelineView.tsx"),
            "timeline",
            "ForgeryTimeline",
            {"load", "frames", "audio", "decide", "reopen", "step"},
        ),
        (
            ("OverviewView.tsx", "QueueView.tsx", "ThresholdSlider.tsx"),
            "overview",
            "ForgeryOverview",
            {"summary", "queue", "thumbnail", "open", "decide_many", "report"}
            | {"thresholds", "precisions", "apply"},
        ),
    ],
)
def test_every_method_that_the_browser_calls_by_name_is_there(sources, module, panel, names):
    text = "".join((SOURCES / source).read_text(encoding="utf-8") for source in sources)
    assert set(CALL.findall(text)) == names
    offered = getattr(import_module(f"fiftyone_ops.panels.{module}"), panel)
    assert all(callable(getattr(offered, name, None)) for name in names)


def test_a_decision_is_stored_and_returned(evaluated, fake):
    predicted = str(fake.forgeries.detections[0].id)
    decision = {"action": "adjust", "label_id": predicted, "start_s": 0.6, "end_s": 0.9}
    response, result = ask(TIMELINE, "decide", evaluated, sample_id=fake.id, decision=decision)
    (confirmed,) = response["reviewed"]
    assert (confirmed["source"], confirmed["start_s"], confirmed["end_s"]) == (predicted, 0.6, 0.9)
    assert response["review"]["decided"] == {predicted: "accepted"}
    assert (response["review"]["label"], response["review"]["num_decisions"]) == ("fake", 1)
    assert response["review"]["by"]
    assert result == []


def test_an_impossible_decision_is_refused_with_a_message(evaluated):
    decision = {"action": "add", "start_s": 1.0, "end_s": 0.5, "modality": "audio"}
    response, _ = ask(
        TIMELINE, "decide", evaluated, sample_id=evaluated.first().id, decision=decision
    )
    assert "must end after it starts" in response["problem"]


def test_whoever_is_done_with_a_clip_gets_the_next(evaluated):
    first = evaluated.first().id
    _, result = ask(TIMELINE, "decide", evaluated, sample_id=first, decision={"action": "finish"})
    assert result == ["open_sample"]


def test_along_a_queue_the_next_clip_is_the_queues(evaluated):
    waiting, _ = ask(OVERVIEW, "queue", evaluated, reason="unlabelled")
    for left, item in zip(("open_sample", None), waiting["items"], strict=True):
        params = {"sample_id": item["sample_id"], "reason": "unlabelled"}
        _, result = ask(TIMELINE, "decide", evaluated, decision={"action": "finish"}, **params)
        assert result == ([left] if left else [])


def test_along_a_queue_what_was_passed_over_comes_again(evaluated):
    waiting, _ = ask(OVERVIEW, "queue", evaluated, reason="uncertain")
    ids = [item["sample_id"] for item in waiting["items"]]

    def step(sample_id: str, by: int = 1) -> str | None:
        params = {"sample_id": sample_id, "by": by, "reason": "uncertain"}
        return ask(TIMELINE, "step", evaluated, **params)[0]["sample_id"]

    assert [step(sample_id) for sample_id in ids] == [*ids[1:], ids[0]]
    assert step(ids[1], by=-1) == ids[0]
    params = {"sample_id": ids[-1], "reason": "uncertain", "decision": {"action": "cannot_tell"}}
    assert ask(TIMELINE, "decide", evaluated, **params)[1] == ["open_sample"]
    assert step(ids[-1]) == ids[0]


def test_a_view_is_gone_through_from_end_to_end(evaluated):
    first, second, *_, last = evaluated.values("id")
    responses = [
        ask(TIMELINE, "step", evaluated, sample_id=sample_id, by=by)
        for sample_id, by in [(first, 1), (second, -1), (first, -1), (last, 1)]
    ]
    assert responses == [
        ({"sample_id": second}, ["open_sample"]),
        ({"sample_id": first}, ["open_sample"]),
        ({"sample_id": None}, []),
        ({"sample_id": None}, []),
    ]


def test_a_clip_that_is_named_is_opened(evaluated):
    first, second, *_ = evaluated.values("id")
    response = ask(TIMELINE, "step", evaluated, sample_id=first, by=-1, to=second)
    assert response == ({"sample_id": second}, ["open_sample"])


def test_a_review_that_ended_is_taken_up_again_unless_it_went_on(evaluated, fake):
    ask(TIMELINE, "decide", evaluated, sample_id=fake.id, decision={"action": "finish"})
    assert ask(TIMELINE, "reopen", evaluated, sample_id=fake.id) == ({}, ["open_sample"])
    assert evaluated[fake.id].forgeries_review.label == "open"
    response, opened = ask(TIMELINE, "reopen", evaluated, sample_id=fake.id)
    assert ("decided about since" in response["problem"], opened) == (True, [])


def test_a_newer_run_over_other_clips_hides_nothing(evaluated, toy):
    first, second, *_ = evaluated.values("id")
    annotate(evaluated.limit(1), detector=toy, label_field="newer")
    fields = {
        sample_id: ask(TIMELINE, "load", evaluated, sample_id=sample_id)[0]["field"]
        for sample_id in (first, second)
    }
    assert fields == {first: "newer", second: "forgeries"}
    response, _ = ask(TIMELINE, "load", evaluated, sample_id=second, field="newer")
    assert (response["field"], response["verdict"]) == ("newer", None)
    assert response["fields"] == [
        {"name": "forgeries", "is_evaluated": True},
        {"name": "newer", "is_evaluated": False},
    ]


def test_another_run_is_seen_beside_the_one_that_is_reviewed(evaluated, fake, toy):
    annotate(evaluated, detector=toy, label_field="newer", threshold=0.8)
    params = {"sample_id": fake.id, "field": "forgeries"}
    response, _ = ask(TIMELINE, "load", evaluated, beside="newer", **params)
    assert (response["field"], response["verdict"], len(response["predicted"])) == (
        "forgeries",
        "fake",
        1,
    )
    beside = response["beside"]
    assert (beside["field"], beside["verdict"], beside["threshold"]) == (
        "newer",
        "not flagged",
        0.8,
    )
    assert (beside["predicted"], beside["score"]) == ([], 0.75)
    assert beside["curves"]["score"] == response["curves"]["score"]
    for name in ("forgeries", "nobody", None):
        assert ask(TIMELINE, "load", evaluated, beside=name, **params)[0]["beside"] is None
