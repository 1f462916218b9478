"""Forgers by name."""

import pytest

from mmmsba_plugin.plugins import lookup


@pytest.fixture(scope="session")
def build():
    """Return a forger of ours by name; the crude voice speaks, whatever is installed."""

    def build_forger(name, **settings):
        entry = lookup("forgers", name)
        values = {"voice": "formant"} | settings if name == "speak" else settings
        return entry.build(entry.config.read(values))

    return build_forger
