"""Fixtures of plug-ins; installed distributions have tests of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.plugins import loading

from .offering import entry_point

#: Run where they are installed.
collect_ignore_glob = ["*/*"]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.DISABLE_VARIABLE, raising=False)
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that exactly these plug-ins are installed, each in a distribution `<name>-dist`."""

    def _install(**plugins_by_name: Any) -> None:
        points = [entry_point(name, plugin) for name, plugin in plugins_by_name.items()]
        monkeypatch.setattr(loading, "entry_points", lambda *, group: points)
        plugins.forget()

    return _install
