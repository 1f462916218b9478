"""The contract of forgers, kept by every one that is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.testing import ForgerContract

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import (
        Forger,
    )


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.DISABLE_VARIABLE, raising=False)
    plugins.forget()
    yield
    plugins.forget()


def registered(kind: plugins.Kind) -> list[Any]:
    """Every entry of a kind that is installed here, as parameters for a contract."""
    return [pytest.param(o.entry, id=o.name) for o in plugins.entries(kind) if o.entry]


class EveryEntry:
    """Runs a contract for each entry that its parametrised fixture brings."""

    @property
    def entry(self) -> Any:
        return self._current


class TestEveryForger(EveryEntry, ForgerContract):
    @pytest.fixture(autouse=True, params=registered("forgers"))
    def _each(self, request):
        self._current: Forger = request.param
