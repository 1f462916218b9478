"""Loading of a detector for a command, with options that it must heed."""

import pytest
from typer import BadParameter

from mmmsba_plugin import plugins
from mmmsba_plugin.cli._detectors import load_detector
from mmmsba_plugin.errors import ConfigError, PluginNotFoundError

#: A detector that has nothing but the protocol, and swallows any option.
STUBBORN_FILE = """
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl

class Stubborn:
    info = {"name": "stubborn"}

    def detect(self, media, **options):
        raise AssertionError("it must not be run")

@hookimpl
def forensics_detectors():
    summary = "Heeds no option."
    yield DetectorEntry(
        name="stubborn", summary=summary, modalities=("audio",), load=lambda path: Stubborn()
    )
"""


@pytest.fixture
def stubborn(tmp_path) -> str:
    path = tmp_path / "stubborn.py"
    path.write_text(STUBBORN_FILE)
    plugins.load_file(path)
    return "stubborn"


def test_without_options_any_detector_will_do(stubborn):
    assert load_detector(stubborn, None).info["name"] == "stubborn"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fpr": 0.05}, "no thresholds"),
        ({"trim_silence": True}, "heeds"),
        ({"options": {"threads": 2}}, "cannot be loaded with threads"),
    ],
)
def test_what_a_detector_cannot_do_is_a_wrong_command_line(stubborn, options, message):
    with pytest.raises(BadParameter, match=message):
        load_detector(stubborn, None, **options)


def test_a_checkpoint_without_a_threshold_for_the_rate_is_a_wrong_setting(checkpoint):
    with pytest.raises(ConfigError, match="no threshold for a false-positive rate"):
        load_detector("mmms-ba", checkpoint, fpr=0.2)
    assert load_detector("mmms-ba", checkpoint, trim_silence=True).info["checkpoint"] == "tiny"


def test_an_unknown_detector_is_answered_with_those_there_are():
    with pytest.raises(PluginNotFoundError, match="mmms-ba"):
        load_detector("mmms-bb", None)


def test_how_it_runs_reaches_the_detector(checkpoint):
    with pytest.raises(ConfigError, match="nowhere"):
        load_detector("mmms-ba", checkpoint, options={"device": "nowhere"})
    assert load_detector("mmms-ba", checkpoint, options={"threads": 1}).info["checkpoint"] == "tiny"
