"""Entries of plug-ins: listed with their faults, looked up, and called."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import (
    PluginClashError,
    PluginNotFoundError,
)
from mmmsba_plugin.hookspecs import (
    DetectorEntry,
    Forger,
    Writer,
    hookimpl,
)

from .offering import a_writer, offering


class TestEntries:
    def test_a_hook_that_raises_is_reported_and_the_rest_is_called(self, install):
        def half() -> Iterator[Writer]:
            yield a_writer("before")
            raise ZeroDivisionError("halfway")

        bad = SimpleNamespace(forensics_writers=hookimpl(half))
        install(bad=bad, good=offering(a_writer("good")))
        offers = plugins.entries("writers")
        assert [(o.name, o.state) for o in offers] == [
            ("before", "ok"),
            ("", "broken"),
            ("good", "ok"),
        ]
        assert offers[1].reason == "ZeroDivisionError: halfway"

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            ("a string", "forensics_writers must yield entries of Writer, got str"),
            (
                Forger(
                    name="f",
                    modality="audio",
                    summary="A forger.",
                    config=Config,
                    build=lambda config: None,
                ),
                "forensics_writers must yield entries of Writer, got Forger",
            ),
            (a_writer("Not A Name"), "cannot be called 'Not A Name'; use small letters"),
            (a_writer(["unhashable"]), "cannot be called ['unhashable']"),
        ],
    )
    def test_what_is_no_entry_is_reported(self, install, entry, reason):
        install(odd=offering(entry, a_writer("fine")))
        odd, fine = plugins.entries("writers")
        assert (odd.entry, odd.state, fine.state) == (None, "broken", "ok")
        assert reason in odd.reason

    def test_a_single_entry_instead_of_several_is_reported(self, install):
        install(single=SimpleNamespace(forensics_writers=hookimpl(lambda: a_writer("one"))))
        (offer,) = plugins.entries("writers")
        assert offer.reason == "TypeError: 'Writer' object is not iterable"

    def test_there_are_five_kinds(self):
        with pytest.raises(
            PluginNotFoundError, match=r"no kind is called 'hats'; kinds: detectors"
        ):
            plugins.entries("hats")


class TestLookup:
    def test_an_unknown_name_lists_what_there_is(self, install):
        install(mmmsba=offering(a_writer("json"), a_writer("html")))
        expected = r"no writer is called 'jsn'; there are: html, json; did you mean 'json'\?$"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("writers", "jsn")

    def test_a_name_like_none_there_is_may_be_of_a_plugin_that_is_missing(self, install):
        install(mmmsba=offering(a_writer("json")))
        expected = "there are: json; install the plug-in that has it, or load its file by `mmmsba"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("writers", "theirs")

    def test_an_unknown_name_mentions_broken_plugins(self, install):
        install(mmmsba=offering(a_writer("json")), sad=ImportError("no luck"))
        expected = r"plug-in 'sad' \(sad-dist 1\.2\) is broken: ImportError: no luck"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("writers", "xml")

    def test_without_our_own_parts_it_says_how_to_install_them(self, install):
        install()
        expected = "no front-end is called 'log-mel': no plug-in offers any.*pip install mmmsba"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("front_ends", "log-mel")

    def test_a_clash_names_both_and_how_to_leave_one_out(self, install):
        install(a=offering(a_writer("json")), b=offering(a_writer("json"), a_writer("other")))
        with pytest.raises(PluginClashError) as caught:
            plugins.lookup("writers", "json")
        assert str(caught.value) == (
            "plug-in 'a' (a-dist 1.2) and plug-in 'b' (b-dist 1.2) each offer a writer called "
            "'json'; leave one out with MMMSBA_DISABLE_PLUGINS=b"
        )
        assert [offer.state for offer in plugins.entries("writers")] == ["clash", "clash", "ok"]
        assert plugins.lookup("writers", "other").name == "other"

    def test_the_remedy_of_a_clash_works(self, install, monkeypatch):
        install(a=offering(a_writer("json")), b=offering(a_writer("json")))
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "b")
        plugins.forget()
        assert plugins.lookup("writers", "json").name == "json"

    def test_one_name_in_two_kinds_is_no_clash(self, install):
        entry = DetectorEntry(
            name="json", summary="A detector.", modalities=("audio",), load=lambda path: None
        )
        both = offering(a_writer("json"))
        both.forensics_detectors = hookimpl(lambda: [entry])
        install(both=both)
        assert plugins.lookup("detectors", "json").summary == entry.summary
