"""The entries that plug-ins hand over."""

import copy
import inspect
import pickle

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.entries import Entry
from mmmsba_plugin.errors import PluginBrokenError
from mmmsba_plugin.hookspecs import API_VERSION, DatasetReader, Detector, FrontEnd, Writer
from mmmsba_plugin.plugins import ENTRY_TYPES


def front_end(**fields) -> FrontEnd:
    return FrontEnd(
        name="toy",
        modality="audio",
        summary="A toy.",
        config=Config,
        build=lambda _: None,
        **fields,
    )


def writer(**fields) -> Writer:
    return Writer(name="toy", suffix=".t", summary="A toy.", write=print, **fields)


def test_the_inputs_of_a_front_end_are_a_set_that_cannot_change():
    assert front_end(inputs={"audio", "faces"}).inputs == frozenset({"audio", "faces"})
    assert isinstance(front_end(inputs=set()).inputs, frozenset)


@pytest.mark.parametrize("inputs", ["audio", {"sound"}, None])
def test_inputs_that_there_are_not_are_refused(inputs):
    with pytest.raises(
        PluginBrokenError, match="a set of 'audio', 'faces', 'frames', got"
    ) as caught:
        front_end(inputs=inputs)
    assert caught.value.plugin == "toy"


def test_a_reader_that_takes_no_callback_is_refused():
    with pytest.raises(PluginBrokenError, match=r"must take \(config, on_error\)"):
        DatasetReader(name="toy", summary="A toy.", config=Config, build=lambda config: [])


@pytest.mark.parametrize("needs_api", [API_VERSION, "3.0", None])
def test_an_entry_of_a_version_that_is_served_is_taken(needs_api):
    assert writer(needs_api=needs_api).needs_api == needs_api


@pytest.mark.parametrize("needs_api", ["2.0", "3.999", "4.0", "3", "three"])
def test_an_entry_of_another_version_is_refused_and_both_versions_are_named(needs_api):
    message = f"Writer 'toy' needs version {needs_api} of the plug-in interface, this is 3"
    with pytest.raises(PluginBrokenError, match=message) as caught:
        writer(needs_api=needs_api, field_of_that_version=1)
    assert caught.value.plugin == "toy"


def test_a_field_that_there_is_not_is_refused_and_those_that_there_are_listed():
    with pytest.raises(PluginBrokenError, match=r"no field reads in version 3.*inputs=…"):
        front_end(inputs=set(), reads="audio")


@pytest.mark.parametrize("entry_type", ENTRY_TYPES.values())
def test_fields_are_given_by_name(entry_type):
    with pytest.raises(PluginBrokenError, match="a field was given without its name in version 3"):
        entry_type("toy", summary="A toy.")


@pytest.mark.parametrize("entry_type", ENTRY_TYPES.values())
def test_every_field_of_an_entry_is_explained(entry_type):
    # Without its indentation, which newer Pythons leave out themselves.
    explained = f"{inspect.getdoc(Entry)}{inspect.getdoc(entry_type)}"
    for name in entry_type.__dataclass_fields__:
        assert f"    {name}: " in explained


def test_an_entry_can_be_copied_and_sent_to_another_process():
    entry = writer(license="MIT")
    assert copy.copy(entry) == entry
    assert pickle.loads(pickle.dumps(entry)) == entry  # noqa: S301 - our own


def test_a_detector_is_known_by_what_it_can_do(detector):
    assert isinstance(detector, Detector)
    assert not isinstance(object(), Detector)
