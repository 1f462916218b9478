"""Contract of entries of any kind."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from unittest import SkipTest

from mmmsba_plugin.config import Config
from mmmsba_plugin.hookspecs import (
    DatasetReader,
    DetectorEntry,
    Forger,
    FrontEnd,
    HeadEntry,
    Writer,
)
from mmmsba_plugin.plugins import is_name

AnyEntry = TypeVar("AnyEntry", DetectorEntry, FrontEnd, DatasetReader, Writer, Forger, HeadEntry)
Configured = TypeVar("Configured", FrontEnd, DatasetReader, Forger)

_LONGEST_SUMMARY = 120


#: How far what an entry says of its cost may be off, on another machine, and what starting up is
#: allowed, in seconds.
_COST_FACTOR, _START_S = 10.0, 1.0


def require_cost(entry: DetectorEntry | FrontEnd, run: Callable[[], object], clip_s: float) -> None:
    """Require that an entry costs about what it says.

    Args:
        entry: The entry; a test is skipped if it says nothing.
        run: Processes a clip; what it loads only once is not counted.
        clip_s: Length of the clip, in seconds.
    """
    if entry.cpu_s_per_s is None:
        raise SkipTest("it does not say what it costs: cpu_s_per_s")
    run()
    before_s = time.process_time()
    run()
    cost_s = time.process_time() - before_s
    limit_s = _START_S + _COST_FACTOR * entry.cpu_s_per_s * clip_s
    assert cost_s <= limit_s, (
        f"{cost_s:.2f} s of processor time for {clip_s:g} s of a clip, and it says "
        f"cpu_s_per_s={entry.cpu_s_per_s:g}"
    )


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
