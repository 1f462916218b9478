"""Plug-ins start anew for each test of a contract."""

from collections.abc import Iterator

import pytest

from mmmsba_plugin import plugins


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.DISABLE_VARIABLE, raising=False)
    plugins.forget()
    yield
    plugins.forget()
