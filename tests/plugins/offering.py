"""Plug-ins that offer writers, for tests."""

from types import SimpleNamespace
from typing import Any, NamedTuple

from mmmsba_plugin.hookspecs import Writer, hookimpl


def a_writer(name: str) -> Writer:
    return Writer(name=name, suffix=".x", summary="A writer.", write=lambda report, stream: None)


def offering(*entries: Any) -> SimpleNamespace:
    """A plug-in that offers these as writers."""
    return SimpleNamespace(forensics_writers=hookimpl(lambda: list(entries)))


class FakeDistribution(NamedTuple):
    name: str
    version: str


def entry_point(name: str, plugin: Any) -> Any:
    """An installed entry point that loads a plug-in, or fails as it does."""

    def load() -> Any:
        if isinstance(plugin, BaseException):
            raise plugin
        return plugin() if callable(plugin) else plugin

    return SimpleNamespace(name=name, load=load, dist=FakeDistribution(f"{name}-dist", "1.2"))
