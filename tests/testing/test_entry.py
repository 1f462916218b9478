"""The contract of entries of any kind, and of those with settings."""

from types import MappingProxyType

import pytest
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.hookspecs import Forger, Writer
from mmmsba_plugin.testing.entry import ConfiguredContract, EntryContract


class Explained(Config):
    """Settings as they should be."""

    level: float = Field(default=1.0, description="Level of the audio.")


class Silent(Config):
    """Settings without a word of explanation."""

    level: float = 1.0


class Tolerant(Explained, extra="ignore"):
    """Settings that pass over a misspelt one."""


def entry_contract(**changes):
    class Contract(EntryContract):
        entry = Writer(
            **{"name": "toy", "suffix": ".t", "summary": "A toy.", "write": print, **changes}
        )

    return Contract()


def configured_contract(config):
    class Contract(ConfiguredContract):
        entry = Forger(name="toy", modality="audio", summary="A toy.", config=config, build=print)
        settings = MappingProxyType({"level": 2.0})

    return Contract()


def test_an_entry_that_keeps_the_contract_passes():
    contract = configured_contract(Explained)
    contract.test_its_name_can_be_typed()
    contract.test_its_summary_is_one_line()
    contract.test_every_setting_is_explained()
    contract.test_a_misspelt_setting_is_refused()
    assert contract.read_config() == Explained(level=2.0)


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ("", "empty, or blanks"),
        (" A toy.", "empty, or blanks"),
        ("A\ntoy.", "more than one line"),
        ("A toy." * 21, "longer than 120"),
    ],
)
def test_a_summary_that_is_not_one_line_fails(summary, message):
    with pytest.raises(AssertionError, match=message):
        entry_contract(summary=summary).test_its_summary_is_one_line()


@pytest.mark.parametrize("name", ["Toy", "a toy", "toy!", ""])
def test_a_name_that_does_not_read_well_in_a_command_fails(name):
    with pytest.raises(AssertionError, match="use small letters and digits"):
        entry_contract(name=name).test_its_name_can_be_typed()


def test_a_setting_without_a_description_fails():
    with pytest.raises(AssertionError, match="fields without a description: level"):
        configured_contract(Silent).test_every_setting_is_explained()


def test_settings_that_tolerate_a_misspelt_one_fail():
    with pytest.raises(AssertionError, match="that nobody reads must be an error"):
        configured_contract(Tolerant).test_a_misspelt_setting_is_refused()
