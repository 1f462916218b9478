"""Contract of entries of any kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from mmmsba_plugin.config import Config
from mmmsba_plugin.hookspecs import DatasetReader, DetectorEntry, Forger, FrontEnd, Writer
from mmmsba_plugin.plugins import is_name

AnyEntry = TypeVar("AnyEntry", DetectorEntry, FrontEnd, DatasetReader, Writer, Forger)
Configured = TypeVar("Configured", FrontEnd, DatasetReader, Forger)

_LONGEST_SUMMARY = 120


class EntryContract(ABC, Generic[AnyEntry]):
    """Contract of every entry."""

    @property
    @abstractmethod
    def entry(self) -> AnyEntry:
        """The entry to test; in a subclass, ``entry = MY_ENTRY`` will do."""

    def test_its_name_can_be_typed(self) -> None:
        assert is_name(self.entry.name), (
            f"{self.entry.name!r}: use small letters and digits, joined by '-', '_' or '.'"
        )

    def test_its_summary_is_one_line(self) -> None:
        summary = self.entry.summary
        assert summary.strip() == summary != "", f"empty, or blanks around it: {summary!r}"
        assert "\n" not in summary, f"more than one line: {summary!r}"
        assert len(summary) <= _LONGEST_SUMMARY, f"longer than {_LONGEST_SUMMARY}: {summary!r}"


class ConfiguredContract(EntryContract[Configured]):
    """Contract of every entry with settings."""

    #: Settings that the defaults do not give.
    settings: Mapping[str, Any] = {}

    def read_config(self) -> Config:
        """Return the entry's settings as its users would write them."""
        return self.config_model.read(dict(self.settings))

    @property
    def config_model(self) -> type[Config]:
        """The model of the entry's settings."""
        return self.entry.config

    def test_every_setting_is_explained(self) -> None:
        silent = [n for n, field in self.config_model.model_fields.items() if not field.description]
        assert not silent, f"fields without a description: {', '.join(silent)}"

    def test_a_misspelt_setting_is_refused(self) -> None:
        assert self.config_model.model_config.get("extra") == "forbid", (
            'settings that nobody reads must be an error: keep extra="forbid" of Config'
        )
