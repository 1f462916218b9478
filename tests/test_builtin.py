"""Entries of this package, offered through the same hooks as any other."""

from collections.abc import Iterator

import pytest

from mmmsba_plugin import plugins


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.DISABLE_VARIABLE, raising=False)
    plugins.forget()
    yield
    plugins.forget()


@pytest.mark.parametrize("kind", plugins.ENTRY_TYPES)
def test_every_hook_of_ours_offers_something_and_nothing_broken(kind):
    own = [offer for offer in plugins.entries(kind) if offer.plugin.name == plugins.OWN_NAME]
    assert own
    assert [offer.reason for offer in own if offer.state != "ok"] == []
