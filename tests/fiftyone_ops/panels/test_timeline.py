"""Tests of the timeline panel: what its browser side asks for by name."""

import re
from importlib import import_module
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "fiftyone_ops" / "panel" / "src"


#: A call of a panel's method from the browser, by the method's name.
CALL = re.compile(r'(?:ask<[^(]*>\(|useAnswer<\w+>\(ask, |change\()"(\w+)"')


@pytest.mark.parametrize(
    ("sources", "module", "panel", "names"),
    [
        (
            ("useClip.ts", "TimelineView.tsx"),
            "timeline",
            "ForgeryTimeline",
            {"load", "frames", "decide"},
        ),
        (("OverviewView.tsx",), "overview", "ForgeryOverview", {"summary", "queue"}),
    ],
)
def test_every_method_that_the_browser_calls_by_name_is_there(sources, module, panel, names):
    text = "".join((SOURCES / source).read_text(encoding="utf-8") for source in sources)
    assert set(CALL.findall(text)) == names
    offered = getattr(import_module(f"fiftyone_ops.panels.{module}"), panel)
    assert all(callable(getattr(offered, name, None)) for name in names)


def test_the_browser_reads_the_frames_under_the_key_that_the_panel_writes():
    key = re.search(r"ask<\{ (\w+): ", (SOURCES / "useClip.ts").read_text(encoding="utf-8"))
    panel = (SOURCES.parents[1] / "panels" / "timeline.py").read_text(encoding="utf-8")
    assert f'{{"{key[1]}": list(frames_of(' in panel
