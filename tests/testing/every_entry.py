"""A contract, run for every entry that is installed."""

from typing import Any

import pytest

from mmmsba_plugin import plugins


def registered(kind: plugins.Kind) -> list[Any]:
    """Every entry of a kind that is installed here, as parameters for a contract."""
    return [pytest.param(o.entry, id=o.name) for o in plugins.entries(kind) if o.entry]


class EveryEntry:
    """Runs a contract for each entry that its parametrised fixture brings."""

    @property
    def entry(self) -> Any:
        return self._current
