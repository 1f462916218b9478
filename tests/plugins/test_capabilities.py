"""Tests of optional capabilities: what a detector lacks is an error, and never silence."""

import pytest

from mmmsba_plugin.errors import CapabilityError, ConfigError
from mmmsba_plugin.hookspecs import DetectorEntry
from mmmsba_plugin.plugins import (
    at_false_positive_rate,
    load_with,
    require_option,
    with_threshold,
)


class WithoutCapabilities:
    """A detector with nothing beyond the protocol."""

    info = {"name": "plain"}  # noqa: RUF012 - a detector's info is read only


@pytest.mark.parametrize(
    ("ask", "capability"),
    [
        (lambda detector: at_false_positive_rate(detector, 0.05), "at_false_positive_rate"),
        (lambda detector: with_threshold(detector, 0.5), "with_threshold"),
        (lambda detector: require_option(detector, "trim_silence"), "trim_silence"),
    ],
)
def test_a_capability_that_is_missing_is_an_error_that_names_it(ask, capability):
    with pytest.raises(CapabilityError, match="leave") as caught:
        ask(WithoutCapabilities())
    assert caught.value.capability == capability
    assert isinstance(caught.value, ConfigError)


def test_our_own_detector_has_them_all(detector):
    require_option(detector, "trim_silence")
    assert with_threshold(detector, 0.25).config.localization.onset <= 1
    for rate in detector.info["false_positive_rates"]:
        chosen = at_false_positive_rate(detector, rate)
        assert chosen.config.score_threshold.false_positive_rate == rate


def test_a_detector_is_loaded_with_options_that_it_takes():
    loaded = []

    def entry(load):
        return DetectorEntry(name="mine", summary="Mine.", modalities=("audio",), load=load)

    load_with(entry(loaded.append), None, {})
    load_with(entry(lambda path, threads: loaded.append(threads)), None, {"threads": 2})
    load_with(entry(lambda path, **options: loaded.append(options)), None, {"device": "x"})
    assert loaded == [None, 2, {"device": "x"}]
    with pytest.raises(CapabilityError, match="'mine' cannot be loaded with threads") as caught:
        load_with(entry(lambda path: None), None, {"threads": 2})
    assert caught.value.capability == "threads"
