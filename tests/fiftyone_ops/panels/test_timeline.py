"""Tests of the timeline panel: the methods that its browser half calls, and decisions."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from ..asking import OVERVIEW, TIMELINE, ask

SOURCES = Path(__file__).parents[3] / "fiftyone_ops" / "panel" / "src"

#: A call of a panel's method from the browser, by the method's name.
CALL = re.compile(r'(?:call(?:<\w+>)?\(|useResponse<\w+>\(call, |change\()"(\w+)"')


@pytest.mark.parametrize(
    ("sources", "module", "panel", "names"),
    [
        (
            ("useClip.ts", "TimelineView.tsx"),
            "timeline",
            "ForgeryTimeline",
            {"load", "frames", "decide"},
        ),
        (
            ("OverviewView.tsx",),
            "overview",
            "ForgeryOverview",
            {"summary", "queue", "show", "open"},
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
    assert (response["review"]["label"], response["review"]["num_decisions"]) == ("forged", 1)
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
