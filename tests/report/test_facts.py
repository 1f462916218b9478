"""The command of a report leaves out what its detector cannot choose."""

import pytest

from mmmsba_plugin.report.facts import command_again
from mmmsba_plugin.schema import Threshold

from .test_writers import REPORT


@pytest.mark.parametrize(("config", "command"), [({}, "mmmsba"), ({"localization": {}}, "0.1234")])
def test_the_command_names_a_threshold_that_was_chosen_if_the_detector_can_choose(config, command):
    made_by = REPORT.provenance.model_copy(update={"config": config, "checkpoint": None})
    changes = {"threshold": Threshold(value=0.1234), "provenance": made_by}
    report = REPORT.model_copy(update=changes)
    assert command_again(report).endswith(command)
