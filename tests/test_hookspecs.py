"""The entries that plug-ins hand over."""

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import PluginBrokenError
from mmmsba_plugin.hookspecs import API_VERSION, FrontEnd


def front_end(**fields) -> FrontEnd:
    return FrontEnd("toy", "audio", "A toy.", config=Config, build=lambda _: None, **fields)


def test_the_inputs_of_a_front_end_are_a_set_that_cannot_change():
    assert front_end(inputs={"audio", "faces"}).inputs == frozenset({"audio", "faces"})
    assert isinstance(front_end(inputs=set()).inputs, frozenset)


@pytest.mark.parametrize(("reads", "instead"), [("audio", r"\{'audio'\}"), ("nothing", r"set\(\)")])
def test_reads_of_version_1_is_refused_and_inputs_are_named_instead(reads, instead):
    assert API_VERSION == "2.0"
    with pytest.raises(PluginBrokenError, match=f"version 1 .* write inputs={instead}"):
        front_end(reads=reads)


@pytest.mark.parametrize("inputs", ["audio", {"sound"}, None])
def test_inputs_that_there_are_not_are_refused(inputs):
    with pytest.raises(
        PluginBrokenError, match="a set of 'audio', 'faces', 'frames', got"
    ) as caught:
        front_end(inputs=inputs)
    assert caught.value.plugin == "toy"
