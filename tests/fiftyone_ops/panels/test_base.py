"""Tests of what all panels share: their registration, their methods by name, and their errors."""

import fiftyone.operators as foo
import pytest

from ..asking import OVERVIEW, TIMELINE, ask


def test_the_app_finds_both_panels():
    assert {OVERVIEW, TIMELINE} <= {panel.uri for panel in foo.list_operators(type="panel")}


@pytest.mark.parametrize("uri", [OVERVIEW, TIMELINE])
def test_a_panel_names_the_methods_that_its_drawing_asks_for(uri):
    panel = foo.get_operator(uri)
    view = panel.render(None).to_json()["view"]
    assert view["component"].startswith("Mmmsba")
    methods = {name: method for name, method in view.items() if "#" in str(method)}
    assert {method.partition("#")[0] for method in methods.values()} == {uri}
    assert all(callable(getattr(panel, method.partition("#")[2])) for method in methods.values())


def test_a_panel_says_what_is_wrong_and_stays(evaluated):
    response, _ = ask(TIMELINE, "load", evaluated, sample_id="000000000000000000000000")
    assert "was deleted" in response["problem"]
