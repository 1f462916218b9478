"""The contract of front-ends, kept by every one that is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.testing import FrontEndContract

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import (
        FrontEnd,
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


class TestEveryFrontEnd(EveryEntry, FrontEndContract):
    @pytest.fixture(autouse=True, params=registered("front_ends"))
    def _each(self, request, tmp_path):
        self._current: FrontEnd = request.param
        if self.entry.name == "precomputed":
            rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
            np.save(tmp_path / "sample.npy", rows)
            self.settings = {"folder": str(tmp_path), "hop_s": 0.1}
